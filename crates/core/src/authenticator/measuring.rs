//! For the benches of this project, which measure a part of the way that has no other door.

use std::sync::Arc;

use super::Authenticator;
use crate::{Algorithm, jws::CertificateThumbprints, keys::KeyHint, revocation::Question};

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

    /// Returns what looks an id of an issuer's token up among the revocations in memory, as a request does. Not
    /// part of the interface.
    #[doc(hidden)]
    #[must_use]
    pub fn revocation_finder(&self, issuer: &str) -> Option<impl Fn(&str) -> bool + use<G>> {
        let revocations = self.engine().revocations.clone()?;
        let issuer = Arc::clone(self.engine().issuers.named(issuer)?);
        Some(move |jti: &str| {
            let known_issuer = Some(issuer.origin.issuer_name());
            let question = Question {
                issuer: issuer.name(),
                known_issuer,
                jti: Some(jti),
                ..Question::default()
            };
            revocations.is_revoked(&question)
        })
    }
}
