//! The texts and statuses of rejected requests (§3.8).

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use portcullis_axum::{
    AuthErrorKind, Rejection, RejectionExt,
    mint::{MintError, MintedToken},
};
use serde_json::json;

/// A response as FastAPI makes it.
pub(crate) fn detail(status: StatusCode, detail: impl Into<String>) -> Response {
    (status, Json(json!({"detail": detail.into()}))).into_response()
}

/// The response with a token that was made for it.
pub(crate) fn minted<R: IntoResponse>(
    minted: Result<MintedToken, MintError>,
    respond: impl FnOnce(String) -> R,
) -> Response {
    match minted {
        Ok(minted) => respond(minted.into_token()).into_response(),
        Err(_) => detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
    }
}

pub(crate) fn core(rejection: &Rejection) -> Response {
    let (status, text) = match rejection.kind() {
        AuthErrorKind::NoCredentials => (StatusCode::UNAUTHORIZED, "Not authenticated"),
        AuthErrorKind::TokenExpired => (StatusCode::UNAUTHORIZED, "Token Expired"),
        AuthErrorKind::InsufficientRole | AuthErrorKind::CrossSiteRequest => {
            (StatusCode::FORBIDDEN, "Forbidden")
        }
        _ => (StatusCode::FORBIDDEN, "Invalid JWT token"),
    };
    respond(rejection, status, text)
}

pub(crate) fn execution(rejection: &Rejection) -> Response {
    match (rejection.kind(), rejection.reason()) {
        (AuthErrorKind::NoCredentials, _) => {
            respond(rejection, StatusCode::UNAUTHORIZED, "Missing auth token")
        }
        // The texts of our own rules.
        (AuthErrorKind::NotPermitted, Some(reason)) => {
            respond(rejection, StatusCode::FORBIDDEN, &reason.to_string())
        }
        _ => respond(rejection, StatusCode::FORBIDDEN, "Invalid auth token"),
    }
}

/// A fault of ours, such as a database that does not answer, is never a fault of the token.
fn respond(rejection: &Rejection, status: StatusCode, text: &str) -> Response {
    let is_ours = rejection.challenge().status() >= 500;
    let text = if is_ours { rejection.challenge().code() } else { text };
    let mut response = rejection.response(json!({"detail": text}).to_string().into());
    if !is_ours {
        *response.status_mut() = status;
    }
    response.headers_mut().remove(header::WWW_AUTHENTICATE);
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
