//! The revocations in the memory of one replica.

mod absorb;
mod fingerprint;
mod kind;
mod table;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{
            AtomicU8,
            Ordering::{Acquire, Release},
        },
    },
};

use tokio::sync::watch;

pub(crate) use self::fingerprint::IssuerName;
use self::{
    fingerprint::HashKey,
    kind::{KindSet, Retired, drop_unused},
    table::{Entry, Times},
};
use super::{Revocation, Revoked};
use crate::NumericDate;

/// The most entries of one kind. They take 3 GB or, with a cut-off time, 4 GB.
const MAX_ENTRIES: usize = 1 << 26;

/// How many entries can be added where requests are handled: it takes some hundred microseconds.
const MAX_QUICK: usize = 1_000;

/// The revocations in the memory of one replica.
///
/// A look-up takes no lock and never waits. A writer may copy a table, which takes a few tens of
/// milliseconds for a million entries: call [`insert`](Self::insert) and
/// [`drop_expired`](Self::drop_expired) where that is no harm.
///
/// An entry is kept as a hash of 128 bits with the times that belong to it. It leaves the set by
/// [`drop_expired`](Self::drop_expired) only.
pub(crate) struct RevokedSet {
    key: HashKey,
    /// A bit for each kind that has entries.
    present: AtomicU8,
    token: KindSet,
    subject: KindSet,
    session: KindSet,
    client: KindSet,
    public_key: KindSet,
    /// Locked by the one writer.
    writer: Mutex<Retired>,
    changes: watch::Sender<u64>,
}

/// What the tokens of one request are looked up by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Question<'q> {
    pub(crate) issuer: &'q str,
    /// An issuer whose key for ids is at hand, most often this one.
    pub(crate) known_issuer: Option<&'q IssuerName>,
    pub(crate) jti: Option<&'q str>,
    pub(crate) subject: Option<&'q str>,
    pub(crate) session: Option<&'q str>,
    pub(crate) client: Option<&'q str>,
    /// The RFC 7638 thumbprint of the key that verified the token.
    pub(crate) thumbprint: Option<&'q str>,
    /// Without it, any entry for the subject or client revokes the token.
    pub(crate) issued_at: Option<NumericDate>,
}

/// The set has no room for more entries. Those that there was no room for are not in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SetFull;

impl RevokedSet {
    pub(crate) fn new() -> Self {
        Self::with_limit(MAX_ENTRIES)
    }

    pub(super) fn with_limit(max_entries: usize) -> Self {
        let [token, subject, session, client, public_key] =
            [false, true, false, true, false].map(|cut_off| KindSet::new(cut_off, max_entries));
        Self {
            key: HashKey::of_process(),
            present: AtomicU8::new(0),
            token,
            subject,
            session,
            client,
            public_key,
            writer: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// Returns the kind of an entry that revokes the token.
    #[inline]
    pub(crate) fn find(&self, question: &Question<'_>) -> Option<&'static str> {
        let present = self.present.load(Acquire);
        if present == 0 {
            return None;
        }
        self.find_in(present, question)
    }

    fn find_in(&self, present: u8, question: &Question<'_>) -> Option<&'static str> {
        let known = question.known_issuer.and_then(|known| known.key_of(question.issuer));
        let key = known.unwrap_or_else(|| self.key.issuer(question.issuer));
        let issued_at = question.issued_at.map_or(0, cut_off_value);
        let is_revoked = |kind: Kind, id: Option<&str>| {
            let Some(id) = id.filter(|_| present & kind.bit() != 0) else { return false };
            let cut_off = self.of_kind(kind).cut_off(key.fingerprint(id));
            // There is a cut-off of 0 in the tables without.
            cut_off.is_some_and(|cut_off| !kind.has_cut_off() || issued_at <= cut_off)
        };
        let ids = [
            (Kind::Token, question.jti),
            (Kind::Subject, question.subject),
            (Kind::Session, question.session),
            (Kind::Client, question.client),
            (Kind::Key, question.thumbprint),
        ];
        ids.into_iter().find(|(kind, id)| is_revoked(*kind, *id)).map(|(kind, _)| kind.name())
    }

    /// As [`insert`](Self::insert), if that takes no longer than a millisecond; else returns `None`.
    pub(crate) fn try_insert(&self, entries: &[Revocation]) -> Option<Result<(), SetFull>> {
        let is_quick = |kind| self.of_kind(kind).takes_quickly(entries.len());
        if entries.len() > MAX_QUICK || !Kind::ALL.into_iter().all(is_quick) {
            return None;
        }
        match self.writer.try_lock() {
            Ok(retired) => Some(self.insert_by(retired, entries)),
            Err(TryLockError::Poisoned(error)) => Some(self.insert_by(error.into_inner(), entries)),
            // It may be held for a long time, to copy a table.
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Adds entries, or merges them with those there are: the later `until` and the later cut-off count.
    /// When this returns, every look-up that starts finds them.
    pub(crate) fn insert<'e>(
        &self,
        entries: impl IntoIterator<Item = &'e Revocation>,
    ) -> Result<(), SetFull> {
        self.insert_by(self.writer.lock().unwrap_or_else(PoisonError::into_inner), entries)
    }

    fn insert_by<'e>(
        &self,
        mut retired: MutexGuard<'_, Retired>,
        entries: impl IntoIterator<Item = &'e Revocation>,
    ) -> Result<(), SetFull> {
        let mut outcome = Ok(());
        for revocation in entries {
            let kind = Kind::of(&revocation.revoked);
            let fingerprint =
                self.key.issuer(&revocation.issuer).fingerprint(revocation.revoked.id());
            let times = Times {
                until: revocation.until.map_or(u64::MAX, until_value),
                cut_off: revocation.revoked.issued_until().map_or(0, cut_off_value),
            };
            let added = self.of_kind(kind).add(Entry { fingerprint, times }, &mut retired);
            if self.present.load(Acquire) & kind.bit() == 0 {
                self.present.fetch_or(kind.bit(), Release);
            }
            outcome = outcome.and(added);
        }
        drop_unused(&mut retired);
        drop(retired);
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        outcome
    }

    /// Drops the entries that nothing needs any more at this time. A few of them may stay until there are
    /// more, because a table is copied for that.
    pub(crate) fn drop_expired(&self, now: NumericDate) {
        let mut retired = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in Kind::ALL {
            let set = self.of_kind(kind);
            set.drop_expired(until_value(now), &mut retired);
            if set.len() == 0 {
                self.present.fetch_and(!kind.bit(), Release);
            }
        }
    }

    /// Returns how many entries there are, of all kinds.
    pub(crate) fn len(&self) -> usize {
        Kind::ALL.into_iter().map(|kind| self.of_kind(kind).len()).sum()
    }

    /// Returns a receiver that changes after entries were added.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    #[inline]
    fn of_kind(&self, kind: Kind) -> &KindSet {
        match kind {
            Kind::Token => &self.token,
            Kind::Subject => &self.subject,
            Kind::Session => &self.session,
            Kind::Client => &self.client,
            Kind::Key => &self.public_key,
        }
    }
}

impl fmt::Debug for RevokedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the key nor the hashes.
        f.debug_struct("RevokedSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// What is revoked by an entry, without its id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Token,
    Subject,
    Session,
    Client,
    Key,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Token, Self::Subject, Self::Session, Self::Client, Self::Key];

    fn of(revoked: &Revoked) -> Self {
        match revoked {
            Revoked::Token(_) => Self::Token,
            Revoked::Subject(..) => Self::Subject,
            Revoked::Session(_) => Self::Session,
            Revoked::Client(..) => Self::Client,
            Revoked::Key(_) => Self::Key,
        }
    }

    #[inline]
    fn has_cut_off(self) -> bool {
        matches!(self, Self::Subject | Self::Client)
    }

    #[inline]
    fn bit(self) -> u8 {
        match self {
            Self::Token => 1,
            Self::Subject => 2,
            Self::Session => 4,
            Self::Client => 8,
            Self::Key => 16,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Subject => "subject",
            Self::Session => "session",
            Self::Client => "client",
            Self::Key => "key",
        }
    }
}

/// Returns whole seconds as an unsigned integer in the same order. A fraction is dropped on both sides of a
/// comparison: a token that was issued later in the second of the cut-off is revoked.
#[inline]
fn cut_off_value(time: NumericDate) -> u64 {
    time.seconds().cast_unsigned() ^ (1 << 63)
}

/// Returns the end of the second of a time, as [`cut_off_value`]; `u64::MAX` means forever.
fn until_value(time: NumericDate) -> u64 {
    cut_off_value(time).saturating_add(1)
}
