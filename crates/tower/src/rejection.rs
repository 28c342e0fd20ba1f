//! From a rejection to a response.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use portcullis::{Rejection, adapter::PlainResponse};

/// Makes responses of a [`Rejection`], for an application that answers in its own form.
pub trait RejectionExt: sealed::Sealed {
    /// Makes a response with the status and the header fields of the rejection. It has no
    /// `Content-Type`, which depends on the body.
    #[must_use]
    fn response<B>(&self, body: B) -> Response<B>;

    /// Makes a [response](Self::response) whose body is plain text.
    #[must_use]
    fn text<B: From<Bytes>>(&self, text: impl Into<String>) -> Response<B>;
}

impl RejectionExt for Rejection {
    fn response<B>(&self, body: B) -> Response<B> {
        self.report();
        let mut response = Response::new(body);
        *response.status_mut() = status(self.status());
        for (name, value) in self.header_fields() {
            // The engine writes visible ASCII, which a value can always have.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }

    fn text<B: From<Bytes>>(&self, text: impl Into<String>) -> Response<B> {
        with_type("text/plain; charset=utf-8", self.response(B::from(text.into().into())))
    }
}

fn with_type<B>(content_type: &'static str, mut response: Response<B>) -> Response<B> {
    let value = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}

pub(crate) fn status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Makes the response that the client gets, and reports the rejection. The errors stay in the extensions
/// of the response, for layers around.
pub(crate) fn respond_to<B>(
    rejection: &Rejection,
    respond: &impl ResponseForRejection<B>,
) -> Response<B> {
    rejection.report();
    let mut response = respond.response(rejection);
    if let Some(error) = rejection.error() {
        response.extensions_mut().insert(error.clone());
    }
    if let Some(error) = rejection.layer_error() {
        response.extensions_mut().insert(error);
    }
    response
}

/// Makes a response that is the same for every client. The body is the caller's, to share it.
pub(crate) fn plain<B>(answer: PlainResponse<'_>, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = status(answer.status);
    for &(name, value) in answer.headers {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    response
}

/// Makes the response to a rejected request.
///
/// Closures implement it, so that an application can answer in its own form. Write out the type of their
/// argument:
///
/// ```
/// use http::Response;
/// use portcullis_tower::{JwtAuthLayer, Rejection, RejectionExt};
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
        let body = if rejection.is_head() { Bytes::new() } else { rejection.body().into() };
        with_type(Rejection::CONTENT_TYPE, RejectionExt::response(rejection, body.into()))
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "seals the trait against other implementations")]
    pub trait Sealed {}

    impl Sealed for portcullis::Rejection {}
}
