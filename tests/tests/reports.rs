//! Every adapter reports a rejection once, when it answers with it; one that a handler only looks at is not
//! reported.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use conformance::Setting;
use portcullis::{Authenticator, policy::role};
use tower::{Layer, ServiceExt};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

/// Path, token, and how many rejections the log has of it.
type Request<'a> = (&'static str, Option<&'a str>, usize);

/// Sends a request to an adapter whose layer admits requests without credentials. `/required` takes a
/// caller, `/policy` requires a role, and `/looks` goes on without a caller.
type Send = fn(Authenticator, Request<'_>);

#[test]
fn each_adapter_reports_each_rejection_once() {
    let setting = Setting::new();
    let auth = conformance::trusting(setting.issuer.trusted()).build().unwrap();
    let good = setting.valid().build();
    let adapters: [(&str, Send); 3] = [("axum", axum), ("actix-web", actix_web), ("tonic", tonic)];
    for (name, send) in adapters {
        for request in [
            ("/required", Some("x"), 1),
            ("/policy", Some(&*good), 1),
            ("/policy", None, 1),
            ("/required", None, 1),
            ("/looks", None, 0),
            ("/looks", Some(&*good), 0),
        ] {
            let counter = Counter::default();
            let count = Arc::clone(&counter.0);
            tracing::subscriber::with_default(counter, || send(auth.clone(), request));
            let (path, _, expected) = request;
            assert_eq!(count.load(Ordering::Relaxed), expected, "{name} {path}");
        }
    }
}

fn bearer(token: Option<&str>) -> String {
    token.map(|token| format!("Bearer {token}")).unwrap_or_default()
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
}

fn axum(auth: Authenticator, (path, token, rejections): Request<'_>) {
    use axum::{Router, body::Body, handler::Handler, routing::get};
    use portcullis_axum::{Caller, CallerRejection, JwtAuthLayer, RequireLayer};

    let required = async |_: Caller| {};
    let router = Router::new()
        .route("/required", get(required))
        .route("/policy", get((async || {}).layer(RequireLayer::new(role("admin")))))
        .route("/looks", get(async |caller: Result<Caller, CallerRejection>| drop(caller)))
        .layer(JwtAuthLayer::new(auth).optional());
    let mut request = http::Request::get(path);
    if token.is_some() {
        request = request.header("authorization", bearer(token));
    }
    block_on(async {
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status().is_success(), rejections == 0);
    });
}

fn actix_web(auth: Authenticator, (path, token, rejections): Request<'_>) {
    use actix_web::{App, test, web};
    use portcullis_actix_web::{Caller, CallerRejection, JwtAuth, Require};

    actix_web::rt::System::new().block_on(async {
        let app = App::new()
            .route("/required", web::get().to(async |_: Caller| "done"))
            .service(web::resource("/policy").to(async || "done").wrap(Require::new(role("admin"))))
            .route(
                "/looks",
                web::get().to(async |caller: Result<Caller, CallerRejection>| {
                    drop(caller);
                    "done"
                }),
            )
            .wrap(JwtAuth::new(auth).optional());
        let app = test::init_service(app).await;
        let mut request = test::TestRequest::with_uri(path);
        if token.is_some() {
            request = request.insert_header(("authorization", bearer(token)));
        }
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status().is_success(), rejections == 0);
    });
}

fn tonic(auth: Authenticator, (path, token, rejections): Request<'_>) {
    use portcullis_tonic::{Caller, JwtAuthLayer, MethodPolicies, RequestExt};
    use tonic::{Status, body::Body, metadata::MetadataMap};

    let service = tower::service_fn(async |request: http::Request<Body>| {
        let (parts, _) = request.into_parts();
        let call = tonic::Request::from_parts(MetadataMap::new(), parts.extensions, ());
        let result = match parts.uri.path() {
            "/t.T/required" => call.caller().map(drop),
            _ => Caller::find(call.extensions()).map(drop).or(Ok(())),
        };
        let status = result.err().unwrap_or_else(|| Status::ok(""));
        Ok::<_, Infallible>(status.into_http::<Body>())
    });
    let methods = MethodPolicies::new()
        .no_policy("/t.T/required")
        .no_policy("/t.T/looks")
        .method("/t.T/policy", role("admin"));
    let service = JwtAuthLayer::new(auth).optional().methods(methods).unwrap().layer(service);
    let mut request = http::Request::post(format!("/t.T{path}"));
    if token.is_some() {
        request = request.header("authorization", bearer(token));
    }
    block_on(async {
        let response = service.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()["grpc-status"] == "0", rejections == 0);
    });
}

/// Counts the events of rejections.
#[derive(Default)]
struct Counter(Arc<AtomicUsize>);

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "portcullis::rejection"
    }

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
