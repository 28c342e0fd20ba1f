//! The service on tower and hyper, without a router.

use std::{convert::Infallible, error::Error, time::Duration};

use axum::body::{Body, Bytes};
use http::{Method, Request, Response, StatusCode, header};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use metrics_exporter_prometheus::PrometheusHandle;
use portcullis_axum::{
    Authenticator, Caller, EndpointService, Granted, JwtAuthLayer, Policy, ReadinessService,
    RequireLayer, ResourceMetadataService, policy,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::{Layer, Service as _, ServiceExt, service_fn, util::BoxCloneSyncService};

use crate::{Service, revocation::Endpoints, stop::Stop};

type Route = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

pub(crate) async fn serve(service: Service, stop: Stop) -> Result<(), Box<dyn Error>> {
    let Service { auth, revocation, metrics, listener } = service;
    let routes = Routes::new(&auth, revocation, metrics);
    let listener = TcpListener::from_std(listener)?;
    let (server, open) = (auto::Builder::new(TokioExecutor::new()), GracefulShutdown::new());
    let mut stopped = std::pin::pin!(stop.clone().requested());
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            () = &mut stopped => break,
        };
        let routes = routes.clone();
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            routes.clone().find(request.map(Body::new))
        });
        let connection = server
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .into_owned();
        tokio::spawn(open.watch(connection));
    }
    drop(listener);
    tokio::select! {
        () = open.shutdown() => {}
        () = stop.overdue() => {}
    }
    auth.shutdown().await;
    Ok(())
}

#[derive(Clone)]
struct Routes {
    whoami: Route,
    list_orders: Route,
    create_order: Route,
    admin: Route,
    fresh: Route,
    ready: Route,
    /// The metadata and their path, where the configuration has a `[resource]`.
    resource: Option<(String, Route)>,
    /// Where the configuration has a `[revocation]`.
    revoke: Option<Route>,
    backchannel_logout: Option<Route>,
    metrics: PrometheusHandle,
}

impl Routes {
    fn new(auth: &Authenticator, revocation: Option<Endpoints>, metrics: PrometheusHandle) -> Self {
        let route = |policy: Policy, handler: fn(&Request<Body>) -> Response<Body>| {
            let handler = service_fn(move |request| {
                let response = handler(&request);
                async move { Ok::<_, Infallible>(response) }
            });
            let handler = RequireLayer::new(policy).layer(handler);
            Route::new(JwtAuthLayer::new(auth.clone()).layer(handler))
        };
        let resource = ResourceMetadataService::new(auth).ok().map(|metadata| {
            let path = metadata.path().to_owned();
            (path, public(metadata))
        });
        let endpoints = revocation.map(|Endpoints { revoke, backchannel_logout }| {
            let revoke = public(EndpointService::new(revoke));
            let revoke = Route::new(JwtAuthLayer::new(auth.clone()).layer(revoke));
            (revoke, public(EndpointService::new(backchannel_logout)))
        });
        let (revoke, backchannel_logout) = endpoints.unzip();
        Self {
            revoke,
            backchannel_logout,
            whoami: route(policy::authenticated(), whoami),
            list_orders: route(policy::scope("orders:read"), |_| {
                json_response(StatusCode::OK, &json!({ "orders": [] }))
            }),
            create_order: route(policy::scope("orders:write"), create_order),
            admin: route(policy::role("admin"), |_| Response::new("welcome, admin".into())),
            fresh: route(policy::max_age(Duration::from_secs(300)), |_| {
                Response::new("you have just logged in".into())
            }),
            ready: public(ReadinessService::new(auth.clone())),
            resource,
            metrics,
        }
    }

    async fn find(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let mut route = match (request.method(), request.uri().path()) {
            (&Method::GET, "/whoami") => self.whoami,
            (&Method::GET, "/orders") => self.list_orders,
            (&Method::POST, "/orders") => self.create_order,
            (&Method::GET, "/admin") => self.admin,
            (&Method::GET, "/fresh") => self.fresh,
            (_, "/readyz") => self.ready,
            (&Method::GET, "/healthz") => return Ok(Response::new("ok".into())),
            (&Method::GET, "/metrics") => return Ok(Response::new(self.metrics.render().into())),
            (_, path) => match self.optional(path) {
                Some(route) => route,
                None => return Ok(status(StatusCode::NOT_FOUND)),
            },
        };
        route.ready().await?.call(request).await
    }

    /// Returns a route that depends on the configuration.
    fn optional(self, path: &str) -> Option<Route> {
        match path {
            "/revoke" => self.revoke,
            "/backchannel-logout" => self.backchannel_logout,
            path => {
                let (resource, metadata) = self.resource?;
                (resource == path).then_some(metadata)
            }
        }
    }
}

/// Makes a route of a service of ours, whatever its body is.
fn public<S, B>(service: S) -> Route
where
    S: tower::Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    Route::new(service.map_response(|response| response.map(Body::new)))
}

fn whoami(request: &Request<Body>) -> Response<Body> {
    let extensions = request.extensions();
    let (Ok(caller), Ok(granted)) = (Caller::find(extensions), Granted::find(extensions)) else {
        return status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let Granted(grant): Granted = granted;
    json_response(StatusCode::OK, &json!({ "principal": caller.0, "grant": *grant }))
}

fn create_order(request: &Request<Body>) -> Response<Body> {
    match Caller::find(request.extensions()) {
        Ok(caller) => {
            json_response(StatusCode::CREATED, &json!({ "created_by": caller.subject() }))
        }
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
