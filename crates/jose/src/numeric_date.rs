//! `NumericDate` of [RFC 7519 §2].
//!
//! [RFC 7519 §2]: https://www.rfc-editor.org/rfc/rfc7519#section-2

use std::time::Duration;

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// A point in time: seconds since 1970-01-01T00:00:00Z, with a fraction kept to the nanosecond.
///
/// [RFC 7519 §2] allows "non-integer values". The decimal text of the token is read exactly, never
/// through a float, so that no date moves by rounding. All arithmetic saturates.
///
/// [RFC 7519 §2]: https://www.rfc-editor.org/rfc/rfc7519#section-2
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NumericDate {
    seconds: i64,
    nanos: u32,
}

impl NumericDate {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self::from_seconds(0);

    /// Creates a date from whole seconds since the epoch.
    #[inline]
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// Returns the whole seconds since the epoch, rounded down.
    #[inline]
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Returns the date without its fraction, towards 1970.
    #[inline]
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        // The fraction of a date before 1970 is what it lies *behind* the second.
        let towards_epoch = self.seconds < 0 && self.nanos > 0;
        Self::from_seconds(self.seconds.saturating_add(i64::from(towards_epoch)))
    }

    /// Returns the date this much later, or the last date there is.
    #[inline]
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let nanos = self.nanos.saturating_add(duration.subsec_nanos());
        let (carry, nanos) = match nanos.checked_sub(NANOS_PER_SECOND) {
            Some(rest) => (1, rest),
            None => (0, nanos),
        };
        match self.seconds.checked_add(seconds).and_then(|seconds| seconds.checked_add(carry)) {
            Some(seconds) => Self { seconds, nanos },
            None => Self { seconds: i64::MAX, nanos: NANOS_PER_SECOND - 1 },
        }
    }

    /// Returns the date this much earlier, or the first date there is.
    #[inline]
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let (borrow, nanos) = match self.nanos.checked_sub(duration.subsec_nanos()) {
            Some(rest) => (0, rest),
            None => (1, self.nanos.saturating_add(NANOS_PER_SECOND - duration.subsec_nanos())),
        };
        match self.seconds.checked_sub(seconds).and_then(|seconds| seconds.checked_sub(borrow)) {
            Some(seconds) => Self { seconds, nanos },
            None => Self { seconds: i64::MIN, nanos: 0 },
        }
    }

    /// Returns the time from `earlier` to `self`, or zero if `earlier` is later.
    #[inline]
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let (borrow, nanos) = match self.nanos.checked_sub(earlier.nanos) {
            Some(rest) => (0, rest),
            None => (1, self.nanos.saturating_add(NANOS_PER_SECOND - earlier.nanos)),
        };
        let seconds = self.seconds.abs_diff(earlier.seconds).saturating_sub(borrow);
        Duration::new(seconds, nanos)
    }

    /// Reads the text of a JSON number; `None` if it lies outside what an `i64` of seconds holds.
    ///
    /// The text must be that of a number which [`json`](crate::json) has read: its grammar is not checked.
    #[inline]
    #[must_use]
    pub fn from_json_number(text: &str) -> Option<Self> {
        match whole_seconds(text) {
            Some(seconds) => Some(Self::from_seconds(seconds)),
            None => Decimal::parse(text)?.to_date(),
        }
    }
}

/// Reads plain digits; dates have ten for the next two hundred years. `None` for any other form.
#[inline]
fn whole_seconds(text: &str) -> Option<i64> {
    // Too few to overflow, whatever the bytes are.
    if text.len() > 16 {
        return None;
    }
    let (words, tail) = text.as_bytes().as_chunks();
    let mut seconds = 0;
    for word in words {
        seconds = seconds * 100_000_000 + eight_digits(*word)?;
    }
    for digit in tail.iter().map(|byte| byte.wrapping_sub(b'0')) {
        if digit > 9 {
            return None;
        }
        seconds = seconds * 10 + u64::from(digit);
    }
    i64::try_from(seconds).ok()
}

/// The upper half of each byte.
const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;

/// Tells whether all eight bytes are digits.
#[inline]
pub(crate) const fn are_digits(text: [u8; 8]) -> bool {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    let word = u64::from_le_bytes(text);
    // Digits lie from 0x30 to 0x39: what six more takes past 0x3f is none. Where the first
    // comparison holds, nothing is carried from byte to byte in the second.
    word & HIGH == ZEROS && word.wrapping_add(SIXES) & HIGH == ZEROS
}

/// Reads eight digits at once: neighbours are put together to pairs, pairs to fours, fours to eight.
#[inline]
const fn eight_digits(text: [u8; 8]) -> Option<u64> {
    if !are_digits(text) {
        return None;
    }
    let digits = u64::from_le_bytes(text) & !HIGH;
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) & 0xffff_ffff)
}

/// A JSON number taken apart: sign, digits before and after the point, and exponent.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Some(Self { negative, whole, fraction, exponent })
    }

    fn to_date(&self) -> Option<NumericDate> {
        let digits = || self.whole.bytes().chain(self.fraction.bytes());
        if digits().all(|digit| digit == b'0') {
            return Some(NumericDate::EPOCH);
        }
        let point = i64::try_from(self.whole.len()).ok()?.checked_add(self.exponent)?;
        let mut seconds = 0_i64;
        let mut nanos = 0_u32;
        // Position of the digit relative to the decimal point: below it whole seconds, from it on
        // nine places of fraction.
        let mut place = point.checked_neg()?;
        for digit in digits().map(|digit| digit.saturating_sub(b'0')) {
            if place < 0 {
                seconds = seconds.checked_mul(10)?.checked_add(i64::from(digit))?;
            } else if place < 9 {
                let exponent = u32::try_from(8 - place).ok()?;
                nanos = nanos.checked_add(u32::from(digit).checked_mul(10_u32.pow(exponent))?)?;
            }
            place = place.checked_add(1)?;
        }
        while place < 0 {
            seconds = seconds.checked_mul(10)?;
            place += 1;
        }
        Some(match (self.negative, nanos) {
            (false, _) => NumericDate { seconds, nanos },
            (true, 0) => NumericDate { seconds: -seconds, nanos: 0 },
            (true, _) => {
                NumericDate { seconds: (-seconds).checked_sub(1)?, nanos: NANOS_PER_SECOND - nanos }
            }
        })
    }
}

/// Reads an exponent; one too long for any date saturates, keeping its sign.
fn exponent_of(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let value = digits.parse::<i64>().unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(seconds: i64, nanos: u32) -> Option<NumericDate> {
        Some(NumericDate { seconds, nanos })
    }

    #[test]
    fn reads_integers_and_decimals_exactly() {
        for (text, expected) in [
            ("0", date(0, 0)),
            ("-0", date(0, 0)),
            ("1700000000", date(1_700_000_000, 0)),
            ("1.5", date(1, 500_000_000)),
            ("1700000000.9999999999", date(1_700_000_000, 999_999_999)),
            ("9007199254740993", date(9_007_199_254_740_993, 0)),
            ("9223372036854775807", date(i64::MAX, 0)),
            ("-1", date(-1, 0)),
            ("-1.25", date(-2, 750_000_000)),
            ("17e8", date(1_700_000_000, 0)),
            ("1.7E+9", date(1_700_000_000, 0)),
            ("1700000000000e-3", date(1_700_000_000, 0)),
            ("12e-1", date(1, 200_000_000)),
            ("1e-9", date(0, 1)),
            ("1e-10", date(0, 0)),
            ("0e999", date(0, 0)),
            ("0.000e99999999999999999999", date(0, 0)),
            ("1e-99999999999999999999", date(0, 0)),
            ("000", date(0, 0)),
        ] {
            assert_eq!(NumericDate::from_json_number(text), expected, "{text}");
        }
    }

    #[test]
    fn fractions_are_cut_off_towards_1970() {
        for (text, seconds) in
            [("1.9", 1), ("1", 1), ("0.5", 0), ("1e-9", 0), ("-0.5", 0), ("-1", -1), ("-1.5", -1)]
        {
            let whole = NumericDate::from_json_number(text).map(NumericDate::whole_seconds);
            assert_eq!(whole, date(seconds, 0), "{text}");
        }
    }

    #[test]
    fn plain_digits_are_read_as_the_number_they_write() {
        for len in 1..=17 {
            for digits in ["98765432109876543", "10000000000000000", "99999999999999999"] {
                let text = digits.get(..len).unwrap();
                assert_eq!(NumericDate::from_json_number(text), date(text.parse().unwrap(), 0));
            }
        }
    }

    #[test]
    fn a_byte_that_is_no_digit_is_found_wherever_it_stands() {
        for byte in (0..0x80).filter(|byte: &u8| !byte.is_ascii_digit()) {
            for place in 0..16 {
                let mut text = *b"1234567890123456";
                text[place] = byte;
                assert_eq!(whole_seconds(std::str::from_utf8(&text).unwrap()), None, "{byte:#x}");
            }
        }
    }

    #[test]
    fn rejects_what_no_date_can_hold() {
        for text in ["1e999", "-1e999", "9223372036854775808", "1e19", "1e99999999999999999999"] {
            assert_eq!(NumericDate::from_json_number(text), None, "{text}");
        }
    }

    #[test]
    fn arithmetic_carries_and_saturates() {
        let half = NumericDate { seconds: 1, nanos: 500_000_000 };
        let late = NumericDate::from_seconds(i64::MAX);
        assert_eq!(Some(half.saturating_add(Duration::from_millis(700))), date(2, 200_000_000));
        assert_eq!(Some(half.saturating_sub(Duration::from_millis(700))), date(0, 800_000_000));
        assert_eq!(late.saturating_add(Duration::MAX).seconds(), i64::MAX);
        assert_eq!(
            NumericDate::from_seconds(i64::MIN).saturating_sub(Duration::from_secs(1)).seconds(),
            i64::MIN
        );
        let edge = NumericDate { seconds: i64::MAX, nanos: 600_000_000 };
        assert!(edge.saturating_add(Duration::from_millis(600)) >= edge);
        assert_eq!(half.saturating_since(NumericDate::EPOCH), Duration::from_millis(1500));
        assert_eq!(NumericDate::EPOCH.saturating_since(half), Duration::ZERO);
        assert_eq!(
            NumericDate { seconds: 2, nanos: 0 }.saturating_since(half),
            Duration::from_millis(500)
        );
    }
}
