use super::{date, printable, quoted, relative, span, words::any_of};
use crate::NumericDate;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}

#[test]
fn dates_are_written_as_rfc_3339_has_it() {
    let cases = [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_800_000_000, "2027-01-15T08:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (-62_167_219_200, "0000-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, "253402300800 seconds since 1970"),
        (i64::MIN, "-9223372036854775808 seconds since 1970"),
        (i64::MAX, "9223372036854775807 seconds since 1970"),
    ];
    for (seconds, expected) in cases {
        assert_eq!(date(at(seconds)), expected);
    }
}

#[test]
fn spans_have_two_units_at_most() {
    let cases = [
        (0, "0 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (3661, "1 hour 1 minute"),
        (3601, "1 hour"),
        (90_000, "1 day 1 hour"),
        (u64::MAX, "584542046090 years 228 days"),
    ];
    for (seconds, expected) in cases {
        assert_eq!(span(seconds), expected);
    }
    assert_eq!(relative(at(100), at(40)), "in 1 minute");
    assert_eq!(relative(at(40), at(100)), "1 minute ago");
    assert_eq!(relative(at(40), at(40)), "now");
}

#[test]
fn what_a_terminal_would_obey_is_escaped() {
    assert_eq!(quoted("\u{1b}[31mred"), "`\\u{1b}[31mred`");
    assert_eq!(quoted("a\u{202e}b"), "`a\\u{202e}b`");
    assert_eq!(printable("\u{9b}2J \u{7f}\r\n\"é\""), "\\u{9b}2J \\u{7f}\\r\\n\"é\"");
    let long = quoted(&"x".repeat(1000));
    assert!(long.chars().count() == 123 && long.ends_with("…`"), "{long}");
}

#[test]
fn lists_are_cut_after_eight() {
    assert_eq!(any_of([]), "nothing");
    assert_eq!(any_of(["a"]), "`a`");
    assert_eq!(any_of(["a", "b", "c"]), "`a`, `b` or `c`");
    assert!(any_of(["a"; 100]).ends_with("`a` and 92 more"));
}
