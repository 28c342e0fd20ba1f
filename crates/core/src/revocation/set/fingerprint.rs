//! Keyed hashes of what is revoked.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use siphasher::sip128::SipHasher13;

/// The random key of this process, so that a set can take over the entries of another one.
///
/// Ids come from tokens, and an issuer may let its users choose some of them. The key is random for each
/// process, and neither the key nor a hash leaves the process. SipHash is a keyed pseudorandom function: without
/// the key, ids whose hashes collide or share a place in the table can only be found by chance. That is not
/// true of faster hashes such as foldhash, whose seed is not from a secure source of randomness either.
#[derive(Clone)]
pub(super) struct HashKey(SipHasher13);

impl HashKey {
    pub(super) fn of_process() -> Self {
        static KEY: LazyLock<HashKey> = LazyLock::new(HashKey::random);
        KEY.clone()
    }

    pub(super) fn random() -> Self {
        // The standard library takes the 128 bits of this state from the operating system.
        let random = RandomState::new();
        Self(SipHasher13::new_with_keys(random.hash_one(0_u8), random.hash_one(1_u8)))
    }

    /// Makes the key for the ids of one issuer.
    #[inline]
    pub(super) fn issuer(&self, issuer: &str) -> IssuerKey {
        let hash = self.0.hash(issuer.as_bytes());
        IssuerKey(SipHasher13::new_with_keys(hash.h1, hash.h2))
    }
}

/// The random key for the ids of one issuer.
#[derive(Clone, Copy)]
pub(super) struct IssuerKey(SipHasher13);

impl IssuerKey {
    #[inline]
    pub(super) fn fingerprint(&self, id: &str) -> Fingerprint {
        let hash = self.0.hash(id.as_bytes());
        Fingerprint { place: hash.h1, check: hash.h2 }
    }
}

/// The name of an issuer, with the key for its ids: to make the key takes as long as a look-up.
#[derive(Clone)]
pub(crate) struct IssuerName {
    name: String,
    key: IssuerKey,
}

impl IssuerName {
    pub(crate) fn new(name: String) -> Self {
        Self { key: HashKey::of_process().issuer(&name), name }
    }

    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// Returns the key, if this is the name of an issuer.
    #[inline]
    pub(super) fn key_of(&self, issuer: &str) -> Option<IssuerKey> {
        (self.name == issuer).then_some(self.key)
    }
}

impl fmt::Debug for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the key.
        self.name.fmt(f)
    }
}

/// A hash of 128 bits. Among 100,000,000 entries, a look-up finds an entry of another id by chance once in
/// 10^30 times; the result is a token that is rejected, never one that is accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fingerprint {
    /// The half that decides where the entry is in a table.
    pub(super) place: u64,
    pub(super) check: u64,
}

impl Fingerprint {
    /// Returns a few bits of it: a number from 1 to 255.
    #[inline]
    pub(super) fn mark(self) -> u64 {
        (self.check & 0xff).max(1)
    }
}
