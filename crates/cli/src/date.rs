//! Times on the command line: seconds since 1970, RFC 3339, or `now`.

use portcullis::{
    NumericDate,
    clock::{Clock, SystemClock},
};

/// Reads a time.
///
/// # Errors
///
/// What would be right.
pub(crate) fn parse(text: &str) -> Result<NumericDate, String> {
    if text == "now" {
        return Ok(SystemClock::default().now());
    }
    let seconds = text.parse().ok().or_else(|| rfc_3339(text));
    seconds.map(NumericDate::from_seconds).ok_or_else(|| {
        "expected seconds since 1970, a date such as 2027-01-15T08:00:00Z, or `now`".to_owned()
    })
}

/// Reads a date of RFC 3339 §5.6. A fraction of a second is cut off.
fn rfc_3339(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, offset) = time.split_at_checked(time.find(['Z', 'z', '+', '-'])?)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = hour < 24 && minute < 60 && second <= 60 && is_fraction;
    let is_day = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    (is_time && is_day).then_some(())?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds - seconds_of_offset(offset)?)
}

/// Reads numbers of fixed lengths.
fn numbers<const N: usize>(text: &str, between: char, lengths: [usize; N]) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(between);
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts.next().filter(|part| part.len() == length)?;
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        *number = is_number.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

fn seconds_of_offset(offset: &str) -> Option<i64> {
    let (sign, offset) = match offset.as_bytes().first()? {
        b'+' => (1, offset.get(1..)?),
        b'-' => (-1, offset.get(1..)?),
        _ => return (offset.len() == 1).then_some(0),
    };
    let [hours, minutes] = numbers(offset, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts days in the Gregorian calendar. Years begin in March, so that the leap day is the last of a year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const FROM_MARCH_OF_YEAR_0: i64 = 719_468;
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + day_of_year - FROM_MARCH_OF_YEAR_0
}

#[cfg(test)]
mod tests {
    use portcullis::explain::date;

    use super::*;

    #[test]
    fn a_time_is_read_in_each_form() {
        for (text, seconds) in [
            ("0", 0),
            ("1800000000", 1_800_000_000),
            ("-1", -1),
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("2027-01-15t08:00:00.999z", 1_800_000_000),
            ("2027-01-15 09:30:00+01:30", 1_800_000_000),
            ("2027-01-15T00:00:00-08:00", 1_800_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
        ] {
            assert_eq!(parse(text), Ok(NumericDate::from_seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn each_day_is_read_as_it_is_written() {
        for day in (-40_000..60_000).map(|day| day * 86_400 + 3_661) {
            let written = date(NumericDate::from_seconds(day));
            assert_eq!(parse(&written), Ok(NumericDate::from_seconds(day)), "{written}");
        }
    }

    #[test]
    fn what_is_no_time_is_an_error() {
        for text in [
            "",
            "noon",
            "1.5",
            "2027-01-15",
            "2027-01-15T08:00:00",
            "2027-02-29T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-01-15T24:00:00Z",
            "2027-01-15T08:00:00.Z",
            "2027-1-15T08:00:00Z",
            "2027-01-15T08:00:00Zulu",
            "2027-01-15T08:00:00+0100",
            "2027-01-15T08:00:00+24:00",
            "+027-01-15T08:00:00Z",
            "99999999999999999999",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
