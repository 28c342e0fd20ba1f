//! Removes tokens from requests before the framework shares them.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    HttpMessage,
    dev::{RequestHead, Service, ServiceFactory},
    http::{
        Uri,
        header::{HeaderName, HeaderValue},
        uri::PathAndQuery,
    },
};
use portcullis::{Authenticator, Grant, adapter::HiddenTokens};

use crate::request_view::View;

/// Removes tokens from each request before an application sees it: around a whole `App`.
///
/// An application needs it if its engine reads tokens from the query or from WebSocket subprotocols, or
/// [removes tokens](portcullis::AuthenticatorBuilder::remove_tokens) from header fields and cookies.
/// [`JwtAuth`](crate::JwtAuth) still sees the tokens. Handlers, extractors and all middlewares, a
/// `Logger` around `JwtAuth` included, do not. Without it, `JwtAuth` answers 500 instead of passing on a
/// request with such a token, and logs once which line to add.
///
/// ```
/// use actix_web::{App, HttpServer, web};
/// use portcullis_actix_web::{Authenticator, Caller, JwtAuth, RemoveTokens};
///
/// # async fn serve(auth: Authenticator) -> std::io::Result<()> {
/// # let list_orders = async |caller: Caller| caller.subject().to_owned();
/// let app = move || {
///     let app = App::new()
///         .route("/orders", web::get().to(list_orders))
///         .wrap(JwtAuth::new(auth.clone()));
///     RemoveTokens::new(auth.clone(), app)
/// };
/// # if true { actix_web::test::init_service(app()).await; return Ok(()); }
/// HttpServer::new(app).bind(("127.0.0.1", 8080))?.run().await
/// # }
/// # let issuer = portcullis_testkit::TestIssuer::new("https://idp.example.com");
/// # let auth = Authenticator::builder().issuer(issuer.trusted()).audience("a").build().unwrap();
/// # actix_web::rt::System::new().block_on(serve(auth)).unwrap();
/// ```
///
/// It is no middleware, because a middleware cannot change a request safely: actix-web panics if any
/// other middleware has a clone of the request, and offers no way to find out.
///
/// # Several engines
///
/// An application with several engines has one of these for each, one around the other. So has an
/// application whose routes read tokens from other places than their engine
/// ([`Authenticator::with_locations`]): pass the handle that it returned. Engines that read different
/// prefixes of `Sec-WebSocket-Protocol` must not share an application: a token of one may look like the
/// prefix of the other.
///
/// # What else sees a request without its tokens
///
/// Tokens are removed from every request, whether a `JwtAuth` judges it or not: a handler elsewhere in
/// the application cannot read a query parameter that has the name of the engine's. A middleware around
/// `JwtAuth` cannot take a removed token away from it. If it adds such a field again, `JwtAuth` answers 500.
#[must_use]
pub struct RemoveTokens<A, G = Grant> {
    auth: Authenticator<G>,
    app: A,
}

impl<A, G> RemoveTokens<A, G> {
    /// Creates the service around an application, which is whatever `HttpServer::new` and
    /// `test::init_service` take.
    pub fn new<I>(auth: Authenticator<G>, app: I) -> Self
    where
        I: IntoServiceFactory<A, Request>,
        A: ServiceFactory<Request>,
    {
        Self { auth, app: app.into_factory() }
    }
}

impl<A, G> fmt::Debug for RemoveTokens<A, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoveTokens").finish_non_exhaustive()
    }
}

impl<A, G> ServiceFactory<Request> for RemoveTokens<A, G>
where
    A: ServiceFactory<Request>,
    A::Future: 'static,
    G: Send + Sync + 'static,
{
    type Response = A::Response;
    type Error = A::Error;
    type Config = A::Config;
    type Service = RemoveTokensService<A::Service, G>;
    type InitError = A::InitError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Service, A::InitError>>>>;

    fn new_service(&self, config: A::Config) -> Self::Future {
        let (auth, service) = (self.auth.clone(), self.app.new_service(config));
        Box::pin(async move { Ok(RemoveTokensService { auth, service: service.await? }) })
    }
}

/// The service of [`RemoveTokens`].
pub struct RemoveTokensService<S, G> {
    auth: Authenticator<G>,
    service: S,
}

impl<S, G> fmt::Debug for RemoveTokensService<S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoveTokensService").finish_non_exhaustive()
    }
}

impl<S: Service<Request>, G: Send + Sync + 'static> Service<Request> for RemoveTokensService<S, G> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&self, mut request: Request) -> S::Future {
        let visible = self.auth.hidden_tokens(&View::of(request.head()));
        if !is_empty(&visible) {
            let mut removed = request.extensions_mut().remove::<Removed>().unwrap_or_default();
            removed.remove(&self.auth, request.head_mut(), &visible);
            request.extensions_mut().insert(removed);
        }
        self.service.call(request)
    }
}

/// The parts of a request from which tokens were removed, as the client sent them. It is in the
/// extensions of the request, for [`JwtAuth`](crate::JwtAuth) alone. There is no `Debug`: it has tokens.
#[derive(Default)]
pub(crate) struct Removed {
    query: Option<String>,
    fields: Vec<(HeaderName, Vec<HeaderValue>)>,
}

impl Removed {
    pub(crate) fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&[HeaderValue]> {
        let field = self.fields.iter().find(|(own, _)| own.as_str() == name);
        field.map(|(_, values)| values.as_slice())
    }

    /// Removes the tokens that are visible, and keeps what the client sent. The request is owned here, so
    /// that changing it cannot panic.
    fn remove<G: Send + Sync + 'static>(
        &mut self,
        auth: &Authenticator<G>,
        head: &mut RequestHead,
        visible: &HiddenTokens,
    ) {
        let sent = auth.hidden_tokens(&View::with(head, Some(self)));
        for (name, values) in visible.fields() {
            // The name is that of a field which is there, and the values are pieces of its values.
            let Ok(name) = HeaderName::try_from(name) else { continue };
            if is_without(head, &name, &sent) {
                continue;
            }
            if self.field(name.as_str()).is_none() {
                let values = head.headers.get_all(&name).cloned().collect();
                self.fields.push((name.clone(), values));
            }
            head.headers.remove(&name);
            for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
                head.headers.append(name.clone(), value);
            }
        }
        if let Some(query) = visible.query() {
            self.query = self.query.take().or_else(|| head.uri.query().map(ToOwned::to_owned));
            replace_query(&mut head.uri, query);
        }
    }
}

/// Returns whether a request has tokens that the engine hides. `sent` is what the engine hides of the
/// request as the client sent it.
pub(crate) fn has_visible_tokens<G: Send + Sync + 'static>(
    auth: &Authenticator<G>,
    head: &RequestHead,
    sent: &HiddenTokens,
) -> bool {
    if is_empty(sent) {
        return false;
    }
    let visible = auth.hidden_tokens(&View::of(head));
    let is_visible =
        |name: &str| HeaderName::try_from(name).map_or(true, |name| !is_without(head, &name, sent));
    visible.query().is_some() || visible.fields().any(|(name, _)| is_visible(name))
}

/// Returns whether a field has the values that are left of it without tokens. What is left may look
/// like a token again: `access_token, chat` of the subprotocols `access_token, <token>, chat`.
fn is_without(head: &RequestHead, name: &HeaderName, sent: &HiddenTokens) -> bool {
    let values = || head.headers.get_all(name).map(HeaderValue::as_bytes);
    let mut fields = sent.fields();
    fields.any(|(own, left)| own == name.as_str() && values().eq(left.iter().map(Vec::as_slice)))
}

fn is_empty(hidden: &HiddenTokens) -> bool {
    hidden.query().is_none() && hidden.fields().next().is_none()
}

/// Puts another query into a URI; an empty one goes with its question mark.
fn replace_query(uri: &mut Uri, query: &str) {
    let path = uri.path();
    let path_and_query = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let mut parts = std::mem::take(uri).into_parts();
    // Both are pieces of a valid URI, so this parses. If it ever did not, the path alone is the
    // answer that leaks nothing.
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
}
