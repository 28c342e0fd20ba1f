//! Entries as the text and times that the keys hold.

use std::time::Duration;

use portcullis::{
    NumericDate,
    revocation::{Revocation, Revoked},
};

/// Returns the text of an entry, without its times: kind, length of the issuer, issuer, id. The length
/// separates issuer and id, whatever characters they have.
pub(crate) fn entry_text(entry: &Revocation) -> String {
    let Revocation { issuer, revoked, .. } = entry;
    format!("{}:{}:{issuer}{}", revoked.kind(), issuer.len(), revoked.id())
}

/// Returns the text of a used token.
pub(crate) fn used_text(issuer: &str, jti: &str) -> String {
    format!("{}:{issuer}{jti}", issuer.len())
}

/// Reads an entry from its text and times; `None` if this version did not write it.
pub(crate) fn parse_entry(text: &str, times: &str) -> Option<Revocation> {
    let (kind, rest) = text.split_once(':')?;
    let (length, rest) = rest.split_once(':')?;
    let (issuer, id) = rest.split_at_checked(length.parse().ok()?)?;
    let (cut_off, until) = times.split_once(',')?;
    let revoked = Revoked::from_parts(kind, id, parse_time(cut_off)?)?;
    let mut entry = Revocation::new(issuer, revoked);
    entry.until = parse_time(until)?;
    Some(entry)
}

/// Returns the text of a cut-off time. It is compared with whole seconds, so its fraction has no meaning.
pub(crate) fn cut_off_text(entry: &Revocation) -> String {
    time_text(entry.revoked.issued_until().map(NumericDate::seconds))
}

/// Returns the text of an entry's end.
pub(crate) fn end_text(entry: &Revocation) -> String {
    time_text(entry.until.map(end_seconds))
}

/// Returns the whole seconds of an end, rounded up: an entry may stay too long, but not too short.
pub(crate) fn end_seconds(end: NumericDate) -> i64 {
    let seconds = end.seconds();
    let has_fraction = end.saturating_since(NumericDate::from_seconds(seconds)) > Duration::ZERO;
    seconds.saturating_add(i64::from(has_fraction))
}

fn time_text(seconds: Option<i64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| seconds.to_string())
}

#[expect(clippy::option_option, reason = "no time, and a text that is not a time")]
fn parse_time(text: &str) -> Option<Option<NumericDate>> {
    if text == "-" {
        return Some(None);
    }
    text.parse().ok().map(|seconds| Some(NumericDate::from_seconds(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let time = NumericDate::from_seconds(1_700_000_000);
        for entry in [
            Revocation::new("https://a.test", Revoked::Token("x:y".into())).until(time),
            Revocation::new("", Revoked::Key("".into())),
            Revocation::new("é:3:", Revoked::Subject("1:a".into(), time)).until(time),
            Revocation::new("a", Revoked::Client("\0".into(), NumericDate::from_seconds(-1))),
        ] {
            let times = format!("{},{}", cut_off_text(&entry), end_text(&entry));
            assert_eq!(parse_entry(&entry_text(&entry), &times), Some(entry));
        }
    }

    #[test]
    fn an_end_with_a_fraction_is_rounded_up() {
        let end = NumericDate::from_seconds(5).saturating_add(Duration::from_nanos(1));
        assert_eq!(end_seconds(end), 6);
        assert_eq!(end_seconds(NumericDate::from_seconds(5)), 5);
    }

    #[test]
    fn an_issuer_and_id_that_differ_have_different_texts() {
        let text = |issuer: &str, id: &str| {
            entry_text(&Revocation::new(issuer, Revoked::Token(id.into())))
        };
        assert_ne!(text("ab", "c"), text("a", "bc"));
        assert_ne!(used_text("ab", "c"), used_text("a", "bc"));
    }

    #[test]
    fn a_text_of_another_form_is_not_an_entry() {
        for (text, times) in [
            ("", "-,-"),
            ("token:9:short", "-,-"),
            ("token:1:éx", "-,-"),
            ("unknown:1:ax", "-,-"),
            ("subject:1:ax", "-,-"),
            ("token:1:ax", "-"),
            ("token:1:ax", "-,soon"),
        ] {
            assert_eq!(parse_entry(text, times), None, "{text} {times}");
        }
    }
}
