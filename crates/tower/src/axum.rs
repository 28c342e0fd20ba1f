//! Extractors: handlers take who calls and what they may do as arguments.

use std::{error::Error, fmt};

use axum_core::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{Extensions, request::Parts};
use portcullis::{AuthContext, Rejection};
use serde::de::DeserializeOwned;

use crate::{Caller, Granted, OtherCallers, ProblemJson, rejection::respond_to};

/// Why a handler could not get what it asked for.
///
/// The response is the rejection that the layers would have given: 401 for a caller without
/// credentials behind an optional layer, 500 where a layer is missing.
#[derive(Debug)]
pub struct CallerRejection {
    // Behind a pointer, because every successful extraction moves this type's size around too.
    rejection: Box<Rejection>,
}

impl CallerRejection {
    /// Returns the rejection.
    #[must_use]
    pub fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}

impl fmt::Display for CallerRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rejection.error() {
            Some(error) => error.fmt(f),
            None => f.write_str("no layer has left what the handler asks for"),
        }
    }
}

impl Error for CallerRejection {}

impl IntoResponse for CallerRejection {
    fn into_response(self) -> Response {
        respond_to(&self.rejection, &ProblemJson)
    }
}

/// Reads something from the extensions of a request.
fn read<T>(
    parts: &Parts,
    find: impl FnOnce(&Extensions) -> Result<T, Box<Rejection>>,
) -> Result<T, CallerRejection> {
    find(&parts.extensions).map_err(|rejection| CallerRejection {
        rejection: Box::new(rejection.for_method(parts.method.as_str())),
    })
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        read(parts, Self::find)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = CallerRejection;

    /// `None` for a request without credentials that an optional layer has let through. A missing
    /// layer is an error all the same.
    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, CallerRejection> {
        read(parts, Self::find_optional)
    }
}

impl<S: Sync, G: Send + Sync + 'static> FromRequestParts<S> for Granted<G> {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        read(parts, Self::find)
    }
}

impl<S: Sync, G: Send + Sync + 'static> OptionalFromRequestParts<S> for Granted<G> {
    type Rejection = CallerRejection;

    /// `None` for a request without credentials that an optional layer has let through.
    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, CallerRejection> {
        let find = |extensions: &Extensions| {
            let grant = AuthContext::optional(extensions.get(), AuthContext::required_grant)?;
            Ok(grant.map(|(_, grant)| Self(grant)))
        };
        read(parts, find)
    }
}

impl<S: Sync, G: Send + Sync + 'static> FromRequestParts<S> for OtherCallers<G> {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        read(parts, Self::find)
    }
}

/// All claims of the token, as a type of the application.
///
/// The layer has validated the token; this only reads it. Claims that are not of the type, or that lack a
/// field of it, are rejected as an invalid token: give fields that a valid token may lack the type `Option`. A
/// field whose claim is [not included](portcullis::Principal::claims) in the token is rejected with 403.
/// Rights belong into the grant, which is made once for each token:
/// [`with_grant`](portcullis::AuthenticatorBuilder::with_grant).
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Claims<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        let find = |extensions: &Extensions| AuthContext::required_claims(extensions.get());
        read(parts, find).map(Self)
    }
}
