//! Names that belong to the issuers and strategies of an engine, and that no other source may carry.
//!
//! Policies, requirements and applications know an issuer by its name. A trusted issuer writes its own name
//! into its tokens, and nothing else is selected for that name. But three sources choose names themselves:
//! an issuer that stands for any, the tenants of a strategy, and the claims of a strategy's identity.

use super::peek::PeekedJwt;
use crate::{
    Actor, AuthError, AuthErrorKind, Principal, issuer::IssuerConfig, strategy::ReservedNames,
};

/// Checks the `iss` of a token that was selected for an issuer that stands for any.
///
/// # Errors
///
/// [`AuthErrorKind::UntrustedIssuer`] if it names a strategy. The tokens of trusted issuers are selected for
/// these.
#[cold]
pub(super) fn check_claimed(
    token: &PeekedJwt<'_, '_>,
    issuer: &IssuerConfig,
    reserved: &dyn ReservedNames,
) -> Result<(), AuthError> {
    let claimed = token.unverified_issuer().and_then(|claim| claim.as_str());
    check(claimed.as_deref(), issuer.name(), reserved)
}

/// Checks the issuer of the party that acts. Configured issuers may name actors of each other
/// ([RFC 8693 §4.1]). Sources that choose their own names may not name actors of configured issuers.
///
/// # Errors
///
/// [`AuthErrorKind::UntrustedIssuer`].
///
/// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
pub(super) fn check_actor(
    actor: Option<&Actor>,
    own_name: &str,
    reserved: &dyn ReservedNames,
) -> Result<(), AuthError> {
    check(actor.and_then(Actor::issuer), own_name, reserved)
}

/// Checks a caller that an engine inside of a strategy has judged.
///
/// # Errors
///
/// [`AuthErrorKind::UntrustedIssuer`].
pub(super) fn check_judged(
    judged: &Principal,
    reserved: &dyn ReservedNames,
) -> Result<(), AuthError> {
    if reserved.is_reserved(judged.trusted_issuer()) || reserved.is_reserved(judged.issuer()) {
        return Err(taken());
    }
    check_actor(judged.actor(), judged.issuer(), reserved)
}

/// Checks a caller whose claims a strategy has made. The name of the strategy is its own.
///
/// # Errors
///
/// [`AuthErrorKind::UntrustedIssuer`].
pub(super) fn check_identity(
    caller: &Principal,
    reserved: &dyn ReservedNames,
) -> Result<(), AuthError> {
    let own_name = caller.trusted_issuer();
    check(Some(caller.issuer()), own_name, reserved)?;
    check_actor(caller.actor(), own_name, reserved)
}

fn check(
    name: Option<&str>,
    own_name: &str,
    reserved: &dyn ReservedNames,
) -> Result<(), AuthError> {
    match name {
        Some(name) if name != own_name && reserved.is_reserved(name) => Err(taken()),
        _ => Ok(()),
    }
}

fn taken() -> AuthError {
    let reason = "the token carries a name that belongs to another issuer or strategy";
    AuthError::because(AuthErrorKind::UntrustedIssuer, reason)
}
