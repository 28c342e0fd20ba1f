//! Windmill's answers to requests that are refused.

use std::error::Error;

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use portcullis_axum::{AuthError, AuthErrorKind, Challenge, Refusal};

/// Whatever is wrong with a token is one and the same; that no keys are at hand is none of its faults.
pub(crate) fn unauthorized(challenge: Challenge, _: &AuthError) -> Challenge {
    if challenge.status() < 500 { challenge.with_status(401) } else { challenge }
}

pub(crate) fn respond(refusal: &Refusal) -> Response {
    let mut response = refusal.response(text(refusal).into());
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    // The cause stands in the log only.
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    response
}

fn text(refusal: &Refusal) -> String {
    let error = refusal.error();
    match (refusal.challenge().status(), error.map(AuthError::kind)) {
        (401, _) => "Not authorized: Unauthorized".to_owned(),
        (400, _) => "Bad request: invalid scope".to_owned(),
        (_, Some(AuthErrorKind::InsufficientScope)) => {
            let scope = error.and_then(AuthError::missing_scope).unwrap_or_default();
            format!("Permission denied: Access denied. Required scope: {scope}")
        }
        (_, Some(AuthErrorKind::NotPermitted)) => {
            let reason = error.and_then(Error::source).map(ToString::to_string);
            reason.unwrap_or_else(|| "Permission denied".to_owned())
        }
        _ => refusal.challenge().code().to_owned(),
    }
}
