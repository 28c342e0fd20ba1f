//! Extractors: handlers take who calls and what they may do as arguments.

use std::{
    error::Error,
    fmt,
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::{Extensions, Payload},
    http::{Method, StatusCode},
};
use portcullis::{AuthContext, NoCaller};
use serde::de::DeserializeOwned;

use crate::{Caller, Granted, OtherCallers, ProblemJson, Rejection, rejection::RejectionForm};

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
            None => f.write_str("no middleware has left what the handler asks for"),
        }
    }
}

impl Error for CallerRejection {}

impl ResponseError for CallerRejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.rejection.challenge().status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        Rejection::clone(&self.rejection).into_response(&RejectionForm::<ProblemJson>::default())
    }
}

/// Reads something from the extensions of a request.
fn read<T>(
    request: &HttpRequest,
    read: fn(&Extensions) -> Result<T, NoCaller>,
) -> Result<T, CallerRejection> {
    read(&request.extensions()).map_err(|reason| CallerRejection::new(reason, request.method()))
}

impl<T: DeserializeOwned> Claims<T> {
    fn read(extensions: &Extensions) -> Result<Self, NoCaller> {
        let caller = Caller::read(extensions)?;
        let rejected = |error| NoCaller::Rejected(error, caller.challenge_settings().clone());
        caller.claims().map(Self).map_err(rejected)
    }
}

impl FromRequest for Caller {
    type Error = CallerRejection;
    type Future = Ready<Result<Self, CallerRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request, Self::read))
    }
}

impl<G: Send + Sync + 'static> FromRequest for Granted<G> {
    type Error = CallerRejection;
    type Future = Ready<Result<Self, CallerRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request, Self::read))
    }
}

impl<G: Send + Sync + 'static> FromRequest for OtherCallers<G> {
    type Error = CallerRejection;
    type Future = Ready<Result<Self, CallerRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request, Self::read))
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
    type Future = Ready<Result<Self, CallerRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request, Self::read))
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

impl<T> Optional<T> {
    fn read(
        request: &HttpRequest,
        read_required: fn(&Extensions) -> Result<T, NoCaller>,
    ) -> Result<Self, CallerRejection> {
        if request.extensions().get().is_some_and(AuthContext::is_without_credentials) {
            return Ok(Self(None));
        }
        read(request, read_required).map(|read| Self(Some(read)))
    }
}

impl FromRequest for Optional<Caller> {
    type Error = CallerRejection;
    type Future = Ready<Result<Self, CallerRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request, Caller::read))
    }
}

impl<G: Send + Sync + 'static> FromRequest for Optional<Granted<G>> {
    type Error = CallerRejection;
    type Future = Ready<Result<Self, CallerRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request, Granted::read))
    }
}

impl<T: DeserializeOwned> FromRequest for Optional<Claims<T>> {
    type Error = CallerRejection;
    type Future = Ready<Result<Self, CallerRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request, Claims::read))
    }
}
