//! What to change.

use super::{
    trace::{Trace, reason},
    words::quoted,
};
use crate::{AuthError, AuthErrorKind};

/// Returns the way out of a rejection.
pub(super) fn of(trace: &Trace, error: &AuthError) -> String {
    let issuer = trace.issuer.as_ref().map(|issuer| quoted(&issuer.name)).unwrap_or_default();
    match error.kind() {
        AuthErrorKind::UntrustedIssuer => untrusted(trace),
        AuthErrorKind::AlgorithmNotAllowed => {
            let alg = trace.peeked.as_ref().map(|peeked| quoted(peeked.algorithm.name()));
            algorithm(&alg.unwrap_or_default())
        }
        AuthErrorKind::UnknownKey if reason(error).is_some() => {
            "ask the issuer to publish that key in a form that can be used, or to sign with another one".to_owned()
        }
        AuthErrorKind::UnknownKey => format!(
            "ask the client for a new token: the key may have been replaced, or the token is of another environment. `portcullis jwks check` shows which keys {issuer} publishes"
        ),
        AuthErrorKind::AmbiguousKey if trace.left_out > 0 => {
            "ask the issuer to write the key's `kid` into the header of its tokens, one for each key, or `x5t` as its key set has it: no more than 4 keys are tried for one token. The token may be good".to_owned()
        }
        AuthErrorKind::AmbiguousKey => {
            "ask the issuer to write the key's `kid` into the header of its tokens".to_owned()
        }
        AuthErrorKind::KeysUnavailable => {
            "check that this machine reaches the issuer's key set: try `portcullis jwks check` with its URL or file".to_owned()
        }
        AuthErrorKind::SignatureMismatch => {
            "ask the client for a new token: this one was changed or cut on its way, or signed by someone else. If all tokens are rejected, the configured keys are not those of the issuer".to_owned()
        }
        AuthErrorKind::WrongType => {
            "ask the client for an access token (an ID token or a logout token is none), or add the type under [[issuer]].type".to_owned()
        }
        AuthErrorKind::TokenExpired => {
            "ask the client to fetch a new token before the old one ends; if it is new, check the clocks of both machines".to_owned()
        }
        AuthErrorKind::TokenNotYetValid | AuthErrorKind::IssuedInFuture => {
            "check the clocks of this machine and of the issuer; small differences are what [[issuer]].leeway is for".to_owned()
        }
        AuthErrorKind::TokenTooOld => {
            "ask the client to log in again, or raise [[issuer]].max_age".to_owned()
        }
        AuthErrorKind::LifetimeTooLong => {
            "ask the issuer for tokens that live shorter, or raise [[issuer]].max_lifetime".to_owned()
        }
        AuthErrorKind::WrongAudience => {
            "ask the client to request that audience, or add it under [[issuer]].audience".to_owned()
        }
        AuthErrorKind::WrongSubject => {
            "add the subject under [[issuer]].subject, if this issuer may speak for it".to_owned()
        }
        AuthErrorKind::MissingClaim => missing(error),
        AuthErrorKind::MalformedClaim => {
            "ask the issuer to write the claim as its definition says (RFC 7519 §4.1): this is a fault of whoever made the token".to_owned()
        }
        AuthErrorKind::ClaimNotIncluded => {
            "ask the issuer to include the claim in its tokens (in Microsoft Entra: only the groups that are assigned to the application), or let the service look it up with a resolver".to_owned()
        }
        AuthErrorKind::WrongBinding => {
            "ask the issuer for a plain bearer token: bound ones (mutual TLS, DPoP) are not supported yet".to_owned()
        }
        AuthErrorKind::TokenRevoked => {
            "ask the client for a new token, after a new login if its subject or session was revoked: `portcullis revoked` lists what was".to_owned()
        }
        AuthErrorKind::StoreUnavailable => {
            "check that this machine reaches the store of revocations: until its entries are loaded, no token is accepted".to_owned()
        }
        AuthErrorKind::MalformedToken | AuthErrorKind::MalformedRequest => {
            "ask the client for the token exactly as its issuer gave it out".to_owned()
        }
        AuthErrorKind::CrossSiteRequest => {
            "if the page may call the service, add its origin under [cookies].allowed_origins; if a proxy changes `Host`, set [cookies].public_origin".to_owned()
        }
        _ => "see the log of the service".to_owned(),
    }
}

/// The algorithm is shown between backticks.
pub(super) fn algorithm(shown: &str) -> String {
    if shown.eq_ignore_ascii_case("`none`") {
        return "never accept this: the token is not signed at all".to_owned();
    }
    format!(
        "ask the issuer to sign with an algorithm that is allowed; if it does mean {shown}, add it under [[issuer]].algorithms together with a key for it"
    )
}

fn untrusted(trace: &Trace) -> String {
    let claimed = trace.peeked.as_ref().and_then(|peeked| peeked.issuer_text.as_deref());
    let Some(claimed) = claimed else { return "name the issuer in `iss`".to_owned() };
    let plain = |name: &str| name.trim_end_matches('/').to_ascii_lowercase();
    let near = trace.issuers.iter().find(|name| plain(name) == plain(claimed));
    match near {
        Some(near) => format!(
            "the two differ by a slash at the end or by letter case, and are compared byte for byte: write issuer = \"{}\" exactly as the tokens have it, in place of {}",
            super::printable(claimed),
            quoted(near)
        ),
        None => "check that the client asks the right issuer; to trust this one too, add an [[issuer]] with its keys".to_owned(),
    }
}

fn missing(error: &AuthError) -> String {
    match reason(error).as_deref() {
        Some("no `iss`") => "ask the issuer to write `iss`; tokens without it need an [[issuer]] with dangerous_any_issuer".to_owned(),
        Some("no `aud`") => "ask the client to request an audience (often called resource or API identifier); dangerous_any_audience accepts tokens that are meant for anyone".to_owned(),
        Some("no `exp`") => "ask the issuer for tokens with an end: one without works for ever once it is stolen".to_owned(),
        Some(reason) if reason.starts_with("no `iat`") => "ask the issuer to write `iat`, which [[issuer]].max_age and max_lifetime need".to_owned(),
        _ => "ask the issuer to write the claim, or take it out of [[issuer]].required_claims if the service does not need it".to_owned(),
    }
}
