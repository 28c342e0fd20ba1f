//! The coordinator over gRPC: who may call which method.

use std::convert::Infallible;

use axum::{Router, http};
use portcullis_tonic::{Authenticator, JwtAuthLayer, MethodError, MethodPolicies};
use tonic::{Response, Status, body::Body, server::Grpc};
use tonic_prost::ProstCodec;
use tower::{Layer, service_fn};

use crate::{
    answer,
    roles::{ADMIN, READER, WRITER, at_least},
};

const SERVICE: &str = "krishiv.coordinator.v1.Coordinator";

const METHODS: [(&str, &[&str]); 3] = [
    (READER, &["Query", "ListJobs", "ReadState"]),
    (WRITER, &["SubmitQuery", "WriteData"]),
    (ADMIN, &["CancelJob", "Savepoint", "Restore", "ManageExecutors"]),
];

pub(crate) fn routes(auth: Authenticator) -> Result<Router, MethodError> {
    // Methods that are not served need a reader too, before anybody learns that they are not.
    let of_service = MethodPolicies::new().service(SERVICE, at_least(READER));
    let table = METHODS.iter().fold(of_service, |table, (role, methods)| {
        table.methods(SERVICE, *methods, &at_least(role))
    });
    let judge = JwtAuthLayer::new(auth).methods(table)?.grpc_status(answer::grpc());
    let path = format!("/{SERVICE}/{{method}}");
    Ok(Router::new().route_service(&path, judge.layer(service_fn(serve))))
}

/// Answers with an empty message.
async fn serve(request: http::Request<Body>) -> Result<http::Response<Body>, Infallible> {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default();
    if !METHODS.iter().any(|(_, served)| served.contains(&method)) {
        return Ok(Status::unimplemented("").into_http());
    }
    let mut grpc = Grpc::new(ProstCodec::<(), ()>::default());
    Ok(grpc.unary(service_fn(async |_| Ok(Response::new(()))), request).await)
}
