//! Claims that a token names and does not include.

use super::ClaimPath;
use crate::{
    AuthError, AuthErrorKind,
    json::{Kind, Name, Object, Value},
};

/// The claims that exist and whose values the token does not include. No rule may read one as empty,
/// because nothing is known about its value.
///
/// - `_claim_names` has a member for each claim that another source provides
///   ([OpenID Connect Core §5.6.2]). Microsoft Entra writes it in place of `groups` for a member of
///   more than 200 groups.
/// - `hasgroups`, also of Microsoft Entra, replaces `groups` where a token must be short.
///
/// [OpenID Connect Core §5.6.2]: https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims
#[derive(Debug)]
pub(crate) struct NotIncluded<'a> {
    names: Object<'a>,
    groups: bool,
}

/// The claims that the engine evaluates itself: who calls, for how long, and with which binding.
const OF_THE_ENGINE: [Name; 11] = [
    Name::Iss,
    Name::Sub,
    Name::Aud,
    Name::Exp,
    Name::Nbf,
    Name::Iat,
    Name::Jti,
    Name::Act,
    Name::Azp,
    Name::ClientId,
    Name::Cnf,
];

impl<'a> NotIncluded<'a> {
    /// Returns the claims that are not included; `None` if the token names none.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::MalformedClaim`] if `_claim_names` is not an object, and
    /// [`AuthErrorKind::MalformedToken`] if it has a member twice.
    #[inline]
    pub(crate) fn of(claims: &Object<'a>) -> Result<Option<Box<Self>>, AuthError> {
        match (claims.get(Name::ClaimNames), claims.get(Name::HasGroups)) {
            (None, None) => Ok(None),
            (names, groups) => Self::read(names, groups),
        }
    }

    #[cold]
    fn read(
        names: Option<Value<'a>>,
        groups: Option<Value<'a>>,
    ) -> Result<Option<Box<Self>>, AuthError> {
        let names = names.filter(|value| value.kind() != Kind::Null).map(members).transpose()?;
        // Entra writes `true` and nothing else. A value that does not clearly say "no" counts as "yes".
        let groups = groups.is_some_and(|value| !matches!(&*value.json(), "false" | "null"));
        let names_any = names.is_some();
        let not_included = || Box::new(Self { names: names.unwrap_or_default(), groups });
        Ok((names_any || groups).then(not_included))
    }

    /// Returns whether the claim of this name is not included.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        (self.groups && name == "groups") || self.names.find(name).is_some()
    }

    /// Returns whether the first claim of a path is missing from the token.
    pub(crate) fn has(&self, path: &ClaimPath) -> bool {
        (self.groups && path.starts_with(Name::Groups)) || path.find_first(&self.names).is_some()
    }

    /// Rejects a token that does not include a claim which the engine evaluates itself.
    pub(crate) fn check_claims_of_the_engine(&self) -> Result<(), AuthError> {
        let reason = "a claim that the engine evaluates is not included in the token";
        if OF_THE_ENGINE.iter().any(|name| self.names.get(*name).is_some()) {
            return Err(AuthError::because(AuthErrorKind::ClaimNotIncluded, reason));
        }
        Ok(())
    }
}

fn members(value: Value<'_>) -> Result<Object<'_>, AuthError> {
    let malformed = AuthError::because(
        AuthErrorKind::MalformedClaim,
        "`_claim_names` is not an object of claim names",
    );
    value
        .read_object()
        .ok_or(malformed)?
        .map_err(|error| AuthError::because(AuthErrorKind::MalformedToken, error.reason()))
}

/// The error for a claim that is not included.
pub(crate) const fn not_included() -> AuthError {
    AuthError::because(
        AuthErrorKind::ClaimNotIncluded,
        "the token names another source for a claim that is read (`_claim_names` or `hasgroups`)",
    )
}
