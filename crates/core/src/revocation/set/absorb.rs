//! One set takes over the entries of another one.

use std::sync::{PoisonError, atomic::Ordering::Release};

use super::{Kind, RevokedSet, SetFull, kind::drop_unused};

impl RevokedSet {
    /// Adds the entries of another set of this process, which stays as it is.
    pub(crate) fn absorb(&self, other: &Self) -> Result<(), SetFull> {
        let mut retired = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcome = Ok(());
        for kind in Kind::ALL.into_iter().filter(|kind| other.of_kind(*kind).len() > 0) {
            for entry in other.of_kind(kind).table().entries() {
                outcome = outcome.and(self.of_kind(kind).add(entry, &mut retired));
            }
            self.present.fetch_or(kind.bit(), Release);
        }
        drop_unused(&mut retired);
        drop(retired);
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        NumericDate,
        revocation::{
            Revocation, Revoked,
            set::{Question, RevokedSet},
        },
    };

    #[test]
    fn a_set_takes_over_every_kind_of_entry() {
        let (old, new) = (RevokedSet::new(), RevokedSet::new());
        let cut_off = NumericDate::from_seconds(100);
        let revoked = [
            Revoked::Token("1".into()),
            Revoked::Subject("2".into(), cut_off),
            Revoked::Session("3".into()),
            Revoked::Client("4".into(), cut_off),
            Revoked::Key("5".into()),
        ];
        let entries = revoked.map(|revoked| Revocation::new("i", revoked));
        old.insert(&entries).unwrap();
        let mut changes = new.changes();
        new.absorb(&old).unwrap();
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert_eq!((new.len(), old.len()), (5, 5));
        let issued_at = Some(cut_off);
        for question in [
            Question { jti: Some("1"), ..Question::default() },
            Question { subject: Some("2"), issued_at, ..Question::default() },
            Question { session: Some("3"), ..Question::default() },
            Question { client: Some("4"), issued_at, ..Question::default() },
            Question { thumbprint: Some("5"), ..Question::default() },
        ] {
            let question = Question { issuer: "i", ..question };
            assert!(new.find(&question).is_some(), "{question:?}");
        }
    }
}
