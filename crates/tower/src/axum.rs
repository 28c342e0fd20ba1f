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
    Caller, Granted, OtherCallers, ProblemJson, Refusal, caller::is_without_credentials,
    refusal::RefusalForm,
};

/// Why a handler could not get what it asked for.
///
/// The response is the refusal that the layers would have given: 401 for a caller without
/// credentials behind an optional layer, 500 where a layer is missing.
#[derive(Debug)]
pub struct CallerRejection {
    // Behind a pointer, because every successful extraction moves this type's size around too.
    refusal: Box<Refusal>,
}

impl CallerRejection {
    fn new(reason: NoCaller, method: &Method) -> Self {
        Self { refusal: Box::new(Refusal::no_caller(reason, method)) }
    }

    /// Returns the refusal.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }
}

impl fmt::Display for CallerRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refusal.error() {
            Some(error) => error.fmt(f),
            None => f.write_str("no layer has left what the handler asks for"),
        }
    }
}

impl Error for CallerRejection {}

impl IntoResponse for CallerRejection {
    fn into_response(self) -> Response {
        (*self.refusal).into_response(&RefusalForm::<ProblemJson>::default())
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
/// field of it, are refused as a bad token: give fields that a good token may lack the type `Option`. A
/// field whose claim is [not included](portcullis::Principal::claims) in the token is refused with 403.
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
            rejection(NoCaller::Refused(error, caller.challenge_settings().clone()))
        })
    }
}
