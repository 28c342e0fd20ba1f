//! Values and times as people read them.

use crate::NumericDate;

/// How much of a value is shown, in characters.
const MAX_SHOWN: usize = 120;

/// Returns a text between backticks. What a terminal could take for a command, or what would change
/// the order of the letters, is escaped, and what is very long is cut.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut shown = String::from("`");
    for character in text.chars().take(MAX_SHOWN) {
        push_printable(&mut shown, character);
    }
    shown.push_str(if text.chars().nth(MAX_SHOWN).is_some() { "…`" } else { "`" });
    shown
}

/// Returns a text in which nothing is left that a terminal could take for a command.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|character| push_printable(&mut shown, character));
    shown
}

fn push_printable(shown: &mut String, character: char) {
    match character {
        '"' | '\'' | '\\' => shown.push(character),
        _ => shown.extend(character.escape_debug()),
    }
}

/// Returns several texts, each between backticks, with `or` before the last.
pub(super) fn any_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    const MAX: usize = 8;
    let all: Vec<_> = texts.into_iter().map(quoted).collect();
    let more = all.len().saturating_sub(MAX);
    match all.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] if more == 0 => format!("{} or {last}", first.join(", ")),
        many => {
            let shown: Vec<_> = many.iter().take(MAX).cloned().collect();
            format!("{} and {more} more", shown.join(", "))
        }
    }
}

/// Returns a date as RFC 3339 writes it, in UTC, to the second: `2027-01-15T08:00:00Z`. A date outside
/// of the years 0 to 9999 is given in seconds.
#[must_use]
pub fn date(date: NumericDate) -> String {
    const DAY: i64 = 86_400;
    let seconds = date.seconds();
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    if !(-719_528..=2_932_896).contains(&days) {
        return format!("{seconds} seconds since 1970");
    }
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a number of days since 1970: counted from the first of March of the year 0, so
/// that the day which a leap year adds comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Returns how far a date is from now: `in 5 minutes`, `2 hours ago`, `now`.
#[must_use]
pub fn relative(date: NumericDate, now: NumericDate) -> String {
    if date.seconds() == now.seconds() {
        "now".to_owned()
    } else if date > now {
        format!("in {}", span(date.saturating_since(now).as_secs()))
    } else {
        format!("{} ago", span(now.saturating_since(date).as_secs()))
    }
}

/// Returns a number of seconds in words, with the two largest units: `1 hour 5 minutes`.
#[must_use]
pub fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 5] =
        [(31_557_600, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            parts.push(format!("{count} {unit}{plural}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}
