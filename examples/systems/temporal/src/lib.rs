//! Temporal's settings and methods.

mod go_duration;
mod message;
pub mod process;
mod settings;
mod table;

use std::{collections::HashMap, sync::Arc};

use axum::{Router, extract, http};
use portcullis_tonic::{
    GrpcStatus, JwtAuthLayer, MethodError, MethodPolicies, Policy, RequestExt,
    policy::{RoleHierarchy, path_parameter},
};
use tonic::{
    Code, Request, Response, Status, body::Body, codec::CompressionEncoding, server::Grpc,
};
use tower::service_fn;

pub use self::settings::Settings;
use self::{
    message::NamespaceCodec,
    table::{ADMIN, GROUPS, HEALTH, OPERATOR, Scope, WORKFLOW},
};

/// The status of a service that is well (`grpc.health.v1.HealthCheckResponse.ServingStatus`).
const SERVING: i32 = 1;

/// Builds the API. Calls that are allowed are answered with an empty message.
///
/// # Errors
///
/// If the table of methods is wrong.
pub fn app(settings: &Settings) -> Result<Router, MethodError> {
    let hidden = GrpcStatus::new().same_for_all(Code::PermissionDenied, "Request unauthorized.");
    let layer = JwtAuthLayer::new(settings.auth.clone()).grpc_status(hidden);
    let (layer, admin_service) = if settings.maps_claims {
        let admin = MethodPolicies::new().service(ADMIN, of_system("admin"));
        (layer.optional(), admin)
    } else {
        // Everyone may do what anyone may.
        (layer.dangerous_admit_failed(), MethodPolicies::new().public_service(ADMIN))
    };
    let (mut policies, mut methods) = (admin_service, HashMap::new());
    for (path, scope, level) in all_methods() {
        let mut method = Method { field: 0, policy: None };
        policies = match scope {
            Scope::Cluster if settings.maps_claims => policies.method(&path, of_system(level)),
            // The rest is asked for when the message is there.
            Scope::Namespace { field } if settings.maps_claims => {
                let policy = settings.authorizes.then(|| of_namespace(level));
                method = Method { field, policy };
                policies.any_caller(&path)
            }
            _ => policies.no_policy(&path),
        };
        methods.insert(path, method);
    }
    let layer = if settings.authorizes { layer.methods(policies)? } else { layer };
    let methods = Arc::new(methods);
    Ok(Router::new().fallback(move |request| call(Arc::clone(&methods), request)).layer(layer))
}

fn all_methods() -> impl Iterator<Item = (String, Scope, &'static str)> {
    GROUPS.iter().flat_map(|group| {
        let path = |method| format!("/{}/{method}", group.service);
        group.methods.iter().map(move |method| (path(method), group.scope, group.level))
    })
}

fn of_system(level: &str) -> Policy {
    levels().permission_at_least("temporal-system", level)
}

fn of_namespace(level: &str) -> Policy {
    levels().permission_at_least(path_parameter("namespace"), level).or(of_system(level))
}

/// The order of permissions: each includes those before it.
fn levels() -> RoleHierarchy {
    RoleHierarchy::new(["worker", "read", "write", "admin"]).ignoring_ascii_case()
}

/// What is left to do for a method when its layer has let a call through.
struct Method {
    /// Where its message names the namespace; zero: nowhere.
    field: u32,
    policy: Option<Policy>,
}

async fn call(
    methods: Arc<HashMap<String, Method>>,
    request: extract::Request,
) -> http::Response<Body> {
    let path = request.uri().path().to_owned();
    let Some(method) = methods.get(&path) else { return not_served().into_http() };
    let answer = service_fn(|request| answer(method, &path, request));
    let grpc = Grpc::new(NamespaceCodec(method.field));
    grpc.accept_compressed(CompressionEncoding::Gzip).unary(answer, request).await
}

async fn answer(
    method: &Method,
    path: &str,
    request: Request<String>,
) -> Result<Response<i32>, Status> {
    if let Some(policy) = &method.policy {
        request.require(policy, &[("namespace", request.get_ref())]).await?;
    }
    match path.split('/').nth(1) {
        Some(HEALTH) => Ok(Response::new(SERVING)),
        Some(WORKFLOW | OPERATOR) => Ok(Response::new(0)),
        _ => Err(not_served()),
    }
}

fn not_served() -> Status {
    Status::unimplemented("this method is not served")
}
