//! From a rejection to a response.

use std::{error::Error, sync::Arc};

use actix_web::{
    HttpResponse,
    body::MessageBody,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
};
use portcullis::{
    AuthError, AuthErrorKind, Challenge, ChallengeMap, ChallengeSettings, LayerError, NoCaller,
};

/// A request that is rejected: what a [`ResponseForRejection`] makes a response from.
#[derive(Clone, Debug)]
pub struct Rejection {
    challenge: Challenge,
    error: Option<AuthError>,
    layer_error: Option<LayerError>,
    is_head: bool,
}

impl Rejection {
    pub(crate) fn new(error: AuthError, settings: Arc<ChallengeSettings>, method: &Method) -> Self {
        let challenge = Challenge::from(&error).with_settings(settings);
        Self { challenge, error: Some(error), layer_error: None, is_head: *method == Method::HEAD }
    }

    /// Tells the log at once, so that it is told too where nobody looks at the rejection.
    pub(crate) fn of_layer(error: LayerError, method: &Method) -> Self {
        error.report();
        Self::of_reported_layer(error, method)
    }

    pub(crate) fn of_reported_layer(error: LayerError, method: &Method) -> Self {
        Self {
            challenge: (&error).into(),
            error: None,
            layer_error: Some(error),
            is_head: *method == Method::HEAD,
        }
    }

    pub(crate) fn no_caller(reason: NoCaller, method: &Method) -> Self {
        match reason {
            NoCaller::Rejected(error, settings) => Self::new(error, settings, method),
            NoCaller::Layer(error) => Self::of_layer(error, method),
        }
    }

    /// Returns what the caller may be told.
    #[must_use]
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// Returns the error behind it, which has more than a caller may be told; `None` if the
    /// application is put together wrongly.
    #[must_use]
    pub fn error(&self) -> Option<&AuthError> {
        self.error.as_ref()
    }

    /// Returns the [kind](AuthError::kind) of the error, which of an application that is put together
    /// wrongly is [`InternalError`](AuthErrorKind::InternalError).
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.error.as_ref().map_or(AuthErrorKind::InternalError, AuthError::kind)
    }

    /// Returns what the error has as its [source](Error::source): the reason of a rule of the
    /// application's, say. A caller may be told only what the application means for them.
    #[must_use]
    pub fn reason(&self) -> Option<&(dyn Error + 'static)> {
        self.error.as_ref()?.source()
    }

    /// Returns how the application is put together wrongly, if that is the reason.
    #[must_use]
    pub fn layer_error(&self) -> Option<LayerError> {
        self.layer_error
    }

    /// Makes a response with the status and the headers of the challenge. Its type of content is not
    /// set: that goes with the body.
    #[must_use]
    pub fn response(&self, body: impl MessageBody + 'static) -> HttpResponse {
        let status = StatusCode::from_u16(self.challenge.status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::with_body(status, body).map_into_boxed_body();
        let headers = response.headers_mut();
        // What the engine writes is visible ASCII, which a header value always holds.
        if let Some(Ok(value)) = self.challenge.www_authenticate().map(HeaderValue::try_from) {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        if let Some(retry_after) = self.challenge.retry_after() {
            headers.insert(header::RETRY_AFTER, retry_after.as_secs().into());
        }
        response
    }

    /// Makes a [response](Self::response) whose body is a text.
    #[must_use]
    pub fn text(&self, text: impl Into<String>) -> HttpResponse {
        let mut response = self.response(text.into());
        let value = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        response
    }

    /// Tells whether the request was a `HEAD`. A response may have its body all the same: the server
    /// sends its length alone.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.is_head
    }

    /// Makes the response that the caller gets.
    pub(crate) fn into_response(
        mut self,
        form: &RejectionForm<impl ResponseForRejection>,
    ) -> HttpResponse {
        if let Some(error) = &self.error {
            error.report();
            self.challenge = form.challenge.apply(self.challenge, error);
        }
        let mut response = form.respond.response(&self);
        if let Some(error) = self.error {
            response.extensions_mut().insert(error);
        }
        if let Some(error) = self.layer_error {
            response.extensions_mut().insert(error);
        }
        response
    }
}

/// What a middleware makes of its rejections.
#[derive(Clone, Debug, Default)]
pub(crate) struct RejectionForm<R> {
    pub(crate) respond: R,
    pub(crate) challenge: ChallengeMap,
}

impl<R> RejectionForm<R> {
    pub(crate) fn with_response<R2>(self, respond: R2) -> RejectionForm<R2> {
        RejectionForm { respond, challenge: self.challenge }
    }
}

/// Makes the response to a rejected request.
///
/// Closures are one, so that an application can answer in its own form. Their argument needs its type
/// written out:
///
/// ```
/// use portcullis_actix_web::{JwtAuth, Rejection};
/// # use portcullis_actix_web::Authenticator;
/// # use portcullis_testkit::TestIssuer;
/// # let issuer = TestIssuer::new("https://idp.test");
/// # let auth = Authenticator::builder().issuer(issuer.trusted()).audience("orders").build()?;
///
/// let middleware = JwtAuth::new(auth).response_for_rejection(|rejection: &Rejection| {
///     rejection.response(format!("no: {}", rejection.challenge().code()))
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ResponseForRejection {
    /// Makes the response.
    fn response(&self, rejection: &Rejection) -> HttpResponse;
}

impl<F: Fn(&Rejection) -> HttpResponse> ResponseForRejection for F {
    fn response(&self, rejection: &Rejection) -> HttpResponse {
        self(rejection)
    }
}

/// Answers with a body of type `application/problem+json` ([RFC 9457]). The default.
///
/// [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ProblemJson;

impl ResponseForRejection for ProblemJson {
    fn response(&self, rejection: &Rejection) -> HttpResponse {
        let mut response = rejection.response(rejection.challenge.problem_json());
        let value = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        response
    }
}
