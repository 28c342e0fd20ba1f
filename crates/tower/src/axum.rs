//! Extractors: handlers take who calls and what they may do as arguments.

use std::{error::Error, fmt};

use axum_core::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{Method, request::Parts};
use portcullis::NoCaller;
use serde::de::DeserializeOwned;

use crate::{
    Caller, Granted, OtherCallers, ProblemJson, Rejection, caller::is_without_credentials,
    rejection::RejectionForm,
};

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
    fn new(reason: NoCaller, method: &Method) -> Self {
        Self { rejection: Box::new(Rejection::no_caller(reason, method)) }
    }

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
        (*self.rejection).into_response(&RejectionForm::<ProblemJson>::default())
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        Self::read(&parts.extensions).map_err(|reason| CallerRejection::new(reason, &parts.method))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = CallerRejection;

    /// `None` for a request without credentials that an optional layer has let through. A missing
    /// layer is an error all the same.
    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, CallerRejection> {
        if is_without_credentials(&parts.extensions) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

impl<S: Sync, G: Send + Sync + 'static> FromRequestParts<S> for Granted<G> {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        Self::read(&parts.extensions).map_err(|reason| CallerRejection::new(reason, &parts.method))
    }
}

impl<S: Sync, G: Send + Sync + 'static> OptionalFromRequestParts<S> for Granted<G> {
    type Rejection = CallerRejection;

    /// `None` for a request without credentials that an optional layer has let through.
    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, CallerRejection> {
        if is_without_credentials(&parts.extensions) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

impl<S: Sync, G: Send + Sync + 'static> FromRequestParts<S> for OtherCallers<G> {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        Self::read(&parts.extensions).map_err(|reason| CallerRejection::new(reason, &parts.method))
    }
}

/// All claims of the token, as a type of the application.
///
/// The layer has judged the token; this only reads it. Claims that are not of the type, or that lack a
/// field of it, are rejected as a bad token: give fields that a good token may lack the type `Option`. A
/// field whose claim is [not included](portcullis::Principal::claims) in the token is rejected with 403.
/// Rights belong into the grant, which is read once for each token:
/// [`with_grant`](portcullis::AuthenticatorBuilder::with_grant).
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Claims<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Claims<T> {
    type Rejection = CallerRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, CallerRejection> {
        let rejection = |reason| CallerRejection::new(reason, &parts.method);
        let caller = Caller::read(&parts.extensions).map_err(rejection)?;
        caller.claims().map(Self).map_err(|error| {
            rejection(NoCaller::Rejected(error, caller.challenge_settings().clone()))
        })
    }
}
