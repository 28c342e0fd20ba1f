//! From a rejection to a response.

use std::{error::Error, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
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
    /// Creates the rejection of a request that code behind the layers rejects, and [reports] it. The
    /// settings are those of the [caller](portcullis::Principal::challenge_settings).
    ///
    /// [reports]: AuthError::report
    #[must_use]
    pub fn from_error(error: AuthError, settings: Arc<ChallengeSettings>) -> Self {
        Self::new(error, settings, &Method::GET)
    }

    pub(crate) fn new(error: AuthError, settings: Arc<ChallengeSettings>, method: &Method) -> Self {
        error.report();
        let challenge = Challenge::from(&error).with_settings(settings);
        Self { challenge, error: Some(error), layer_error: None, is_head: *method == Method::HEAD }
    }

    pub(crate) fn of_layer(error: LayerError, method: &Method) -> Self {
        error.report();
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
    pub fn response<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.challenge.status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
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
    pub fn text<B: From<Bytes>>(&self, text: impl Into<String>) -> Response<B> {
        let mut response = self.response(B::from(Bytes::from(text.into())));
        let value = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        response
    }

    /// Tells whether the request was a `HEAD`, whose response has no body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.is_head
    }

    pub(crate) fn into_response<B>(
        mut self,
        form: &RejectionForm<impl ResponseForRejection<B>>,
    ) -> Response<B> {
        if let Some(error) = &self.error {
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

/// What a layer makes of its rejections.
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
/// use http::Response;
/// use portcullis_tower::{JwtAuthLayer, Rejection};
/// # use portcullis::Authenticator;
/// # use portcullis_testkit::TestIssuer;
/// # let issuer = TestIssuer::new("https://idp.test");
/// # let auth = Authenticator::builder().issuer(issuer.trusted()).audience("orders").build()?;
///
/// let layer = JwtAuthLayer::new(auth).response_for_rejection(|rejection: &Rejection| {
///     rejection.response(format!("no: {}", rejection.challenge().code()))
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ResponseForRejection<B> {
    /// Makes the response.
    fn response(&self, rejection: &Rejection) -> Response<B>;
}

impl<F, B> ResponseForRejection<B> for F
where
    F: Fn(&Rejection) -> Response<B>,
{
    fn response(&self, rejection: &Rejection) -> Response<B> {
        self(rejection)
    }
}

/// Answers with a body of type `application/problem+json` ([RFC 9457]). The default.
///
/// [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ProblemJson;

impl<B: From<Bytes>> ResponseForRejection<B> for ProblemJson {
    fn response(&self, rejection: &Rejection) -> Response<B> {
        let body = if rejection.is_head {
            Bytes::new()
        } else {
            Bytes::from(rejection.challenge.problem_json())
        };
        let mut response = rejection.response(B::from(body));
        let value = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        response
    }
}
