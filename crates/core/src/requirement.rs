//! Whose tokens a route asks for.

use std::{collections::HashSet, fmt};

use crate::{AuthError, AuthErrorKind, Authenticated};

/// Whose tokens a route asks for, where one good token of any trusted issuer is not the rule.
///
/// Every token that a request presents must be good, and of an issuer that the requirement names:
/// a requirement narrows what the engine accepts, and never widens it.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, TokenLocation, Requirement, VerificationKey};
///
/// # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
/// # let key = VerificationKey::from_pem(pem)?;
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://users.example.com").key(key.clone()))
///     .issuer(Issuer::new("https://services.example.com").key(key))
///     .audience("https://api.example.com")
///     .audience("https://admin.example.com")
///     .locations([
///         TokenLocation::bearer().of_issuer("https://users.example.com"),
///         TokenLocation::header("x-service-token").of_issuer("https://services.example.com"),
///     ])
///     .build()?;
///
/// // The engine of one route: a user's token for the administration, and that of the service which
/// // the user's request came through. The caller is the user.
/// let user = Requirement::issuer("https://users.example.com").audience("https://admin.example.com");
/// let service = Requirement::issuer("https://services.example.com");
/// let for_admin = auth.with_requirement(Requirement::all([user, service]))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Requirement {
    node: Node,
}

#[derive(Clone, Debug)]
enum Node {
    Token {
        /// `None`: any that is trusted.
        issuer: Option<String>,
        audiences: Vec<String>,
    },
    Any(Vec<Requirement>),
    All(Vec<Requirement>),
    Optional(Box<Requirement>),
    /// Of the same tokens: what one route asks for on top of another.
    Both(Box<[Requirement; 2]>),
}

/// How one part of a requirement came out.
enum Outcome {
    /// By the token of this position.
    Met(usize),
    /// Without any.
    MetByNone,
    Unmet,
}

impl Requirement {
    /// A token of this issuer.
    pub fn issuer(issuer: impl Into<String>) -> Self {
        Self { node: Node::Token { issuer: Some(issuer.into()), audiences: Vec::new() } }
    }

    /// A token of any issuer that the engine trusts: what is asked for without a requirement.
    pub fn any_issuer() -> Self {
        Self { node: Node::Token { issuer: None, audiences: Vec::new() } }
    }

    /// At least one of these. The caller is that of the first which is met.
    pub fn any<I: IntoIterator<Item = Self>>(requirements: I) -> Self {
        Self { node: Node::Any(requirements.into_iter().collect()) }
    }

    /// Each of these: then each place of the engine may hold a token, cookies included. The caller is
    /// that of the first; the others are in [`Authenticated::others`].
    pub fn all<I: IntoIterator<Item = Self>>(requirements: I) -> Self {
        Self { node: Node::All(requirements.into_iter().collect()) }
    }

    /// Adds an audience; one of those added must be in the token's `aud`, beside the one that the
    /// engine asks for ([RFC 7519 §4.1.3]). On a requirement of several parts, it is added to each.
    ///
    /// [RFC 7519 §4.1.3]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.with_each_audience(&audience.into())
    }

    fn with_each_audience(self, audience: &str) -> Self {
        let each = |parts: Vec<Self>| {
            parts.into_iter().map(|part| part.with_each_audience(audience)).collect()
        };
        let node = match self.node {
            Node::Token { issuer, mut audiences } => {
                audiences.push(audience.to_owned());
                Node::Token { issuer, audiences }
            }
            Node::Any(parts) => Node::Any(each(parts)),
            Node::All(parts) => Node::All(each(parts)),
            Node::Optional(inner) => Node::Optional(Box::new(inner.with_each_audience(audience))),
            Node::Both(pair) => {
                Node::Both(Box::new(pair.map(|part| part.with_each_audience(audience))))
            }
        };
        Self { node }
    }

    /// The tokens may be missing. One that is there must be good all the same.
    pub fn optional(self) -> Self {
        Self { node: Node::Optional(Box::new(self)) }
    }

    /// Asks for both, of the same tokens.
    pub(crate) fn on_top_of(self, other: Self) -> Self {
        Self { node: Node::Both(Box::new([other, self])) }
    }

    /// Checks that a request can meet it.
    pub(crate) fn check(&self, issuers: &HashSet<&str>) -> Result<(), RequirementError> {
        match &self.node {
            Node::Token { issuer: Some(issuer), .. } if !issuers.contains(issuer.as_str()) => {
                Err(RequirementError::UntrustedIssuer { issuer: issuer.clone() })
            }
            Node::Token { audiences, .. } if audiences.iter().any(String::is_empty) => {
                Err(RequirementError::Empty { part: "audience" })
            }
            Node::Token { .. } => Ok(()),
            Node::Any(parts) if parts.is_empty() => Err(RequirementError::Empty { part: "any" }),
            Node::All(parts) if parts.is_empty() => Err(RequirementError::Empty { part: "all" }),
            Node::Any(parts) | Node::All(parts) => {
                parts.iter().try_for_each(|part| part.check(issuers))
            }
            Node::Optional(inner) => inner.check(issuers),
            Node::Both(pair) => pair.iter().try_for_each(|part| part.check(issuers)),
        }
    }

    /// Tells whether a request may have to bring several tokens.
    pub(crate) fn is_of_several(&self) -> bool {
        match &self.node {
            Node::Token { .. } => false,
            Node::All(parts) => parts.len() > 1 || parts.iter().any(Self::is_of_several),
            Node::Any(parts) => parts.iter().any(Self::is_of_several),
            Node::Optional(inner) => inner.is_of_several(),
            Node::Both(pair) => pair.iter().any(Self::is_of_several),
        }
    }

    /// Tells whether a request without any token meets it.
    pub(crate) fn is_met_by_none(&self) -> bool {
        matches!(self.outcome::<()>(&[]), Outcome::MetByNone)
    }

    /// Finds the caller among those whose tokens were found good.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::UntrustedIssuer`] or [`AuthErrorKind::WrongAudience`] for a token that the
    /// requirement has no use for, and [`AuthErrorKind::NoCredentials`] if one is missing.
    pub(crate) fn choose<G>(
        &self,
        mut callers: Vec<Authenticated<G>>,
    ) -> Result<Authenticated<G>, AuthError> {
        for caller in &callers {
            self.check_use(caller)?;
        }
        match self.outcome(&callers) {
            Outcome::Met(position) if position < callers.len() => {
                let caller = callers.remove(position);
                Ok(caller.with_others(callers))
            }
            _ => {
                let reason = "a token of another issuer is needed too";
                Err(AuthError::because(AuthErrorKind::NoCredentials, reason))
            }
        }
    }

    /// Checks that the token is one of those that are asked for.
    fn check_use<G>(&self, caller: &Authenticated<G>) -> Result<(), AuthError> {
        match self.has_use_for(caller) {
            Use::Fits => Ok(()),
            Use::OtherAudience => Err(AuthErrorKind::WrongAudience.into()),
            Use::OtherIssuer => {
                let reason = "the route asks for tokens of other issuers";
                Err(AuthError::because(AuthErrorKind::UntrustedIssuer, reason))
            }
        }
    }

    fn has_use_for<G>(&self, caller: &Authenticated<G>) -> Use {
        match &self.node {
            Node::Token { issuer, audiences } => {
                let is_of = |name: &String| caller.principal().origin().is_called(name);
                let has = |audience: &String| caller.principal().has_audience(audience);
                if !issuer.as_ref().is_none_or(is_of) {
                    Use::OtherIssuer
                } else if audiences.is_empty() || audiences.iter().any(has) {
                    Use::Fits
                } else {
                    Use::OtherAudience
                }
            }
            Node::Any(parts) | Node::All(parts) => {
                let uses = parts.iter().map(|part| part.has_use_for(caller));
                uses.max().unwrap_or(Use::OtherIssuer)
            }
            Node::Optional(inner) => inner.has_use_for(caller),
            Node::Both(pair) => {
                let uses = pair.iter().map(|part| part.has_use_for(caller));
                uses.min().unwrap_or(Use::OtherIssuer)
            }
        }
    }

    fn all_outcomes<G>(parts: &[Self], callers: &[Authenticated<G>]) -> Outcome {
        let met = |outcome, part: &Self| match (outcome, part.outcome(callers)) {
            (Outcome::Unmet, _) | (_, Outcome::Unmet) => Outcome::Unmet,
            (Outcome::Met(first), _) => Outcome::Met(first),
            (Outcome::MetByNone, next) => next,
        };
        parts.iter().fold(Outcome::MetByNone, met)
    }

    fn outcome<G>(&self, callers: &[Authenticated<G>]) -> Outcome {
        let fits = |caller: &Authenticated<G>| self.has_use_for(caller) == Use::Fits;
        match &self.node {
            Node::Token { .. } => {
                callers.iter().position(fits).map_or(Outcome::Unmet, Outcome::Met)
            }
            Node::Any(parts) => {
                let met = |outcome, part: &Self| match (outcome, part.outcome(callers)) {
                    (Outcome::Met(first), _) => Outcome::Met(first),
                    (_, Outcome::Met(next)) => Outcome::Met(next),
                    (Outcome::Unmet, next) => next,
                    (Outcome::MetByNone, _) => Outcome::MetByNone,
                };
                parts.iter().fold(Outcome::Unmet, met)
            }
            Node::All(parts) => Self::all_outcomes(parts, callers),
            Node::Both(pair) => Self::all_outcomes(&**pair, callers),
            // A part of what is asked for is not nothing: then the rest must be there too.
            Node::Optional(inner) => match inner.outcome(callers) {
                Outcome::Unmet if !callers.iter().any(fits) => Outcome::MetByNone,
                outcome => outcome,
            },
        }
    }
}

/// What a requirement makes of a token, from worst to best.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Use {
    OtherIssuer,
    OtherAudience,
    Fits,
}

/// A requirement that no request could meet. The text says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RequirementError {
    /// A requirement names an issuer that is not trusted.
    UntrustedIssuer {
        /// The issuer.
        issuer: String,
    },
    /// A requirement has no part, or an empty one, so that nothing or everything would meet it.
    Empty {
        /// The part.
        part: &'static str,
    },
}

impl fmt::Display for RequirementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UntrustedIssuer { issuer } => write!(
                f,
                "a requirement names the issuer `{issuer}`, which is not trusted, so no token would \
                 meet it: add it with `issuer(…)`, under the same name"
            ),
            Self::Empty { part } => {
                write!(f, "`{part}` of a requirement is empty: say what it asks for")
            }
        }
    }
}

impl std::error::Error for RequirementError {}
