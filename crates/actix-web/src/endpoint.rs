//! Serving endpoints of the engine.

use std::future::poll_fn;

use actix_web::{
    Handler, HttpMessage, HttpRequest, HttpResponse,
    body::{BodyStream, MessageBody},
    http::header::{HeaderName, HeaderValue},
    web::Payload,
};
use portcullis::{
    AuthContext,
    adapter::{Endpoint, EndpointCall, EndpointResponse, FormCall},
};

use crate::{
    ProblemJson,
    rejection::{respond_to, status},
    remove_tokens::Removed,
    request_view::View,
};

/// Serves an endpoint of the engine: [`RevokeEndpoint`], [`LogoutEndpoint`] or
/// [`BackchannelLogoutEndpoint`], whose pages say what they answer. It is a handler. With the feature
/// `mint`, it also serves those of `portcullis-mint`, such as `TokenExchangeEndpoint`.
///
/// It reads the body itself, 64 KiB at most.
///
/// # Examples
///
/// ```
/// use actix_web::{App, test, web};
/// use portcullis_actix_web::{Authenticator, EndpointService, JwtAuth, TokenLocation, policy::role};
/// use portcullis_actix_web::revocation::{
///     BackchannelLogoutEndpoint, CookieAttributes, LogoutEndpoint, MemoryStore, RevokeEndpoint, Revocations,
/// };
/// use portcullis_testkit::TestIssuer;
///
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
/// let revoke = RevokeEndpoint::new(&auth)?.admin(role("admin"));
/// let logout = LogoutEndpoint::new(&auth)?.remove_cookie(&CookieAttributes::new("session"))?;
/// let backchannel = BackchannelLogoutEndpoint::new(&auth, ["my-client-id"])?;
/// let app = App::new()
///     .service(
///         // Behind the middleware, which knows the caller.
///         web::resource("/revoke")
///             .to(EndpointService::new(revoke))
///             .wrap(JwtAuth::new(auth.clone())),
///     )
///     // Not behind the middleware.
///     .route("/logout", web::to(EndpointService::new(logout)))
///     .route("/backchannel-logout", web::to(EndpointService::new(backchannel)));
///
/// let app = test::init_service(app).await;
/// let token = issuer.token().audience("orders").claim("jti", "1").build();
/// let request = test::TestRequest::post().uri("/logout");
/// let request = request.insert_header(("cookie", format!("session={token}")));
/// let response = test::call_service(&app, request.to_request()).await;
/// assert_eq!(response.status(), 204);
/// assert_eq!(auth.authenticate_token(&token).await.unwrap_err().kind().code(), "token_revoked");
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

    fn call_endpoint(&self, request: &HttpRequest) -> EndpointCall {
        let extensions = request.extensions();
        // Tokens that were removed are to end too.
        let view = View::with(request.head(), extensions.get::<Removed>());
        self.endpoint.call(&view, extensions.get::<AuthContext>())
    }
}

impl<E: Endpoint> Handler<(HttpRequest, Payload)> for EndpointService<E> {
    type Output = HttpResponse;
    type Future = std::pin::Pin<Box<dyn Future<Output = HttpResponse>>>;

    fn call(&self, (request, payload): (HttpRequest, Payload)) -> Self::Future {
        let call = self.call_endpoint(&request);
        // The request goes first: the server reuses it.
        drop(request);
        Box::pin(async move {
            render(match call {
                EndpointCall::Response(response) => response.await,
                EndpointCall::Form(call) => answer_form(call, payload).await,
            })
        })
    }
}

/// Reads the body as far as the endpoint wants it.
async fn answer_form(mut call: FormCall, payload: Payload) -> EndpointResponse {
    let mut body = Box::pin(BodyStream::new(payload));
    while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let Ok(piece) = piece else { return FormCall::incomplete() };
        if let Err(response) = call.push(&piece) {
            return response;
        }
    }
    call.finish().await
}

/// The server sends no body of a response to `HEAD`, only its length.
fn render(response: EndpointResponse) -> HttpResponse {
    match response {
        EndpointResponse::Plain { status: code, headers, body } => {
            let mut rendered = HttpResponse::with_body(status(code), body).map_into_boxed_body();
            for (name, value) in headers {
                // The engine writes visible ASCII, which a value can always have.
                if let Ok(value) = HeaderValue::try_from(&*value) {
                    rendered.headers_mut().append(HeaderName::from_static(name), value);
                }
            }
            rendered
        }
        EndpointResponse::Rejected(rejection) => respond_to(&rejection, &ProblemJson),
    }
}
