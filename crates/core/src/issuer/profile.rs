//! Published sets of rules.

/// A published set of rules for one kind of token, switched on by one call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenProfile {
    /// JWT access tokens by [RFC 9068 §4]: `typ` must be `at+jwt`, and `iss`, `exp`, `aud`, `sub`,
    /// `client_id`, `iat` and `jti` must be there.
    ///
    /// [RFC 9068 §4]: https://www.rfc-editor.org/rfc/rfc9068#section-4
    AtJwt,
}
