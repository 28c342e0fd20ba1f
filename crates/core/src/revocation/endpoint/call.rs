//! How an adapter calls an endpoint.

use std::fmt;

use super::{
    form::{FormBytes, is_form},
    response::{EndpointResponse, INVALID_REQUEST, OTHER_METHOD},
};
use crate::{AuthContext, BoxFuture, RequestView};

/// An endpoint that answers requests itself, for an adapter to serve.
pub trait Endpoint: sealed::Sealed + Clone + Send + Sync + 'static {
    /// Starts a request. `context` is what a layer left in it.
    fn call(&self, request: &dyn RequestView, context: Option<&AuthContext>) -> EndpointCall;
}

/// A request to an [`Endpoint`].
#[expect(clippy::exhaustive_enums, reason = "an adapter must do one of these")]
pub enum EndpointCall {
    /// The endpoint does not read the body.
    Response(BoxFuture<'static, EndpointResponse>),
    /// The endpoint needs the body, piece by piece.
    Form(FormCall),
}

impl EndpointCall {
    pub(super) fn respond(response: impl Into<EndpointResponse>) -> Self {
        let response = response.into();
        Self::later(async { response })
    }

    pub(super) fn later(response: impl Future<Output = EndpointResponse> + Send + 'static) -> Self {
        Self::Response(Box::pin(response))
    }

    /// Reads a form of a `POST` request, and responds to it.
    pub(super) fn form<F>(
        request: &dyn RequestView,
        respond: impl FnOnce(FormBytes) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<EndpointResponse, EndpointResponse>> + Send + 'static,
    {
        if request.method() != "POST" {
            return Self::respond(OTHER_METHOD);
        }
        let mut content_types = Vec::new();
        request.field_values("content-type", &mut |value| content_types.push(value));
        if !is_form(&content_types) {
            return Self::respond(INVALID_REQUEST);
        }
        let respond = |bytes| -> BoxFuture<'static, EndpointResponse> {
            let response = respond(bytes);
            Box::pin(async { response.await.unwrap_or_else(|response| response) })
        };
        Self::Form(FormCall { bytes: FormBytes::default(), respond: Box::new(respond) })
    }
}

impl fmt::Debug for EndpointCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Response(_) => "Response",
            Self::Form(_) => "Form",
        })
    }
}

type Respond = dyn FnOnce(FormBytes) -> BoxFuture<'static, EndpointResponse> + Send;

/// A request whose body is a form. `Debug` does not show it.
pub struct FormCall {
    bytes: FormBytes,
    respond: Box<Respond>,
}

impl FormCall {
    /// Takes the next piece of the body.
    ///
    /// # Errors
    ///
    /// The response, if the form is longer than 64 KiB. The rest of the body need not be read.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), EndpointResponse> {
        self.bytes.push(piece)
    }

    /// Responds to the whole form.
    pub async fn finish(self) -> EndpointResponse {
        (self.respond)(self.bytes).await
    }

    /// Returns the response to a body that cannot be read to its end.
    #[must_use]
    pub fn incomplete() -> EndpointResponse {
        INVALID_REQUEST.into()
    }
}

impl fmt::Debug for FormCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormCall").finish_non_exhaustive()
    }
}

pub(super) mod sealed {
    #[expect(unnameable_types, reason = "seals the trait against other implementations")]
    pub trait Sealed {}
}
