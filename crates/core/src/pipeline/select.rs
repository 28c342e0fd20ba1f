//! Whose token is it? ([RFC 8725 §3.8])
//!
//! [RFC 8725 §3.8]: https://www.rfc-editor.org/rfc/rfc8725#section-3.8

use std::sync::Arc;

use super::peek::PeekedJwt;
use crate::{
    AuthError, AuthErrorKind,
    issuer::{IssuerConfig, TrustedIssuers},
};

/// Finds the trusted issuer that the token claims to be from.
///
/// # Errors
///
/// [`AuthErrorKind::MalformedClaim`] if `iss` is not a string, [`AuthErrorKind::MissingClaim`] if
/// there is none and no issuer does without, and [`AuthErrorKind::UntrustedIssuer`].
pub(super) fn select<'i>(
    token: &PeekedJwt<'_, '_>,
    issuers: &'i TrustedIssuers,
) -> Result<&'i Arc<IssuerConfig>, AuthError> {
    let Some(claim) = token.unverified_issuer() else {
        let reason = "no `iss`";
        return issuers
            .any()
            .ok_or_else(|| AuthError::because(AuthErrorKind::MissingClaim, reason));
    };
    let name = claim.as_str().ok_or_else(|| {
        AuthError::because(AuthErrorKind::MalformedClaim, "`iss` is not a string")
    })?;
    let issuer = issuers.named(&name).or_else(|| issuers.any());
    issuer.ok_or_else(|| AuthErrorKind::UntrustedIssuer.into())
}
