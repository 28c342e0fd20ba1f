//! Keyed hashes of what is revoked.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::LazyLock,
};

use siphasher::sip128::{Hasher128, SipHasher13};

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

    /// Starts the fingerprints of one issuer.
    #[inline]
    pub(super) fn issuer(&self, issuer: &str) -> IssuerHasher {
        let mut hasher = self.0;
        hasher.write(issuer.as_bytes());
        // Ends the name, as it does in `Hash` for `str`: the byte is not in UTF-8 text.
        hasher.write_u8(0xff);
        IssuerHasher(hasher)
    }
}

/// Hashes the ids of one issuer.
pub(super) struct IssuerHasher(SipHasher13);

impl IssuerHasher {
    #[inline]
    pub(super) fn fingerprint(&self, id: &str) -> Fingerprint {
        let mut hasher = self.0;
        hasher.write(id.as_bytes());
        let hash = hasher.finish128();
        Fingerprint { tag: hash.h1.max(1), check: hash.h2 }
    }
}

/// A hash of 128 bits. Among 100,000,000 entries, a look-up finds an entry of another id by chance once in
/// 10^30 times; the result is a token that is rejected, never one that is accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fingerprint {
    /// Where the entry is in a table, and its first half. Never 0, which marks a free slot.
    pub(super) tag: u64,
    /// The other half.
    pub(super) check: u64,
}
