//! The stable list of reasons for a rejection.

use std::fmt;

/// Defines the kinds with their code and their text, so that none lacks either.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal, $text:literal;)*) => {
        /// Why a request was rejected, in the order in which a request meets the checks.
        ///
        /// The codes are stable: metrics and logs may rely on them.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum AuthErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl AuthErrorKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Returns the stable code, such as `token_expired`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$kind => $code,)*
                }
            }

            /// Returns one short sentence that tells nothing of the token or the configuration.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$kind => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// The request brings no token of ours.
    NoCredentials = "no_credentials", "no credentials were presented";
    /// A place of ours holds no token, or one that is no `b64token` ([RFC 6750 §2.1]).
    ///
    /// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    MalformedRequest = "malformed_request", "the request does not carry a well-formed token";
    /// More than one token was presented ([RFC 6750 §2]).
    ///
    /// [RFC 6750 §2]: https://www.rfc-editor.org/rfc/rfc6750#section-2
    MultipleTokens = "multiple_tokens", "the request carries more than one token";
    /// The token is from a cookie, and another site caused the request
    /// ([details](crate::AuthenticatorBuilder::allowed_origins)). Answered with 403.
    CrossSiteRequest = "cross_site_request", "another site caused the request";
    /// The token is longer than the limit.
    TokenTooLarge = "token_too_large", "the token is too large";
    /// The token is not a JWS in compact form with JSON objects inside ([RFC 7515 §7.1]).
    ///
    /// [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1
    MalformedToken = "malformed_token", "the token is malformed";
    /// The header member `crit` is there, and no extension is understood ([RFC 7515 §4.1.11]).
    ///
    /// [RFC 7515 §4.1.11]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
    UnsupportedCriticalHeader = "unsupported_critical_header",
        "the token uses a critical extension that is not supported";
    /// The header's `alg` is not allowed for the issuer or for the key ([RFC 8725 §3.1]).
    ///
    /// [RFC 8725 §3.1]: https://www.rfc-editor.org/rfc/rfc8725#section-3.1
    AlgorithmNotAllowed = "algorithm_not_allowed", "the token's algorithm is not allowed";
    /// The `iss` claim names no issuer that is trusted ([RFC 8725 §3.8]).
    ///
    /// [RFC 8725 §3.8]: https://www.rfc-editor.org/rfc/rfc8725#section-3.8
    UntrustedIssuer = "untrusted_issuer", "the token's issuer is not trusted";
    /// The `iss` claim names an issuer that was not looked up yet, because look-ups of unverified names are
    /// limited. The token was not judged: the client may send it again. See
    /// [`Tenants`](crate::strategy::Tenants#limits-of-look-ups).
    IssuerNotLookedUp = "issuer_not_looked_up", "the token's issuer was not looked up yet";
    /// The issuer has no key that the header names ([RFC 7515 §4.1.4]).
    ///
    /// [RFC 7515 §4.1.4]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.4
    UnknownKey = "unknown_key", "the token's key is not known";
    /// The header has no `kid`, and more than one key fits, or none that need not be named; or more than
    /// four keys fit, and none of the four that were tried has made the signature.
    AmbiguousKey = "ambiguous_key", "the token does not tell which key it is signed with";
    /// The signature is not the key's ([RFC 7515 §5.2]).
    ///
    /// [RFC 7515 §5.2]: https://www.rfc-editor.org/rfc/rfc7515#section-5.2
    SignatureMismatch = "signature_mismatch", "the token's signature is wrong";
    /// The header's `typ` is not one of the issuer's ([RFC 8725 §3.11]).
    ///
    /// [RFC 8725 §3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3.11
    WrongType = "wrong_type", "the token is of another type";
    /// The time in `exp` has come ([RFC 7519 §4.1.4]).
    ///
    /// [RFC 7519 §4.1.4]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
    TokenExpired = "token_expired", "the token has expired";
    /// The time in `nbf` has not come ([RFC 7519 §4.1.5]).
    ///
    /// [RFC 7519 §4.1.5]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.5
    TokenNotYetValid = "token_not_yet_valid", "the token is not valid yet";
    /// The time in `iat` has not come ([RFC 7519 §4.1.6]).
    ///
    /// [RFC 7519 §4.1.6]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.6
    IssuedInFuture = "issued_in_future", "the token was issued in the future";
    /// The token was issued longer ago than the issuer's maximum age.
    TokenTooOld = "token_too_old", "the token is too old";
    /// From `iat` to `exp` is longer than the issuer's maximum lifetime.
    LifetimeTooLong = "lifetime_too_long", "the token's lifetime is too long";
    /// A required claim is missing ([RFC 7519 §4]).
    ///
    /// [RFC 7519 §4]: https://www.rfc-editor.org/rfc/rfc7519#section-4
    MissingClaim = "missing_claim", "a required claim is missing";
    /// A claim has another JSON type or form than its definition says.
    MalformedClaim = "malformed_claim", "a claim is malformed";
    /// None of the audiences in `aud` is ours ([RFC 7519 §4.1.3]).
    ///
    /// [RFC 7519 §4.1.3]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
    WrongAudience = "wrong_audience", "the token is meant for another audience";
    /// The `sub` claim is not one of those that the issuer may speak for.
    WrongSubject = "wrong_subject", "the token's subject is not allowed";
    /// The token was revoked.
    TokenRevoked = "token_revoked", "the token was revoked";
    /// The token may be used once, and was used before.
    TokenReplayed = "token_replayed", "the token was used before";
    /// The token is bound to a key that the sender did not prove to hold ([RFC 7800 §3.1]).
    ///
    /// [RFC 7800 §3.1]: https://www.rfc-editor.org/rfc/rfc7800#section-3.1
    WrongBinding = "wrong_binding", "the token is bound to another sender";
    /// The subject is not known to the application.
    SubjectUnknown = "subject_unknown", "the subject is not known";
    /// The subject is known to the application and switched off.
    SubjectDisabled = "subject_disabled", "the subject is disabled";
    /// An actor of the delegation chain is unknown or switched off ([RFC 8693 §4.1]).
    ///
    /// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
    ActorDisabled = "actor_disabled", "the actor may not act";
    /// A rule reads a claim that the token does not include: another source provides it
    /// ([OpenID Connect Core §5.6.2]), such as the groups of a member of very many. Answered with 403.
    ///
    /// [OpenID Connect Core §5.6.2]: https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims
    ClaimNotIncluded = "claim_not_included", "a claim is not included in the token";
    /// A scope that the handler needs is missing ([RFC 6750 §3.1]).
    ///
    /// [RFC 6750 §3.1]: https://www.rfc-editor.org/rfc/rfc6750#section-3.1
    InsufficientScope = "insufficient_scope", "a scope is missing";
    /// A role that the handler needs is missing.
    InsufficientRole = "insufficient_role", "a role is missing";
    /// Another rule of the handler's policy says no.
    NotPermitted = "not_permitted", "the caller may not do this";
    /// A stronger or fresher login is needed ([RFC 9470 §3]).
    ///
    /// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
    ReauthenticationRequired = "reauthentication_required", "a fresh login is needed";
    /// There are no usable keys to judge the token by.
    KeysUnavailable = "keys_unavailable", "the keys are not available";
    /// The store of revoked or used tokens does not answer.
    StoreUnavailable = "store_unavailable", "the token store is not available";
    /// The application's own source of rights does not answer.
    ResolverUnavailable = "resolver_unavailable", "the caller's rights are not available";
    /// The application has a fault: a policy names a parameter that the route's path does not have, say,
    /// or a function of its own panics. Answered with 500.
    InternalError = "internal_error", "the service has a fault";
}

impl fmt::Display for AuthErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}
