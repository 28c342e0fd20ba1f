//! What a token is looked up by in a store, in strict mode.

use super::{Revocation, Revoked, set::Question};
use crate::NumericDate;

impl Question<'_> {
    /// Returns the kinds and ids to look for. The times in them have no meaning.
    pub(crate) fn wanted(&self) -> Vec<Revocation> {
        let cut_off = NumericDate::EPOCH;
        let revoked = [
            self.jti.map(|id| Revoked::Token(id.into())),
            self.subject.map(|id| Revoked::Subject(id.into(), cut_off)),
            self.session.map(|id| Revoked::Session(id.into())),
            self.client.map(|id| Revoked::Client(id.into(), cut_off)),
            self.thumbprint.map(|id| Revoked::Key(id.into())),
        ];
        revoked.into_iter().flatten().map(|revoked| Revocation::new(self.issuer, revoked)).collect()
    }

    /// Tells whether an entry revokes the token.
    pub(crate) fn is_revoked_by(&self, entry: &Revocation) -> bool {
        let id = match &entry.revoked {
            Revoked::Token(_) => self.jti,
            Revoked::Subject(..) => self.subject,
            Revoked::Session(_) => self.session,
            Revoked::Client(..) => self.client,
            Revoked::Key(_) => self.thumbprint,
        };
        *entry.issuer == *self.issuer
            && id == Some(entry.revoked.id())
            && self.was_issued_until(entry.revoked.issued_until())
    }

    /// Tells whether the token was issued at or before a cut-off, in whole seconds. One without `iat` was.
    fn was_issued_until(&self, cut_off: Option<NumericDate>) -> bool {
        match (self.issued_at, cut_off) {
            (Some(issued_at), Some(cut_off)) => issued_at.seconds() <= cut_off.seconds(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question<'static> {
        Question {
            issuer: "i",
            known_issuer: None,
            jti: Some("1"),
            subject: Some("2"),
            session: Some("3"),
            client: Some("4"),
            thumbprint: Some("5"),
            issued_at: Some(NumericDate::from_seconds(100)),
        }
    }

    fn entries(cut_off: i64) -> [Revocation; 5] {
        let cut_off = NumericDate::from_seconds(cut_off);
        let revoked = [
            Revoked::Token("1".into()),
            Revoked::Subject("2".into(), cut_off),
            Revoked::Session("3".into()),
            Revoked::Client("4".into(), cut_off),
            Revoked::Key("5".into()),
        ];
        revoked.map(|revoked| Revocation::new("i", revoked))
    }

    #[test]
    fn a_question_looks_for_every_kind_and_is_answered_by_each() {
        let names = |entries: &[Revocation]| -> Vec<_> {
            entries.iter().map(|e| (e.revoked.kind(), e.revoked.id().to_owned())).collect()
        };
        assert_eq!(names(&question().wanted()), names(&entries(100)));
        for entry in entries(100) {
            assert!(question().is_revoked_by(&entry), "{entry:?}");
            let other = Revocation { issuer: "j".into(), ..entry.clone() };
            assert!(!question().is_revoked_by(&other), "{other:?}");
            let unlike = Question { issuer: "i", ..Question::default() };
            assert!(!unlike.is_revoked_by(&entry), "{entry:?}");
        }
    }

    #[test]
    fn a_cut_off_counts_in_whole_seconds_and_for_tokens_without_a_date() {
        let [_, subject, _, client, _] = entries(100);
        for entry in [subject, client] {
            for (issued_at, revoked) in [
                (Some(NumericDate::from_seconds(100)), true),
                (NumericDate::from_json_number("100.999"), true),
                (Some(NumericDate::from_seconds(101)), false),
                (None, true),
            ] {
                let question = Question { issued_at, ..question() };
                assert_eq!(question.is_revoked_by(&entry), revoked, "{entry:?} {issued_at:?}");
            }
        }
    }
}
