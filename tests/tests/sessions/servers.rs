//! The same routes in both frameworks.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{App, HttpResponse, HttpServer, web};
use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
    routing::{get, post},
};
use portcullis::{
    Authenticator,
    policy::scope,
    revocation::{CookieAttributes, LogoutEndpoint, SetCookies},
};
use portcullis_mint::session::Sessions;
use serde_json::Value;
use tokio::sync::Barrier;

/// Behind a layer that requires credentials: the subject.
pub(crate) const REQUIRED: &str = "/required";
/// Behind an optional layer, as the routes below: a handler that requires a caller.
pub(crate) const WHO: &str = "/who";
/// A handler that can do without a caller.
pub(crate) const MAYBE: &str = "/maybe";
/// Behind a policy that requires the scope `read`.
pub(crate) const POLICY: &str = "/policy";
/// A path that is declared public.
pub(crate) const PUBLIC: &str = "/public";
/// A handler that fails with 500.
pub(crate) const FAILING: &str = "/failing";
/// A handler that waits twice until as many requests are there as the barrier has.
pub(crate) const BARRIER: &str = "/barrier";
/// A handler whose response has the `Cache-Control` of the request's field `x-cache-control`.
pub(crate) const CACHED: &str = "/cached";
/// Starts a session.
pub(crate) const LOGIN: &str = "/login";
/// Ends the caller's session in a handler.
pub(crate) const LEAVE: &str = "/leave";
/// The endpoint, which is not behind the layer.
pub(crate) const LOGOUT: &str = "/logout";

/// What the services share.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) auth: Authenticator,
    pub(crate) sessions: Sessions,
    pub(crate) cookie: CookieAttributes,
    pub(crate) barrier: Arc<Barrier>,
    /// The claims of those who log in.
    pub(crate) claims: Value,
}

impl Service {
    fn login(&self) -> SetCookies {
        self.sessions.start(&self.claims).unwrap()
    }

    fn logout(&self) -> LogoutEndpoint {
        LogoutEndpoint::new(&self.auth).unwrap().remove_cookie(&self.cookie).unwrap()
    }
}

/// A framework.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framework {
    Axum,
    ActixWeb,
}

impl Framework {
    pub(crate) const ALL: [Self; 2] = [Self::Axum, Self::ActixWeb];

    /// Starts a server.
    pub(crate) fn start(self, service: Service) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        match self {
            Self::Axum => start_axum(listener, &service),
            Self::ActixWeb => start_actix_web(listener, service),
        }
        address
    }
}

fn start_axum(listener: TcpListener, service: &Service) {
    use portcullis_axum::{Caller, EndpointService, JwtAuthLayer, RequireLayer};

    async fn subject(caller: Caller) -> String {
        caller.subject().to_owned()
    }
    async fn maybe(caller: Option<Caller>) -> String {
        caller.map_or("nobody".to_owned(), |caller| caller.subject().to_owned())
    }
    async fn cached(headers: HeaderMap) -> impl IntoResponse {
        let name = HeaderName::from_static("x-cache-control");
        let value = headers.get(name).cloned().unwrap_or(HeaderValue::from_static(""));
        [(header::CACHE_CONTROL, value)]
    }
    fn change(cookies: &SetCookies) -> impl IntoResponse + use<> {
        let fields = cookies.values().map(|value| (header::SET_COOKIE, value.to_owned()));
        AppendHeaders(fields.collect::<Vec<_>>())
    }
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let (barrier, login, leave) =
        (Arc::clone(&service.barrier), service.clone(), service.sessions.clone());
    let layer = || JwtAuthLayer::new(service.auth.clone());
    let required = Router::new()
        .route(REQUIRED, get(subject))
        .layer(layer().with_sessions(service.sessions.clone()));
    let optional = Router::new()
        .route(WHO, get(subject).post(subject))
        .route(MAYBE, get(maybe).post(maybe))
        .route(POLICY, get(maybe).layer(RequireLayer::new(scope("read"))))
        .route(PUBLIC, get(maybe))
        .route(FAILING, get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route(
            BARRIER,
            get(async move |caller: Caller| {
                barrier.wait().await;
                barrier.wait().await;
                caller.subject().to_owned()
            }),
        )
        .route(CACHED, get(cached))
        .route(LOGIN, post(async move || change(&login.login())))
        .route(LEAVE, post(async move |caller: Caller| change(&leave.end(&caller).await.unwrap())))
        .layer(
            layer()
                .optional()
                .public(|uri| uri.path() == PUBLIC)
                .with_sessions(service.sessions.clone()),
        );
    let app =
        required.merge(optional).route_service(LOGOUT, EndpointService::new(service.logout()));
    tokio::spawn(async { axum::serve(listener, app).await });
}

fn start_actix_web(listener: TcpListener, service: Service) {
    use portcullis_actix_web::{Caller, EndpointService, JwtAuth, Optional, Require};

    async fn subject(caller: Caller) -> String {
        caller.subject().to_owned()
    }
    async fn maybe(Optional(caller): Optional<Caller>) -> String {
        caller.map_or("nobody".to_owned(), |caller| caller.subject().to_owned())
    }
    async fn cached(request: actix_web::HttpRequest) -> HttpResponse {
        let value = request.headers().get("x-cache-control").unwrap().clone();
        HttpResponse::Ok().insert_header(("cache-control", value)).finish()
    }
    async fn failing() -> Result<HttpResponse, actix_web::Error> {
        Err(actix_web::error::ErrorInternalServerError(""))
    }
    async fn barrier(caller: Caller, service: web::Data<Service>) -> String {
        service.barrier.wait().await;
        service.barrier.wait().await;
        caller.subject().to_owned()
    }
    async fn login(service: web::Data<Service>) -> HttpResponse {
        change(&service.login())
    }
    async fn leave(caller: Caller, service: web::Data<Service>) -> HttpResponse {
        change(&service.sessions.end(&caller).await.unwrap())
    }
    fn change(cookies: &SetCookies) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        for value in cookies.values() {
            response.append_header(("set-cookie", value));
        }
        response.finish()
    }
    std::thread::spawn(move || {
        let app = move || {
            let layer = || JwtAuth::new(service.auth.clone());
            App::new()
                .app_data(web::Data::new(service.clone()))
                .service(
                    web::resource(REQUIRED)
                        .to(subject)
                        .wrap(layer().with_sessions(service.sessions.clone())),
                )
                .route(LOGOUT, web::to(EndpointService::new(service.logout())))
                .service(
                    web::scope("")
                        .route(WHO, web::to(subject))
                        .route(MAYBE, web::to(maybe))
                        .route(POLICY, web::to(maybe).wrap(Require::new(scope("read"))))
                        .route(PUBLIC, web::to(maybe))
                        .route(FAILING, web::to(failing))
                        .route(BARRIER, web::to(barrier))
                        .route(CACHED, web::to(cached))
                        .route(LOGIN, web::post().to(login))
                        .route(LEAVE, web::post().to(leave))
                        .wrap(
                            layer()
                                .optional()
                                .public(|uri| uri.path() == PUBLIC)
                                .with_sessions(service.sessions.clone()),
                        ),
                )
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        actix_web::rt::System::new().block_on(server.listen(listener).unwrap().run())
    });
}
