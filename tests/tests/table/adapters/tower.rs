//! A tower service behind hyper, without a router.

use std::{convert::Infallible, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use portcullis::{
    Grant, Policy,
    adapter::{Admission, ChallengeMap},
};
use portcullis_tower::{AuthContext, JwtAuthLayer, RequireLayer};
use tower::{Layer, service_fn, util::BoxCloneSyncService};

use super::listen;
use crate::{
    echo::{self, Echo, Who},
    request::PATH,
    setup::{Preflight, Rule, Setup},
};

type Service = BoxCloneSyncService<Request<Incoming>, Response<Full<Bytes>>, Infallible>;

pub(super) fn start(setup: Setup) -> SocketAddr {
    let (listener, address) = listen();
    let service = service(setup);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // A client that goes away is no matter of the server.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

fn service(setup: Setup) -> Service {
    let mut service = Service::new(service_fn(async |request| Ok(handler(&request))));
    for rule in setup.rules.into_iter().rev() {
        let map = setup.challenge.clone();
        service = match rule {
            Rule::Policy(policy) => require(policy, map, service),
            Rule::OtherGrant(policy) => require(policy, map, service),
        };
    }
    let Some(auth) = setup.auth else { return service };
    let layer = JwtAuthLayer::new(auth);
    let layer = if setup.is_public { layer.public(|uri| uri.path() == PATH) } else { layer };
    let layer = match setup.admission {
        Admission::Optional => layer.optional(),
        Admission::DangerousFailed => layer.dangerous_admit_failed(),
        _ => layer,
    };
    let layer = match setup.preflight {
        Preflight::Passed => layer.pass_preflight(),
        Preflight::Judged => layer,
    };
    let map = setup.challenge;
    let layer = layer.map_challenge(move |challenge, error| map.apply(challenge, error));
    let service = Service::new(layer.layer(service));
    match setup.outer {
        Some(outer) => Service::new(JwtAuthLayer::new(outer).layer(service)),
        None => service,
    }
}

fn require<G: Send + Sync + 'static>(
    policy: Policy<G>,
    map: ChallengeMap,
    service: Service,
) -> Service {
    let layer = RequireLayer::new(policy);
    let layer = layer.map_challenge(move |challenge, error| map.apply(challenge, error));
    Service::new(layer.layer(service))
}

fn handler(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let context = request.extensions().get();
    let who = context.map_or(Who::Nobody, who).unless_outer(context);
    let (uri, headers) = (request.uri(), request.headers());
    let echo = Echo::new(who, request.method().as_str(), uri.path(), uri.query());
    let echo = echo.seeing(|name| headers.get_all(name).iter().map(HeaderValue::as_bytes));
    // hyper takes the body of an answer to `HEAD` away over HTTP/1.1 alone.
    let body = if request.method() == Method::HEAD { "" } else { echo::BODY };
    Response::builder().header(echo::FIELD, echo.encode()).body(body.into()).unwrap()
}

fn who(context: &AuthContext) -> Who {
    match (context.caller(), context.grant::<Grant>(), context.anonymous()) {
        (Some(caller), Some(grant), None) => {
            Who::Caller(echo::Caller::of(caller, &grant, context.other_callers()))
        }
        (None, None, Some(anonymous)) => Who::without_caller(anonymous.failure()),
        _ => Who::Nobody,
    }
}
