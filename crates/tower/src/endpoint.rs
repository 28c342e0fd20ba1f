//! Serving endpoints of the engine.

use std::{
    convert::Infallible,
    fmt,
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use http_body::Body;
use portcullis::{
    AuthContext,
    adapter::{Endpoint, EndpointCall, EndpointResponse, FormCall},
    future::BoxFuture,
};
use tower_service::Service;

use crate::{
    ProblemJson,
    rejection::{respond_to, status},
    request::View,
};

/// Serves an endpoint of the engine: [`RevokeEndpoint`], [`LogoutEndpoint`] or
/// [`BackchannelLogoutEndpoint`], whose pages say what they answer. With the feature `mint`, also those of
/// `portcullis-mint`, such as `TokenExchangeEndpoint`.
///
/// In axum it is for `route_service`. It reads the body itself, 64 KiB at most.
///
/// # Examples
///
/// ```
/// use http::Request;
/// use portcullis::{
///     Authenticator, TokenLocation, policy::role,
///     revocation::{
///         BackchannelLogoutEndpoint, CookieAttributes, LogoutEndpoint, MemoryStore, RevokeEndpoint, Revocations,
///     },
/// };
/// use portcullis_testkit::TestIssuer;
/// use portcullis_tower::{EndpointService, JwtAuthLayer};
/// use tower::{Layer, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://idp.test");
/// let auth = Authenticator::builder()
///     .issuer(issuer.trusted())
///     .audience("orders")
///     .locations([TokenLocation::bearer(), TokenLocation::cookie("session")])
///     .revocations(Revocations::memory())
///     .replay_store(MemoryStore::new())
///     .build()?;
/// auth.ready().await?;
///
/// // Behind the layer, which knows the caller.
/// let revoke = EndpointService::new(RevokeEndpoint::new(&auth)?.admin(role("admin")));
/// let revoke = JwtAuthLayer::new(auth.clone()).layer(revoke);
/// // Not behind the layer.
/// let logout = LogoutEndpoint::new(&auth)?.remove_cookie(&CookieAttributes::new("session"))?;
/// let logout = EndpointService::new(logout);
/// let backchannel = EndpointService::new(BackchannelLogoutEndpoint::new(&auth, ["my-client-id"])?);
///
/// let token = issuer.token().audience("orders").claim("jti", "1").build();
/// let request = Request::post("/logout").header("cookie", format!("session={token}"));
/// let response = logout.oneshot(request.body(String::new())?).await?;
/// assert_eq!(response.status(), 204);
/// assert_eq!(auth.authenticate_token(&token).await.unwrap_err().kind().code(), "token_revoked");
/// # drop((revoke, backchannel));
/// # Ok(()) }
/// ```
///
/// [`RevokeEndpoint`]: portcullis::revocation::RevokeEndpoint
/// [`LogoutEndpoint`]: portcullis::revocation::LogoutEndpoint
/// [`BackchannelLogoutEndpoint`]: portcullis::revocation::BackchannelLogoutEndpoint
#[derive(Clone, Debug)]
pub struct EndpointService<E> {
    endpoint: E,
}

impl<E: Endpoint> EndpointService<E> {
    /// Serves an endpoint.
    #[must_use]
    pub fn new(endpoint: E) -> Self {
        Self { endpoint }
    }
}

impl<E, B> Service<Request<B>> for EndpointService<E>
where
    E: Endpoint,
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<String>;
    type Error = Infallible;
    type Future = EndpointFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let context = request.extensions().get::<AuthContext>();
        let call = self.endpoint.call(&View::of(&request), context);
        let is_head = request.method() == Method::HEAD;
        let response = match call {
            EndpointCall::Response(response) => response,
            EndpointCall::Form(call) => Box::pin(answer_form(call, request.into_body())),
        };
        EndpointFuture { response, is_head }
    }
}

/// Reads the body as far as the endpoint wants it.
async fn answer_form<B: Body>(mut call: FormCall, body: B) -> EndpointResponse {
    let mut body = pin!(body);
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(frame) = frame else { return FormCall::incomplete() };
        let Ok(mut data) = frame.into_data() else { continue };
        while data.has_remaining() {
            let piece = data.chunk();
            if let Err(response) = call.push(piece) {
                return response;
            }
            data.advance(piece.len());
        }
    }
    call.finish().await
}

/// The future of [`EndpointService`].
#[must_use = "futures do nothing unless polled"]
pub struct EndpointFuture {
    response: BoxFuture<'static, EndpointResponse>,
    is_head: bool,
}

impl Future for EndpointFuture {
    type Output = Result<Response<String>, Infallible>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.response.as_mut().poll(cx));
        Poll::Ready(Ok(render(response, self.is_head)))
    }
}

impl fmt::Debug for EndpointFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointFuture").finish_non_exhaustive()
    }
}

fn render(response: EndpointResponse, is_head: bool) -> Response<String> {
    match response {
        EndpointResponse::Plain { status: code, headers, body } => {
            let mut rendered = Response::new(String::new());
            *rendered.status_mut() = status(code);
            for (name, value) in headers {
                // The engine writes visible ASCII, which a value can always have.
                if let Ok(value) = HeaderValue::try_from(&*value) {
                    rendered.headers_mut().append(HeaderName::from_static(name), value);
                }
            }
            if is_head {
                // A response that never has a body has no length either (RFC 9110 §8.6).
                if !matches!(code, 204 | 304) {
                    rendered.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
                }
            } else {
                *rendered.body_mut() = body.into_owned();
            }
            rendered
        }
        EndpointResponse::Rejected(rejection) => {
            let response: Response<Bytes> = respond_to(&rejection, &ProblemJson);
            response.map(|body| String::from_utf8_lossy(&body).into_owned())
        }
    }
}
