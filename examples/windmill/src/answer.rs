//! Windmill's answers to requests that are refused.

use axum::{http::header, response::Response};
use portcullis_axum::{AuthError, Refusal};

pub(crate) fn respond(refusal: &Refusal) -> Response {
    let (scope, reason) = (refusal.error().and_then(AuthError::missing_scope), refusal.reason());
    let required = |scope| format!("Permission denied: Access denied. Required scope: {scope}");
    let text = match (refusal.challenge().status(), scope, reason) {
        (401, _, _) => "Not authorized: Unauthorized".to_owned(),
        (400, _, _) => "Bad request: invalid scope".to_owned(),
        (403, Some(scope), _) => required(scope),
        (403, None, Some(reason)) => reason.to_string(),
        _ => refusal.challenge().code().to_owned(),
    };
    let mut response = refusal.text(text);
    // The cause stands in the log only.
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    response
}
