//! An issuer of tokens, in the test's own process.

use std::sync::Arc;

use portcullis::{
    Algorithm, Issuer, JwkSet,
    clock::{Clock, SystemClock},
};
use serde_json::json;

use crate::{SigningKey, TokenBuilder, key::SharedRsa, rotating_key::RotatingKey};

/// An issuer with a key of each algorithm. Its key ids are the names of the algorithms in lower
/// case, such as `es256`. Clones have the same keys.
#[derive(Clone, Debug)]
pub struct TestIssuer {
    name: String,
    keys: Arc<[RotatingKey]>,
    clock: Arc<dyn Clock>,
}

impl TestIssuer {
    /// Creates an issuer with this `iss`. A key is generated when it is first used.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let rsa = Arc::new(SharedRsa::default());
        let key = |&algorithm: &Algorithm| RotatingKey::new(algorithm, Arc::clone(&rsa));
        let keys = Algorithm::ALL.iter().map(key).collect();
        Self { name: name.into(), keys, clock: Arc::new(SystemClock::default()) }
    }

    /// The clock that dates the tokens. Default: the clock of the system.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Returns the `iss` of the tokens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the key of an algorithm: the newest, after a rotation.
    #[must_use]
    pub fn key(&self, algorithm: Algorithm) -> &SigningKey {
        self.rotating_key(algorithm).current()
    }

    /// Replaces the key of an algorithm. The new one signs what is built from now on. Its key id is
    /// counted up: `es256`, `es256-2`, `es256-3`.
    ///
    /// The old public key stays in the JWK Set until [`retire_old_keys`](Self::retire_old_keys). A
    /// [`KeyServer`](crate::KeyServer) serves the old set until the issuer is published again.
    pub fn rotate(&self, algorithm: Algorithm) {
        self.rotating_key(algorithm).rotate();
    }

    /// Takes all keys but the newest of each algorithm out of the JWK Set.
    pub fn retire_old_keys(&self) {
        self.keep_newest_keys(1);
    }

    /// Takes all keys but so many of the newest of each algorithm out of the JWK Set. The current key
    /// stays, even for zero.
    pub fn keep_newest_keys(&self, count: usize) {
        self.keys.iter().for_each(|key| key.retire_all_but(count));
    }

    /// Returns the public keys as the JSON text of a JWK Set.
    #[must_use]
    pub fn jwk_set_json(&self) -> String {
        let keys = self.keys.iter().flat_map(RotatingKey::published);
        json!({"keys": keys.filter_map(SigningKey::public_jwk).collect::<Vec<_>>()}).to_string()
    }

    /// Returns the configuration that trusts this issuer and its public keys.
    pub fn trusted(&self) -> Issuer {
        let set = JwkSet::from_json(&self.jwk_set_json()).expect("usable keys");
        Issuer::new(&self.name).jwk_set(&set)
    }

    /// Starts a token: signed with ES256, for subject `alice`, good for an hour. It has no audience:
    /// give it that of the service, with [`audience`](TokenBuilder::audience).
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self.clone(), self.clock.now())
    }

    fn rotating_key(&self, algorithm: Algorithm) -> &RotatingKey {
        let mut keys = self.keys.iter();
        keys.find(|key| key.algorithm() == algorithm).expect("a key of each algorithm")
    }
}
