//! A tonic server with one service, whose messages are empty: what it has to say is in the metadata.

use std::{
    convert::Infallible,
    net::SocketAddr,
    task::{Context, Poll},
};

use portcullis::adapter::Admission;
use portcullis_tonic::{
    AuthContext, Granted, JwtAuthLayer, MethodPolicies, RequestExt, RequireLayer,
    adapter::Anonymous,
};
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService},
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower::{Layer, Service, service_fn, util::BoxCloneSyncService};

use super::listen;
use crate::{
    echo::{self, Echo, Who},
    request::GRPC_PATH,
    setup::{Rule, Setup},
};

type Inner = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Infallible>;

/// The service, with whatever layers are around it.
#[derive(Clone)]
struct Orders(Inner);

impl NamedService for Orders {
    const NAME: &'static str = "conformance.Orders";
}

impl Service<http::Request<Body>> for Orders {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = <Inner as Service<http::Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

pub(super) fn start(setup: Setup) -> SocketAddr {
    let (listener, address) = listen();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut service = Inner::new(service_fn(async |request: http::Request<Body>| {
        let mut grpc = Grpc::new(ProstCodec::<(), ()>::default());
        Ok(grpc.unary(service_fn(async |request| handler(&request)), request).await)
    }));
    for rule in setup.rules.iter().rev() {
        service = match rule.clone() {
            Rule::Policy(policy) => Inner::new(RequireLayer::new(policy).layer(service)),
            Rule::OtherGrant(policy) => Inner::new(RequireLayer::new(policy).layer(service)),
        };
    }
    let outer = setup.outer.clone();
    match (judge(setup), outer) {
        (Some(layer), Some(outer)) => {
            let service = Orders(Inner::new(layer.layer(service)));
            let server = Server::builder().layer(JwtAuthLayer::new(outer)).add_service(service);
            tokio::spawn(server.serve_with_incoming(incoming));
        }
        (Some(layer), None) => {
            let server = Server::builder().layer(layer).add_service(Orders(service));
            tokio::spawn(server.serve_with_incoming(incoming));
        }
        (None, _) => {
            let server = Server::builder().add_service(Orders(service));
            tokio::spawn(server.serve_with_incoming(incoming));
        }
    }
    address
}

fn judge(setup: Setup) -> Option<JwtAuthLayer> {
    let layer = JwtAuthLayer::new(setup.auth?);
    let layer = if setup.is_public {
        layer.methods(MethodPolicies::new().public(GRPC_PATH)).unwrap()
    } else {
        layer
    };
    let layer = match setup.admission {
        Admission::Optional => layer.optional(),
        Admission::DangerousFailed => layer.dangerous_admit_failed(),
        _ => layer,
    };
    let map = setup.challenge;
    Some(layer.map_challenge(move |challenge, error| map.apply(challenge, error)))
}

fn handler(request: &Request<()>) -> Result<Response<()>, Status> {
    let anonymous = request.extensions().get().and_then(AuthContext::anonymous);
    let who = match anonymous.and_then(Anonymous::failure) {
        Some(failure) => Who::without_caller(Some(failure)),
        None => match request.optional_caller()? {
            None => Who::Anonymous,
            Some(caller) => {
                let grant: Granted = request.granted()?;
                let others = request.other_callers()?;
                Who::Caller(echo::Caller::of(&caller, &grant, &others.0))
            }
        },
    };
    let who = who.unless_outer(request.extensions().get());
    let metadata = request.metadata();
    let echo = Echo::new(who, "POST", GRPC_PATH, None);
    let echo =
        echo.seeing(|name| metadata.get_all(name).iter().map(|value| value.as_encoded_bytes()));
    let mut response = Response::new(());
    response.metadata_mut().insert(echo::FIELD, echo.encode().parse().unwrap());
    Ok(response)
}
