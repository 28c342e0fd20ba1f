//! Krishiv's answers to requests that are refused.

use std::{borrow::Cow, error::Error};

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
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
    let text = if refusal.challenge().status() == 401 && judges.know_nobody() {
        "coordinator HTTP auth is required but no bearer tokens are configured".into()
    } else {
        text(refusal, "missing bearer token", "invalid bearer token")
    };
    let mut response = refusal.response(text.into_owned().into());
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// Takes a malformed request for one with a bad token.
pub(crate) fn unauthorized(challenge: Challenge, _: &AuthError) -> Challenge {
    match challenge.status() {
        400 => challenge.with_status(401),
        _ => challenge,
    }
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
