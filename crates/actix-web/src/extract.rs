//! Extractors: handlers take who calls and what they may do as arguments.

use std::{
    error::Error,
    fmt,
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::{Extensions, Payload},
    http::StatusCode,
};
use portcullis::{AuthContext, Rejection};
use serde::de::DeserializeOwned;

use crate::{
    Caller, Granted, OtherCallers, ProblemJson,
    rejection::{respond_to, status},
};

/// Why a handler could not get what it asked for.
///
/// The response is the rejection that the middlewares would have given: 401 for a caller without
/// credentials behind an optional one, 500 where a middleware is missing.
#[derive(Clone, Debug)]
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
            None => f.write_str("no middleware has left what the handler asks for"),
        }
    }
}

impl Error for CallerRejection {}

impl ResponseError for CallerRejection {
    fn status_code(&self) -> StatusCode {
        status(self.rejection.status())
    }

    fn error_response(&self) -> HttpResponse {
        respond_to(&self.rejection, &ProblemJson)
    }
}

type Reading<T> = Ready<Result<T, CallerRejection>>;

/// Reads something from the extensions of a request.
fn read<T>(
    request: &HttpRequest,
    find: impl FnOnce(&Extensions) -> Result<T, Box<Rejection>>,
) -> Reading<T> {
    ready(find(&request.extensions()).map_err(|rejection| CallerRejection {
        rejection: Box::new(rejection.for_method(request.method().as_str())),
    }))
}

impl FromRequest for Caller {
    type Error = CallerRejection;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        read(request, Self::find)
    }
}

impl<G: Send + Sync + 'static> FromRequest for Granted<G> {
    type Error = CallerRejection;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        read(request, Self::find)
    }
}

impl<G: Send + Sync + 'static> FromRequest for OtherCallers<G> {
    type Error = CallerRejection;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        read(request, Self::find)
    }
}

/// All claims of the token, as a type of the application.
///
/// The middleware has judged the token; this only reads it. Claims that are not of the type, or that
/// lack a field of it, are rejected as a bad token: give fields that a good token may lack the type
/// `Option`. A field whose claim is [not included](portcullis::Principal::claims) in the token is rejected
/// with 403. Rights belong into the grant, which is read once for each token:
/// [`with_grant`](portcullis::AuthenticatorBuilder::with_grant).
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Claims<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Claims<T> {
    type Error = CallerRejection;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        read(request, |extensions| AuthContext::required_claims(extensions.get()).map(Self))
    }
}

/// A [`Caller`], [`Granted<G>`] or [`Claims<T>`] that may be missing: `None` for a request without
/// credentials that an [optional](crate::JwtAuth::optional) middleware has let through, and an error
/// for everything else that is wrong.
///
/// actix-web's own `Option<Caller>` is `None` whatever is wrong: without the middleware, every caller
/// is nobody, and the log alone says so.
///
/// # Examples
///
/// ```
/// use portcullis_actix_web::{Caller, Optional};
///
/// async fn greet(Optional(caller): Optional<Caller>) -> String {
///     match caller {
///         Some(caller) => format!("Welcome back, {}", caller.subject()),
///         None => "Welcome".to_owned(),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a handler takes it apart, like `Json`")]
pub struct Optional<T>(pub Option<T>);

impl FromRequest for Optional<Caller> {
    type Error = CallerRejection;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        read(request, |extensions| Caller::find_optional(extensions).map(Self))
    }
}

impl<G: Send + Sync + 'static> FromRequest for Optional<Granted<G>> {
    type Error = CallerRejection;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        read(request, |extensions| {
            let grant = AuthContext::optional(extensions.get(), AuthContext::required_grant)?;
            Ok(Self(grant.map(|(_, grant)| Granted(grant))))
        })
    }
}

impl<T: DeserializeOwned> FromRequest for Optional<Claims<T>> {
    type Error = CallerRejection;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        read(request, |extensions| {
            let claims = AuthContext::optional(extensions.get(), AuthContext::required_claims)?;
            Ok(Self(claims.map(Claims)))
        })
    }
}
