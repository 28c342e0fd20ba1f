//! The ring as a source of keys for an engine of the same program.

use std::time::Duration;

use portcullis::{
    future::BoxFuture,
    keys::{KeyDocument, KeySource, KeySourceError, Loaded, RefreshPolicy, Validators},
};

use super::SigningKeys;

/// How often the engine reads the keys anew. A new key is published long before it signs, and reading costs
/// nothing.
const REFRESH: Duration = Duration::from_secs(1);

impl KeySource for SigningKeys {
    fn label(&self) -> &str {
        "signing keys"
    }

    fn identity(&self) -> &str {
        &self.ring.identity
    }

    fn load<'a>(
        &'a self,
        _: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        let is_current = self.ring.is_current();
        let keys = self.ring.published_at(self.ring.clock.now());
        let keys: Result<Vec<_>, _> = keys.iter().map(|key| key.key.verification_key()).collect();
        Box::pin(async move {
            // Then a token of an unknown key may be good, and the engine returns 503 in place of 401.
            if !is_current {
                return Err(KeySourceError::new(
                    "the store of the signing keys was not read recently",
                ));
            }
            let invalid = |error| KeySourceError::with_source("a key cannot be used", error);
            Ok(Loaded::Document(KeyDocument::new(keys.map_err(invalid)?)))
        })
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        let policy = RefreshPolicy::every(REFRESH);
        match self.ring.max_stale {
            // While the store is away, the ring signs on with its current key.
            Some(max_stale) => policy.max_stale(max_stale),
            None => policy,
        }
    }
}
