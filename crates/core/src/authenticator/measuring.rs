//! For the benches of this project, which measure a part of the way that has no other door.

use std::sync::Arc;

use super::Authenticator;
use crate::{Algorithm, jws::CertificateThumbprints, keys::KeyHint};

impl<G> Authenticator<G> {
    /// Returns what finds a key of an issuer as a request does. Not part of the interface.
    #[doc(hidden)]
    #[must_use]
    pub fn key_finder(&self, issuer: &str) -> Option<impl Fn(&str, Algorithm) -> bool + use<G>> {
        let issuer = Arc::clone(self.engine().issuers.named(issuer)?);
        let now = self.engine().clock.now();
        Some(move |key_id: &str, algorithm| {
            let certificate = &CertificateThumbprints::default();
            let hint = KeyHint { key_id: Some(key_id), certificate };
            issuer.keys.load(now).candidates(hint, algorithm).is_ok()
        })
    }
}
