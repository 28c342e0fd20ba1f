//! Windmill's answers to requests that are refused.

use std::error::Error;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use portcullis_axum::{AuthError, AuthErrorKind, Refusal};

pub(crate) fn allow(yes: bool, reason: impl FnOnce() -> String) -> Result<(), AuthError> {
    if yes { Ok(()) } else { Err(AuthError::with_source(AuthErrorKind::NotPermitted, reason())) }
}

pub(crate) fn respond(refusal: &Refusal) -> Response {
    let scope = refusal.error().and_then(AuthError::missing_scope);
    let reason = refusal.error().and_then(Error::source);
    let text = match (refusal.challenge().status(), scope, reason) {
        (401, _, _) => "Not authorized: Unauthorized".to_owned(),
        (400, _, _) => "Bad request: invalid scope".to_owned(),
        (403, Some(scope), _) => {
            format!("Permission denied: Access denied. Required scope: {scope}")
        }
        (403, None, Some(reason)) => reason.to_string(),
        _ => refusal.challenge().code().to_owned(),
    };
    let mut response = refusal.response(text.into());
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    // The cause stands in the log only.
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    response
}
