//! Windmill's answers to requests that are rejected.

use axum::{http::header, response::Response};
use portcullis_axum::{AuthError, Rejection, RejectionExt};

pub(crate) fn respond(rejection: &Rejection) -> Response {
    let (scope, reason) =
        (rejection.error().and_then(AuthError::missing_scope), rejection.reason());
    let required = |scope| format!("Permission denied: Access denied. Required scope: {scope}");
    let text = match (rejection.challenge().status(), scope, reason) {
        (401, _, _) => "Not authorized: Unauthorized".to_owned(),
        (400, _, _) => "Bad request: invalid scope".to_owned(),
        (403, Some(scope), _) => required(scope),
        (403, None, Some(reason)) => reason.to_string(),
        _ => rejection.challenge().code().to_owned(),
    };
    let mut response = rejection.text(text);
    // The cause stands in the log only.
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    response
}
