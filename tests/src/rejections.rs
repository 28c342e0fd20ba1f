//! What a rejected caller must be told, written down by hand for each code.

/// What a rejected caller is told.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The stable code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The `error` of the challenge; empty where there is none. With status 401 there is a challenge all
    /// the same.
    pub error: &'static str,
    /// The `error_description` of the challenge; empty where there is none.
    pub description: &'static str,
}

/// Each code, in the order in which a request meets the checks.
pub const REJECTIONS: [Told; 38] = [
    told("no_credentials", 401, "", ""),
    told("malformed_request", 400, REQUEST, "the request does not carry a well-formed token"),
    told("multiple_tokens", 400, REQUEST, "the request carries more than one token"),
    told("cross_site_request", 403, "", ""),
    told("token_too_large", 400, REQUEST, "the token is too large"),
    told("malformed_token", 401, TOKEN, "the token is malformed"),
    told(
        "unsupported_critical_header",
        401,
        TOKEN,
        "the token uses a critical extension that is not supported",
    ),
    told("algorithm_not_allowed", 401, TOKEN, "the token's algorithm is not allowed"),
    told("untrusted_issuer", 401, TOKEN, "the token's issuer is not trusted"),
    told("issuer_not_looked_up", 401, "", ""),
    told("unknown_key", 401, TOKEN, "the token's key is not known"),
    told("ambiguous_key", 401, TOKEN, "the token does not tell which key it is signed with"),
    told("signature_mismatch", 401, TOKEN, "the token's signature is wrong"),
    told("wrong_type", 401, TOKEN, "the token is of another type"),
    told("token_expired", 401, TOKEN, "the token has expired"),
    told("token_not_yet_valid", 401, TOKEN, "the token is not valid yet"),
    told("issued_in_future", 401, TOKEN, "the token was issued in the future"),
    told("token_too_old", 401, TOKEN, "the token is too old"),
    told("lifetime_too_long", 401, TOKEN, "the token's lifetime is too long"),
    told("missing_claim", 401, TOKEN, "a required claim is missing"),
    told("malformed_claim", 401, TOKEN, "a claim is malformed"),
    told("wrong_audience", 401, TOKEN, "the token is meant for another audience"),
    told("wrong_subject", 401, TOKEN, "the token's subject is not allowed"),
    told("token_revoked", 401, TOKEN, "the token was revoked"),
    told("token_replayed", 401, TOKEN, "the token was used before"),
    told("wrong_binding", 401, TOKEN, "the token is bound to another sender"),
    told("subject_unknown", 401, TOKEN, "the subject is not known"),
    told("subject_disabled", 401, TOKEN, "the subject is disabled"),
    told("actor_disabled", 401, TOKEN, "the actor may not act"),
    told("claim_not_included", 403, "", ""),
    told("insufficient_scope", 403, RIGHT, "a scope is missing"),
    told("insufficient_role", 403, RIGHT, "a role is missing"),
    told("not_permitted", 403, RIGHT, "the caller may not do this"),
    told(
        "reauthentication_required",
        401,
        "insufficient_user_authentication",
        "a fresh login is needed",
    ),
    told("keys_unavailable", 503, "", ""),
    told("store_unavailable", 503, "", ""),
    told("resolver_unavailable", 503, "", ""),
    told("internal_error", 500, "", ""),
];

const REQUEST: &str = "invalid_request";
const TOKEN: &str = "invalid_token";
const RIGHT: &str = "insufficient_scope";

const fn told(
    code: &'static str,
    status: u16,
    error: &'static str,
    description: &'static str,
) -> Told {
    Told { code, status, error, description }
}

/// Returns what is told with a code.
#[must_use]
pub fn told_with(code: &str) -> Told {
    let found = REJECTIONS.into_iter().find(|told| told.code == code);
    found.unwrap_or_else(|| panic!("{code} is no code"))
}
