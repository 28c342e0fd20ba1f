//! Krishiv's answers to requests that are rejected.

use std::borrow::Cow;

use axum::response::Response;
use portcullis_axum::{
    AuthError, AuthErrorKind, Rejection, RejectionExt, StaticTokens, adapter::Challenge,
};
use portcullis_tonic::GrpcStatus;

pub(crate) fn grpc() -> GrpcStatus {
    GrpcStatus::new()
        .without_details()
        .map_challenge(|challenge, error| unauthorized(challenge, error).without_www_authenticate())
        .message(|rejection: &Rejection| text(rejection, "missing Bearer token", "invalid API key"))
}

/// `only` are the tokens of services, where there is nothing else to know a caller by.
pub(crate) fn http(only: Option<StaticTokens>) -> impl Fn(&Rejection) -> Response + Clone {
    move |rejection| {
        let knows_nobody = only.as_ref().is_some_and(StaticTokens::is_empty);
        if rejection.challenge().status() == 401 && knows_nobody {
            let none = "coordinator HTTP auth is required but no bearer tokens are configured";
            return rejection.text(none);
        }
        rejection.text(text(rejection, "missing bearer token", "invalid bearer token"))
    }
}

/// Takes a malformed request for one with a bad token.
pub(crate) fn unauthorized(challenge: Challenge, _: &AuthError) -> Challenge {
    if challenge.status() == 400 { challenge.with_status(401) } else { challenge }
}

fn text(rejection: &Rejection, missing: &'static str, invalid: &'static str) -> Cow<'static, str> {
    match (rejection.challenge().status(), rejection.kind(), rejection.reason()) {
        // A token that nobody knows has this kind too, and a reason.
        (_, AuthErrorKind::NoCredentials, None) => missing.into(),
        (400 | 401, _, _) => invalid.into(),
        (403, _, Some(reason)) => reason.to_string().into(),
        (_, kind, _) => kind.description().into(),
    }
}
