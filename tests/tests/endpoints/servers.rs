//! The same routes in both frameworks.

use std::net::{SocketAddr, TcpListener};

use actix_web::{App, HttpServer, web};
use axum::Router;
use portcullis::{
    Authenticator,
    policy::role,
    revocation::{BackchannelLogoutEndpoint, CookieAttributes, LogoutEndpoint, RevokeEndpoint},
};

/// Revokes own tokens, behind a layer.
pub(crate) const REVOKE: &str = "/revoke";
/// Revokes tokens of others too, for those with the role `admin`.
pub(crate) const ADMIN: &str = "/admin/revoke";
/// Lacks the layer.
pub(crate) const BARE: &str = "/bare/revoke";
pub(crate) const LOGOUT: &str = "/logout";
/// Removes no cookie.
pub(crate) const PLAIN_LOGOUT: &str = "/plain/logout";
/// Is a link that redirects.
pub(crate) const LINKED_LOGOUT: &str = "/linked/logout";
/// Is behind a layer.
pub(crate) const LAYERED_LOGOUT: &str = "/layered/logout";
pub(crate) const BACKCHANNEL: &str = "/backchannel-logout";

/// The client ids of the service at its issuer.
pub(crate) const CLIENT_IDS: [&str; 2] = ["web", "mobile"];

/// What removes the cookie of the service.
pub(crate) const REMOVED: &str = "session=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; \
                                  Secure; HttpOnly; SameSite=Lax";

#[derive(Clone)]
struct Endpoints {
    auth: Authenticator,
    revoke: RevokeEndpoint,
    logout: LogoutEndpoint,
    backchannel: BackchannelLogoutEndpoint,
}

impl Endpoints {
    fn new(auth: &Authenticator) -> Self {
        Self {
            auth: auth.clone(),
            revoke: RevokeEndpoint::new(auth).unwrap(),
            logout: LogoutEndpoint::new(auth).unwrap(),
            backchannel: BackchannelLogoutEndpoint::new(auth, CLIENT_IDS).unwrap(),
        }
    }

    fn admin(&self) -> RevokeEndpoint {
        self.revoke.clone().admin(role("admin"))
    }

    fn linked_logout(&self) -> LogoutEndpoint {
        self.logout_with_cookie().redirect("/login?next=%2F").unwrap().dangerous_allow_get()
    }

    fn logout_with_cookie(&self) -> LogoutEndpoint {
        self.logout.clone().remove_cookie(&CookieAttributes::new("session")).unwrap()
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
    pub(crate) fn start(self, auth: &Authenticator) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, endpoints) = (listener.local_addr().unwrap(), Endpoints::new(auth));
        match self {
            Self::Axum => start_axum(listener, &endpoints),
            Self::ActixWeb => start_actix_web(listener, endpoints),
        }
        address
    }
}

fn start_axum(listener: TcpListener, endpoints: &Endpoints) {
    use portcullis_axum::{EndpointService, JwtAuthLayer};

    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let router = Router::new()
        .route_service(REVOKE, EndpointService::new(endpoints.revoke.clone()))
        .route_service(ADMIN, EndpointService::new(endpoints.admin()))
        .route_service(LAYERED_LOGOUT, EndpointService::new(endpoints.logout.clone()))
        .route_layer(JwtAuthLayer::new(endpoints.auth.clone()))
        .route_service(BARE, EndpointService::new(endpoints.revoke.clone()))
        .route_service(LOGOUT, EndpointService::new(endpoints.logout_with_cookie()))
        .route_service(PLAIN_LOGOUT, EndpointService::new(endpoints.logout.clone()))
        .route_service(LINKED_LOGOUT, EndpointService::new(endpoints.linked_logout()))
        .route_service(BACKCHANNEL, EndpointService::new(endpoints.backchannel.clone()));
    tokio::spawn(async { axum::serve(listener, router).await });
}

fn start_actix_web(listener: TcpListener, endpoints: Endpoints) {
    use portcullis_actix_web::{EndpointService, JwtAuth};

    std::thread::spawn(move || {
        let app = move || {
            let layer = || JwtAuth::new(endpoints.auth.clone());
            let revoke = EndpointService::new(endpoints.revoke.clone());
            let logout = EndpointService::new(endpoints.logout.clone());
            App::new()
                .service(web::resource(REVOKE).to(revoke.clone()).wrap(layer()))
                .service(
                    web::resource(ADMIN).to(EndpointService::new(endpoints.admin())).wrap(layer()),
                )
                .service(web::resource(LAYERED_LOGOUT).to(logout.clone()).wrap(layer()))
                .route(BARE, web::to(revoke))
                .route(LOGOUT, web::to(EndpointService::new(endpoints.logout_with_cookie())))
                .route(PLAIN_LOGOUT, web::to(logout))
                .route(LINKED_LOGOUT, web::to(EndpointService::new(endpoints.linked_logout())))
                .route(BACKCHANNEL, web::to(EndpointService::new(endpoints.backchannel.clone())))
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        actix_web::rt::System::new().block_on(server.listen(listener).unwrap().run())
    });
}
