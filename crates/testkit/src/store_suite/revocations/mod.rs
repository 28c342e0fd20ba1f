//! The properties of a store of revocations.

pub(super) mod clean_up;
pub(super) mod entries;
pub(super) mod feed;
pub(super) mod find;
mod follower;
pub(super) mod merge;

use std::collections::HashMap;

use portcullis::{
    NumericDate,
    revocation::{Revocation, Revoked},
};

/// What an entry is about: issuer, kind and id.
type Key = (Box<str>, &'static str, Box<str>);

fn key(entry: &Revocation) -> Key {
    (entry.issuer.clone(), entry.revoked.kind(), entry.revoked.id().into())
}

/// Merges the entries of each key: a store may return an entry more than once.
fn merged<'a>(entries: impl IntoIterator<Item = &'a Revocation>) -> HashMap<Key, Revocation> {
    let mut all = HashMap::new();
    for entry in entries {
        merge_into(&mut all, entry.clone());
    }
    all
}

fn merge_into(all: &mut HashMap<Key, Revocation>, entry: Revocation) {
    let key = key(&entry);
    let entry = match all.remove(&key) {
        Some(earlier) => merge(&earlier, entry),
        None => entry,
    };
    all.insert(key, entry);
}

/// The later end counts, where no end is the latest, and the later cut-off.
fn merge(earlier: &Revocation, mut entry: Revocation) -> Revocation {
    entry.until = earlier.until.zip(entry.until).map(|(one, other)| one.max(other));
    let cut_off = earlier.revoked.issued_until();
    if let (Revoked::Subject(_, time) | Revoked::Client(_, time), Some(cut_off)) =
        (&mut entry.revoked, cut_off)
    {
        *time = cut_off.max(*time);
    }
    entry
}

/// Whether an entry that was read stands for the one that was added: it must not end earlier. A store may
/// round the end up to a second, and may keep an entry longer than a date that it cannot represent.
fn covers(read: &Revocation, added: &Revocation) -> bool {
    let ends_no_earlier = match (read.until, added.until) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(read), Some(added)) => read >= added,
    };
    ends_no_earlier && read.issuer == added.issuer && read.revoked == added.revoked
}

fn seconds(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}
