//! Reads a store as a replica does: from the start once, and then what changed.

use std::collections::HashMap;

use portcullis::revocation::{Changes, Position, Revocation, RevocationStore};

use super::{Key, covers, key, merge_into};
use crate::store_suite::case::Case;

/// More pages than the suite fills, unless the store returns the same pages forever.
const MOST_PAGES: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Follower {
    position: Option<Position>,
    seen: HashMap<Key, Revocation>,
}

impl Follower {
    /// A replica that has seen nothing, and reads on after a position.
    pub(super) fn after(position: Option<Position>) -> Self {
        Self { position, seen: HashMap::new() }
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.position.clone()
    }

    /// Reads until the store has no more, and starts again if it cannot return what follows the position.
    pub(super) async fn catch_up<S: RevocationStore>(&mut self, case: &Case<S>, store: &S) {
        let mut pages = 0;
        while self.read_page(case, store).await {
            pages += 1;
            case.require(pages < MOST_PAGES, "`has_more` never ends");
        }
    }

    /// Reads one page, and returns whether more follow.
    pub(super) async fn read_page<S: RevocationStore>(
        &mut self,
        case: &Case<S>,
        store: &S,
    ) -> bool {
        match case.read(store, self.position.as_ref()).await {
            Some(changes) => self.apply(case, changes),
            None => {
                self.position = None;
                true
            }
        }
    }

    fn apply<S>(&mut self, case: &Case<S>, changes: Changes) -> bool {
        let is_stuck = changes.has_more && self.position.as_ref() == Some(&changes.position);
        case.require(!is_stuck, "`has_more` is set, and the position is the same");
        self.position = Some(changes.position);
        for entry in changes.entries {
            if entry.issuer.starts_with(&case.issuer) {
                merge_into(&mut self.seen, entry);
            }
        }
        changes.has_more
    }

    pub(super) fn get(&self, entry: &Revocation) -> Option<&Revocation> {
        self.seen.get(&key(entry))
    }

    /// Fails unless each of these entries has been read, with times that are not earlier.
    pub(super) fn require_all<S>(&self, case: &Case<S>, added: &[Revocation], when: &str) {
        let missing: Vec<_> = added
            .iter()
            .filter(|entry| !self.get(entry).is_some_and(|read| covers(read, entry)))
            .collect();
        if let Some(first) = missing.first() {
            case.fail(format_args!(
                "{when}: {} of {} entries were not read, for example {first:?}, read as {:?}",
                missing.len(),
                added.len(),
                self.get(first),
            ));
        }
    }
}
