//! An issuer of tokens, in the test's own process.

use std::sync::{Arc, OnceLock};

use portcullis::{Algorithm, Clock, Issuer, JwkSet, SystemClock};
use serde_json::json;

use crate::{SigningKey, TokenBuilder};

/// An issuer with a key of each algorithm. Its key ids are the names of the algorithms in lower
/// case.
#[derive(Clone, Debug)]
pub struct TestIssuer {
    name: String,
    keys: Arc<[(Algorithm, OnceLock<SigningKey>)]>,
    clock: Arc<dyn Clock>,
}

impl TestIssuer {
    /// Creates an issuer with this `iss`. A key is generated when it is first used.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let keys = Algorithm::ALL.into_iter().map(|algorithm| (algorithm, OnceLock::new()));
        Self { name: name.into(), keys: keys.collect(), clock: Arc::new(SystemClock::default()) }
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

    /// Returns the key of an algorithm.
    #[must_use]
    pub fn key(&self, algorithm: Algorithm) -> &SigningKey {
        let (_, key) =
            self.keys.iter().find(|(own, _)| *own == algorithm).expect("a key of each algorithm");
        key.get_or_init(|| SigningKey::generate(algorithm, algorithm.name().to_lowercase()))
    }

    /// Returns the public keys as the JSON text of a JWK Set.
    #[must_use]
    pub fn jwk_set_json(&self) -> String {
        let jwks =
            Algorithm::ALL.into_iter().filter_map(|algorithm| self.key(algorithm).public_jwk());
        json!({"keys": jwks.collect::<Vec<_>>()}).to_string()
    }

    /// Returns the configuration that trusts this issuer and its public keys.
    pub fn trusted(&self) -> Issuer {
        let set = JwkSet::from_json(&self.jwk_set_json()).expect("usable keys");
        Issuer::new(&self.name).jwk_set(&set)
    }

    /// Starts a token: signed with ES256, for subject `alice`, good for an hour.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self.clone(), self.clock.now())
    }
}
