//! Krishiv's answers to requests that are refused.

use std::{borrow::Cow, error::Error};

use axum::response::Response;
use portcullis_axum::{AuthError, AuthErrorKind, Challenge, Refusal};
use portcullis_tonic::GrpcStatus;

use crate::Judges;

pub(crate) fn grpc() -> GrpcStatus {
    GrpcStatus::new()
        .without_details()
        .map_challenge(|challenge, error| unauthorized(challenge, error).without_www_authenticate())
        .message(|refusal: &Refusal| text(refusal, "missing Bearer token", "invalid API key"))
}

pub(crate) fn http(refusal: &Refusal, judges: &Judges) -> Response {
    if refusal.challenge().status() == 401 && judges.know_nobody() {
        let none = "coordinator HTTP auth is required but no bearer tokens are configured";
        return refusal.text(none);
    }
    refusal.text(text(refusal, "missing bearer token", "invalid bearer token"))
}

/// Takes a malformed request for one with a bad token.
pub(crate) fn unauthorized(challenge: Challenge, _: &AuthError) -> Challenge {
    if challenge.status() == 400 { challenge.with_status(401) } else { challenge }
}

fn text(refusal: &Refusal, missing: &'static str, invalid: &'static str) -> Cow<'static, str> {
    let reason = refusal.error().and_then(Error::source);
    let kind = refusal.error().map_or(AuthErrorKind::InternalError, AuthError::kind);
    match (refusal.challenge().status(), kind, reason) {
        // A token that nobody knows has this kind too, and a reason.
        (_, AuthErrorKind::NoCredentials, None) => missing.into(),
        (400 | 401, _, _) => invalid.into(),
        (403, _, Some(reason)) => reason.to_string().into(),
        _ => kind.description().into(),
    }
}
