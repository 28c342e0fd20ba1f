//! An axum router, served by axum.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    http::HeaderValue,
    response::Response,
    routing::any,
    serve::ListenerExt,
};
use portcullis::{
    Policy,
    adapter::{Admission, ChallengeMap},
};
use portcullis_axum::{
    AuthContext, Caller, CallerRejection, Granted, JwtAuthLayer, OtherCallers, ReadinessService,
    RequireLayer,
};

use super::listen;
use crate::{
    echo::{self, Echo, Who},
    request::{PATH, READINESS_PATH, TENANT_ROUTE},
    setup::{Preflight, Rule, Setup},
};

pub(super) fn start(setup: Setup) -> SocketAddr {
    let (listener, address) = listen();
    let router = router(setup);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

fn router(setup: Setup) -> Router {
    let mut router = Router::new().route(PATH, any(handler)).route(TENANT_ROUTE, any(handler));
    for rule in setup.rules.into_iter().rev() {
        let map = setup.challenge.clone();
        router = match rule {
            Rule::Policy(policy) => router.route_layer(require(policy, map)),
            Rule::OtherGrant(policy) => router.route_layer(require(policy, map)),
        };
    }
    let Some(auth) = setup.auth else { return router };
    let readiness = ReadinessService::new(auth.clone());
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
    let router = router
        .route_layer(layer.map_challenge(move |challenge, error| map.apply(challenge, error)));
    let router = match setup.outer {
        Some(outer) => router.route_layer(JwtAuthLayer::new(outer)),
        None => router,
    };
    router.route_service(READINESS_PATH, readiness)
}

fn require<G>(policy: Policy<G>, map: ChallengeMap) -> RequireLayer<G> {
    RequireLayer::new(policy).map_challenge(move |challenge, error| map.apply(challenge, error))
}

async fn handler(request: Request) -> Result<Response, CallerRejection> {
    let (mut parts, _) = request.into_parts();
    let who = match parts.extensions.get().and_then(AuthContext::anonymous) {
        Some(anonymous) if anonymous.failure().is_some() => {
            Who::without_caller(anonymous.failure())
        }
        _ => {
            let caller = Option::<Caller>::from_request_parts(&mut parts, &()).await?;
            let grant = Option::<Granted>::from_request_parts(&mut parts, &()).await?;
            match (caller, grant) {
                (Some(caller), Some(grant)) => {
                    let others = OtherCallers::from_request_parts(&mut parts, &()).await?;
                    Who::Caller(echo::Caller::of(&caller, &grant, &others.0))
                }
                (None, None) => Who::Anonymous,
                _ => Who::Nobody,
            }
        }
    };
    let who = who.unless_outer(parts.extensions.get());
    let (uri, headers) = (&parts.uri, &parts.headers);
    let echo = Echo::new(who, parts.method.as_str(), uri.path(), uri.query());
    let echo = echo.seeing(|name| headers.get_all(name).iter().map(HeaderValue::as_bytes));
    Ok(Response::builder().header(echo::FIELD, echo.encode()).body(echo::BODY.into()).unwrap())
}
