//! An actix-web application, on threads of its own: all of its workers share the engine.

use std::net::{SocketAddr, TcpListener};

use actix_web::{
    App, FromRequest, HttpMessage, HttpRequest, HttpResponse, HttpServer,
    http::header::HeaderValue,
    middleware::Condition,
    web::{self, ServiceConfig},
};
use portcullis::{
    Policy,
    adapter::{Admission, ChallengeMap},
    policy,
};
use portcullis_actix_web::{
    AuthContext, Caller, CallerRejection, Granted, JwtAuth, Optional, OtherCallers,
    ReadinessService, RemoveTokens, Require,
};

use crate::{
    echo::{self, Echo, Who},
    request::{PATH, READINESS_PATH, TENANT_ROUTE},
    setup::{OtherGrant, Preflight, Rule, Setup},
};

pub(super) fn start(setup: Setup) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let auth = setup.auth.clone();
        let application = move || App::new().configure(|config| configure(config, &setup));
        let system = actix_web::rt::System::new();
        match auth {
            None => {
                let server = HttpServer::new(application).workers(1).disable_signals();
                system.block_on(server.listen_auto_h2c(listener).unwrap().run())
            }
            Some(auth) => {
                let application = move || RemoveTokens::new(auth.clone(), application());
                let server = HttpServer::new(application).workers(1).disable_signals();
                system.block_on(server.listen_auto_h2c(listener).unwrap().run())
            }
        }
    });
    address
}

/// Middlewares are part of a resource's type: there is room for two rules, used or not.
fn configure(config: &mut ServiceConfig, setup: &Setup) {
    let (outer, inner) = match &*setup.rules {
        [] => (None, None),
        [rule] => (None, Some(rule)),
        [outer, inner] => (Some(outer), Some(inner)),
        rules => panic!("no room for {} rules", rules.len()),
    };
    if let Some(auth) = setup.auth.clone() {
        config.route(READINESS_PATH, web::to(ReadinessService::new(auth)));
    }
    for route in [PATH, TENANT_ROUTE] {
        let resource = web::resource(route)
            .to(handler)
            .wrap(require(inner, &setup.challenge))
            .wrap(require_other(inner, &setup.challenge))
            .wrap(require(outer, &setup.challenge))
            .wrap(require_other(outer, &setup.challenge));
        match (judge(setup), setup.outer.clone().map(JwtAuth::new)) {
            (None, _) => config.service(resource),
            (Some(middleware), None) => config.service(resource.wrap(middleware)),
            (Some(middleware), Some(outer)) => {
                config.service(resource.wrap(middleware).wrap(outer))
            }
        };
    }
}

fn judge(setup: &Setup) -> Option<JwtAuth> {
    let middleware = JwtAuth::new(setup.auth.clone()?);
    let middleware =
        if setup.is_public { middleware.public(|uri| uri.path() == PATH) } else { middleware };
    let middleware = match setup.admission {
        Admission::Optional => middleware.optional(),
        Admission::DangerousFailed => middleware.dangerous_admit_failed(),
        _ => middleware,
    };
    let middleware = match setup.preflight {
        Preflight::Passed => middleware.pass_preflight(),
        Preflight::Judged => middleware,
    };
    let map = setup.challenge.clone();
    Some(middleware.map_challenge(move |challenge, error| map.apply(challenge, error)))
}

fn require(rule: Option<&Rule>, map: &ChallengeMap) -> Condition<Require> {
    match rule {
        Some(Rule::Policy(policy)) => Condition::new(true, asking(policy.clone(), map.clone())),
        _ => Condition::new(false, Require::new(policy::grant(|_| false))),
    }
}

fn require_other(rule: Option<&Rule>, map: &ChallengeMap) -> Condition<Require<OtherGrant>> {
    match rule {
        Some(Rule::OtherGrant(policy)) => Condition::new(true, asking(policy.clone(), map.clone())),
        _ => Condition::new(false, Require::new(policy::grant(|_| false))),
    }
}

fn asking<G>(policy: Policy<G>, map: ChallengeMap) -> Require<G> {
    Require::new(policy).map_challenge(move |challenge, error| map.apply(challenge, error))
}

async fn handler(request: HttpRequest) -> Result<HttpResponse, CallerRejection> {
    let who = match failure(&request) {
        Some(failed) => failed,
        None => {
            let Optional(caller) = Optional::<Caller>::extract(&request).await?;
            let Optional(grant) = Optional::<Granted>::extract(&request).await?;
            match (caller, grant) {
                (Some(caller), Some(grant)) => {
                    let OtherCallers(others) = OtherCallers::extract(&request).await?;
                    Who::Caller(echo::Caller::of(&caller, &grant, &others))
                }
                (None, None) => Who::Anonymous,
                _ => Who::Nobody,
            }
        }
    };
    let who = who.unless_outer(request.extensions().get());
    let (uri, headers) = (request.uri(), request.headers());
    let echo = Echo::new(who, request.method().as_str(), uri.path(), uri.query());
    let echo = echo.seeing(|name| headers.get_all(name).map(HeaderValue::as_bytes));
    Ok(HttpResponse::Ok().insert_header((echo::FIELD, echo.encode())).body(echo::BODY))
}

/// Why there is no caller, if the middleware has let bad credentials through.
fn failure(request: &HttpRequest) -> Option<Who> {
    let extensions = request.extensions();
    let failure = extensions.get::<AuthContext>()?.anonymous()?.failure()?;
    Some(Who::without_caller(Some(failure)))
}
