//! With which key? ([RFC 7515 App. D])
//!
//! [RFC 7515 App. D]: https://www.rfc-editor.org/rfc/rfc7515#appendix-D

use super::peek::PeekedJwt;
use crate::{
    AuthError, AuthErrorKind,
    issuer::IssuerConfig,
    keys::{Candidates, Keys},
};

/// Finds the keys of the issuer that the header may mean.
///
/// # Errors
///
/// [`AuthErrorKind::AlgorithmNotAllowed`], [`AuthErrorKind::UnknownKey`] and
/// [`AuthErrorKind::AmbiguousKey`].
pub(super) fn lookup<'i>(
    token: &PeekedJwt<'_, '_>,
    issuer: &IssuerConfig,
    keys: &'i Keys,
) -> Result<Candidates<'i>, AuthError> {
    let algorithm = token.algorithm();
    if !issuer.algorithms.contains(algorithm) {
        let reason = "the issuer does not allow the algorithm";
        return Err(AuthError::because(AuthErrorKind::AlgorithmNotAllowed, reason));
    }
    keys.candidates(token.unverified_key_id(), algorithm)
}
