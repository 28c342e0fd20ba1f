//! Whose token is it? ([RFC 8725 §3.8])
//!
//! [RFC 8725 §3.8]: https://www.rfc-editor.org/rfc/rfc8725#section-3.8

use std::sync::Arc;

use super::peek::PeekedJwt;
use crate::{
    AuthError, AuthErrorKind,
    issuer::{IssuerConfig, TrustedIssuers},
};

/// A token, and the trusted issuer that it claims to be from.
#[derive(Debug)]
pub(super) struct Selected<'a, 'd, 'i> {
    token: PeekedJwt<'a, 'd>,
    issuer: &'i Arc<IssuerConfig>,
}

impl<'a, 'd, 'i> Selected<'a, 'd, 'i> {
    pub(super) fn token(&self) -> &PeekedJwt<'a, 'd> {
        &self.token
    }

    pub(super) fn issuer(&self) -> &'i Arc<IssuerConfig> {
        self.issuer
    }

    pub(super) fn into_token(self) -> PeekedJwt<'a, 'd> {
        self.token
    }
}

/// Finds the trusted issuer that the token claims to be from. It must be `of_issuer`, if the token's
/// place is for one alone.
///
/// # Errors
///
/// [`AuthErrorKind::MalformedClaim`] if `iss` is not a string, [`AuthErrorKind::MissingClaim`] if
/// there is none and no issuer does without, and [`AuthErrorKind::UntrustedIssuer`].
pub(super) fn select<'a, 'd: 'a, 'i>(
    token: PeekedJwt<'a, 'd>,
    issuers: &'i TrustedIssuers,
    of_issuer: Option<&str>,
) -> Result<Selected<'a, 'd, 'i>, AuthError> {
    let issuer = match token.unverified_issuer() {
        None => issuers
            .any()
            .ok_or_else(|| AuthError::because(AuthErrorKind::MissingClaim, "no `iss`"))?,
        Some(claim) => {
            let name = claim.as_str().ok_or_else(|| {
                AuthError::because(AuthErrorKind::MalformedClaim, "`iss` is not a string")
            })?;
            let issuer = issuers.named(&name).or_else(|| issuers.any());
            issuer.ok_or_else(|| AuthError::from(AuthErrorKind::UntrustedIssuer))?
        }
    };
    if of_issuer.is_some_and(|name| name != issuer.name()) {
        let reason = "the place of the token is for another issuer";
        return Err(AuthError::because(AuthErrorKind::UntrustedIssuer, reason));
    }
    Ok(Selected { token, issuer })
}
