//! Is the token still good, and is its sender the one it was made for?

use super::validate::ValidClaims;
use crate::{AuthError, AuthErrorKind, json::Name};

/// A token that nothing speaks against.
#[derive(Debug)]
pub(super) struct CheckedClaims<'a> {
    valid: ValidClaims<'a>,
}

impl<'a> CheckedClaims<'a> {
    pub(super) fn into_valid(self) -> ValidClaims<'a> {
        self.valid
    }
}

/// Checks what lies outside the token.
///
/// A token with a confirmation claim is meant for the holder of one key ([RFC 7800 §3.1]). No proof
/// of holding it is read here yet, so such a token is rejected: the place where certificate
/// thumbprints (RFC 8705) and DPoP proofs (RFC 9449) will be compared is this function.
///
/// # Errors
///
/// [`AuthErrorKind::WrongBinding`].
///
/// [RFC 7800 §3.1]: https://www.rfc-editor.org/rfc/rfc7800#section-3.1
#[inline]
pub(super) fn check(valid: ValidClaims<'_>) -> Result<CheckedClaims<'_>, AuthError> {
    if valid.claim(Name::Cnf).is_some() && !valid.issuer().rules.bound_tokens_ignored {
        return Err(AuthErrorKind::WrongBinding.into());
    }
    Ok(CheckedClaims { valid })
}
