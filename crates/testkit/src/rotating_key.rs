//! The key of one algorithm, and those that came before it.

use std::{
    iter,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use portcullis::Algorithm;

use crate::{SigningKey, key::SharedRsa};

/// A list of keys, oldest first. Keys are added and never taken away, so that they can be lent.
#[derive(Debug)]
pub(crate) struct RotatingKey {
    algorithm: Algorithm,
    rsa: Arc<SharedRsa>,
    first: OnceLock<Box<Generation>>,
    retired: AtomicUsize,
}

#[derive(Debug)]
struct Generation {
    key: SigningKey,
    next: OnceLock<Box<Self>>,
}

impl RotatingKey {
    /// The first key is generated when it is first used.
    pub(crate) fn new(algorithm: Algorithm, rsa: Arc<SharedRsa>) -> Self {
        Self { algorithm, rsa, first: OnceLock::new(), retired: AtomicUsize::new(0) }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn current(&self) -> &SigningKey {
        let first = self.first();
        self.generations().last().map_or(&first.key, |newest| &newest.key)
    }

    pub(crate) fn rotate(&self) {
        let mut newest = self.first();
        let mut count = 1;
        loop {
            while let Some(next) = newest.next.get() {
                newest = next;
                count += 1;
            }
            let key_id = format!("{}-{}", key_id(self.algorithm), count + 1);
            let key = SigningKey::generate(self.algorithm, key_id);
            // Another thread may have been faster; then this rotation comes after its own.
            if newest.next.set(Generation::new(key)).is_ok() {
                return;
            }
        }
    }

    /// Retires all keys but so many of the newest, and never the current one.
    pub(crate) fn retire_all_but(&self, newest: usize) {
        let old = self.generations().count().saturating_sub(newest.max(1));
        self.retired.fetch_max(old, Ordering::Relaxed);
    }

    /// Returns the keys that are not retired, oldest first.
    pub(crate) fn published(&self) -> impl Iterator<Item = &SigningKey> {
        let retired = self.retired.load(Ordering::Relaxed);
        self.generations().skip(retired).map(|generation| &generation.key)
    }

    fn generations(&self) -> impl Iterator<Item = &Generation> {
        iter::successors(Some(self.first()), |generation| generation.next.get().map(Box::as_ref))
    }

    fn first(&self) -> &Generation {
        self.first.get_or_init(|| {
            let key_id = key_id(self.algorithm);
            Generation::new(SigningKey::generate_sharing(&self.rsa, self.algorithm, key_id))
        })
    }
}

impl Generation {
    fn new(key: SigningKey) -> Box<Self> {
        Box::new(Self { key, next: OnceLock::new() })
    }
}

fn key_id(algorithm: Algorithm) -> String {
    algorithm.name().to_lowercase()
}
