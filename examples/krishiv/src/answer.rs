//! Krishiv's answers to requests that are refused.

use std::borrow::Cow;

use axum::response::Response;
use portcullis_axum::{AuthError, AuthErrorKind, Challenge, Refusal, StaticTokens};
use portcullis_tonic::GrpcStatus;

pub(crate) fn grpc() -> GrpcStatus {
    GrpcStatus::new()
        .without_details()
        .map_challenge(|challenge, error| unauthorized(challenge, error).without_www_authenticate())
        .message(|refusal: &Refusal| text(refusal, "missing Bearer token", "invalid API key"))
}

/// `only` are the tokens of services, where there is nothing else to know a caller by.
pub(crate) fn http(only: Option<StaticTokens>) -> impl Fn(&Refusal) -> Response + Clone {
    move |refusal| {
        let knows_nobody = only.as_ref().is_some_and(StaticTokens::is_empty);
        if refusal.challenge().status() == 401 && knows_nobody {
            let none = "coordinator HTTP auth is required but no bearer tokens are configured";
            return refusal.text(none);
        }
        refusal.text(text(refusal, "missing bearer token", "invalid bearer token"))
    }
}

/// Takes a malformed request for one with a bad token.
pub(crate) fn unauthorized(challenge: Challenge, _: &AuthError) -> Challenge {
    if challenge.status() == 400 { challenge.with_status(401) } else { challenge }
}

fn text(refusal: &Refusal, missing: &'static str, invalid: &'static str) -> Cow<'static, str> {
    match (refusal.challenge().status(), refusal.kind(), refusal.reason()) {
        // A token that nobody knows has this kind too, and a reason.
        (_, AuthErrorKind::NoCredentials, None) => missing.into(),
        (400 | 401, _, _) => invalid.into(),
        (403, _, Some(reason)) => reason.to_string().into(),
        (_, kind, _) => kind.description().into(),
    }
}
