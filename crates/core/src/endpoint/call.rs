//! How an adapter calls an endpoint.

use std::fmt;

use super::{
    Form,
    form::{FormBytes, is_form},
    response::{EndpointResponse, NOT_POST},
};
use crate::{AuthContext, BoxFuture, RequestView};

/// An endpoint that answers requests itself, for an adapter to serve.
pub trait Endpoint: Clone + Send + Sync + 'static {
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
    /// Responds at once, and does not read the body.
    pub fn respond(response: impl Into<EndpointResponse>) -> Self {
        let response = response.into();
        Self::later(async { response })
    }

    /// Responds when a future ends, and does not read the body.
    pub fn later(response: impl Future<Output = EndpointResponse> + Send + 'static) -> Self {
        Self::Response(Box::pin(response))
    }

    /// Reads the form of a `POST` request, and responds to it.
    ///
    /// Another method gets 405, and a body that is not a form gets 400 with the error `invalid_request`.
    pub fn form<F>(
        request: &dyn RequestView,
        respond: impl FnOnce(Form) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<EndpointResponse, EndpointResponse>> + Send + 'static,
    {
        if request.method() != "POST" {
            return Self::respond(NOT_POST);
        }
        let mut content_types = Vec::new();
        request.field_values("content-type", &mut |value| content_types.push(value));
        if !is_form(&content_types) {
            return Self::respond(EndpointResponse::invalid_request());
        }
        let respond = |bytes: FormBytes| -> BoxFuture<'static, EndpointResponse> {
            let response = bytes.decode().map(respond);
            Box::pin(async {
                match response {
                    Some(response) => response.await.unwrap_or_else(|response| response),
                    None => EndpointResponse::invalid_request(),
                }
            })
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
        EndpointResponse::invalid_request()
    }
}

impl fmt::Debug for FormCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormCall").finish_non_exhaustive()
    }
}
