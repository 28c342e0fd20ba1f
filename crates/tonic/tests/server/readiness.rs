//! The health service of gRPC says whether the engine has keys.

use portcullis_testkit::{ManualClock, TestIssuer};
use portcullis_tonic::{
    Authenticator, Issuer, JwtAuthLayer, MethodPolicies, NumericDate, keys::JwkSetFile,
};
use tonic::{Streaming, service::Routes};
use tonic_health::{
    ServingStatus,
    pb::{
        HealthCheckRequest, HealthCheckResponse, health_check_response, health_client::HealthClient,
    },
    server::HealthReporter,
};

use super::orders::{Orders, serve_at};

/// Keeps the status of the server up to date, for as long as keys may change.
async fn report_readiness(engine: Authenticator, reporter: HealthReporter) {
    let mut changes = engine.key_changes();
    loop {
        let status = match engine.health() {
            Ok(()) => ServingStatus::Serving,
            Err(_) => ServingStatus::NotServing,
        };
        reporter.set_service_status("", status).await;
        if !changes.changed().await {
            return;
        }
    }
}

/// Watches the health of a server that trusts this issuer, without a token.
async fn watch(issuer: Issuer) -> Streaming<HealthCheckResponse> {
    let auth = Authenticator::builder().issuer(issuer).audience("orders").build().unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    tokio::spawn(report_readiness(auth.clone(), reporter));
    let methods = MethodPolicies::new().public("/grpc.health.v1.Health/Watch");
    let layer = JwtAuthLayer::new(auth).methods(methods).unwrap();
    let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
    let routes = Routes::new(Orders::new(&clock).0).add_service(health);
    let (client, _) = serve_at(layer, routes).await;
    let request = HealthCheckRequest { service: String::new() };
    HealthClient::new(client.channel).watch(request).await.unwrap().into_inner()
}

async fn until(
    watched: &mut Streaming<HealthCheckResponse>,
    status: health_check_response::ServingStatus,
) {
    while watched.message().await.unwrap().unwrap().status() != status {}
}

#[tokio::test]
async fn a_probe_without_a_token_learns_whether_there_are_keys() {
    let issuer = TestIssuer::new("https://idp.test");
    until(&mut watch(issuer.trusted()).await, health_check_response::ServingStatus::Serving).await;
    let missing = Issuer::new("https://idp.test").key_source(JwkSetFile::new("/missing/keys.json"));
    until(&mut watch(missing).await, health_check_response::ServingStatus::NotServing).await;
}
