//! The same routes in both frameworks.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis::{Authenticator, revocation::Revoked};
use portcullis_axum::mint::Reissuer;
use portcullis_testkit::ManualClock;

use super::{
    store::{State, TestStore},
    world::ISSUER,
};

/// What happens while the handler runs.
#[derive(Clone, Debug, Default)]
pub(crate) enum During {
    #[default]
    Nothing,
    /// The clock moves on by seconds.
    Advance(u64),
    Revoke(Revoked),
    StoreGone,
}

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) auth: Authenticator,
    pub(crate) reissuer: Reissuer,
    pub(crate) clock: ManualClock,
    pub(crate) store: TestStore,
    pub(crate) during: Arc<Mutex<During>>,
}

impl Service {
    async fn work(&self) {
        let during = self.during.lock().unwrap().clone();
        match during {
            During::Nothing => {}
            During::Advance(seconds) => self.clock.advance(Duration::from_secs(seconds)),
            During::Revoke(revoked) => {
                let entry = self.auth.revocation(ISSUER, revoked);
                self.auth.revoke(&[entry]).await.unwrap();
            }
            During::StoreGone => self.store.set(State::Gone),
        }
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

    /// Starts a server. `/{status}` responds with this status, `/own` with a header field of its own, and
    /// `/fails` with 403, in actix-web by the error of a middleware.
    pub(crate) fn start(self, service: &Service) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, service) = (listener.local_addr().unwrap(), service.clone());
        match self {
            Self::Axum => start_axum(listener, service),
            Self::ActixWeb => start_actix_web(listener, service),
        }
        address
    }
}

const OWN: [(&str, &str); 2] = [("refreshed-api-token", "own"), ("cache-control", "max-age=5")];

fn start_axum(listener: TcpListener, service: Service) {
    use axum::{Router, extract::Path, http::StatusCode, routing::get};
    use portcullis_axum::{JwtAuthLayer, ReissueLayer};

    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let (auth, reissuer) = (service.auth.clone(), service.reissuer.clone());
    let work = move |Path(status): Path<u16>| async move {
        service.work().await;
        StatusCode::from_u16(status).unwrap()
    };
    let router = Router::new()
        .route("/{status}", get(work))
        .route("/own", get(|| async { (OWN, "") }))
        .route("/fails", get(|| async { StatusCode::FORBIDDEN }))
        .layer(ReissueLayer::new(reissuer))
        .layer(JwtAuthLayer::new(auth).optional());
    tokio::spawn(async { axum::serve(listener, router).await });
}

fn start_actix_web(listener: TcpListener, service: Service) {
    use actix_web::{
        App, HttpResponse, HttpServer,
        dev::{Service as _, ServiceResponse},
        error::ErrorForbidden,
        http::StatusCode,
        web,
    };
    use portcullis_actix_web::{JwtAuth, Reissue};

    std::thread::spawn(move || {
        let app = move || {
            let (auth, reissuer) = (service.auth.clone(), service.reissuer.clone());
            let service = service.clone();
            let work = move |status: web::Path<u16>| {
                let service = service.clone();
                async move {
                    service.work().await;
                    HttpResponse::new(StatusCode::from_u16(*status).unwrap())
                }
            };
            let own = || async {
                let mut response = HttpResponse::Ok();
                for field in OWN {
                    response.insert_header(field);
                }
                response.finish()
            };
            let fails = web::resource("/fails").to(HttpResponse::Ok).wrap_fn(|request, inner| {
                let response = inner.call(request);
                async {
                    let response: ServiceResponse = response.await?;
                    drop(response);
                    Err::<ServiceResponse, _>(ErrorForbidden(""))
                }
            });
            App::new()
                .route("/own", web::get().to(own))
                .service(fails)
                .route("/{status}", web::get().to(work))
                .wrap(Reissue::new(reissuer))
                .wrap(JwtAuth::new(auth).optional())
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        actix_web::rt::System::new().block_on(server.listen(listener).unwrap().run())
    });
}
