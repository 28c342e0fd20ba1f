//! Targets that are open to everyone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{convert::Infallible, env, process::Command};

use http::{Request, Response};
use portcullis::{Authenticator, AuthenticatorBuilder, TokenLocation};
use portcullis_testkit::TestIssuer;
use portcullis_tower::{AuthContext, Caller, Granted, JwtAuthLayer};
use tower::{Layer, ServiceExt, service_fn};

/// What the service behind the layer sees: the subject, the failure, or nothing.
async fn seen(layer: JwtAuthLayer, uri: &str, token: Option<&str>) -> (u16, String) {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let extensions = request.extensions();
        let anonymous = extensions.get().and_then(AuthContext::anonymous);
        let seen = match (Caller::find(extensions), anonymous) {
            (Ok(caller), None) => {
                assert!(Granted::<portcullis::Grant>::find(extensions).is_ok());
                caller.subject().to_owned()
            }
            (Err(rejection), Some(anonymous)) => {
                let code = rejection.challenge().code();
                let failure = anonymous.failure().map_or("none", |error| error.kind().code());
                format!("{code}, {failure}, {:?}", request.uri().query())
            }
            _ => "neither or both".to_owned(),
        };
        Ok::<_, Infallible>(Response::new(bytes::Bytes::from(seen)))
    }));
    let mut request = Request::get(uri);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(response.into_body().to_vec()).unwrap())
}

#[tokio::test]
async fn a_public_target_takes_whatever_credentials_come() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience("orders")
        .locations([TokenLocation::bearer(), TokenLocation::query("access_token")])
        .build()
        .unwrap();
    let layer = || JwtAuthLayer::new(auth.clone()).public(|uri| uri.path() == "/healthz");
    let good = issuer.token().audience("orders");
    let bad = good.clone().expired().build();
    let good = good.build();

    assert_eq!(seen(layer(), "/healthz", Some(&good)).await, (200, "alice".to_owned()));
    for (uri, token, expected) in [
        ("/healthz".to_owned(), None, "no_credentials, none, None"),
        ("/healthz".to_owned(), Some(&*bad), "token_expired, token_expired, None"),
        // The token does not reach the handler all the same.
        (format!("/healthz?access_token={bad}"), None, "token_expired, token_expired, None"),
        ("/healthz".to_owned(), Some(""), "malformed_request, malformed_request, None"),
    ] {
        assert_eq!(seen(layer(), &uri, token).await, (200, expected.to_owned()), "{uri}");
    }
    for uri in ["/", "/healthz/", "/HEALTHZ", "/other?/healthz"] {
        assert_eq!(seen(layer(), uri, Some(&bad)).await.0, 401, "{uri}");
        assert_eq!(seen(layer(), uri, None).await.0, 401, "{uri}");
    }
}

fn is_probe(uri: &http::Uri) -> bool {
    uri.path() == "/healthz"
}

fn engine(issuer: &TestIssuer) -> AuthenticatorBuilder {
    Authenticator::builder().issuer(issuer.trusted()).audience("orders")
}

/// Checks that a target that is declared public takes every request, and that no other does.
async fn assert_only_the_probe_is_public(issuer: &TestIssuer, auth: &Authenticator) {
    let layer = || JwtAuthLayer::new(auth.clone()).public(is_probe);
    let good = issuer.token().audience("orders");
    let bad = good.clone().expired().build();
    let good = good.build();
    for (token, expected) in [
        (None, "no_credentials, none, None"),
        (Some(&*bad), "token_expired, token_expired, None"),
        (Some("x"), "malformed_token, malformed_token, None"),
        (Some(""), "malformed_request, malformed_request, None"),
        (Some(&*good), "alice"),
    ] {
        assert_eq!(seen(layer(), "/healthz", token).await, (200, expected.to_owned()));
        let status = if token == Some(&*good) { 200 } else { 401 };
        let status = if token == Some("") { 400 } else { status };
        assert_eq!(seen(layer(), "/", token).await.0, status, "{token:?}");
    }
}

#[tokio::test]
async fn production_keeps_a_public_target_public() {
    let issuer = TestIssuer::new("https://idp.test");
    let engine = || engine(&issuer).production();
    for builder in [engine(), engine().optional_credentials()] {
        assert_only_the_probe_is_public(&issuer, &builder.build().unwrap()).await;
    }
}

#[tokio::test]
async fn the_environment_variable_for_production_keeps_a_public_target_public() {
    const NAME: &str = "the_environment_variable_for_production_keeps_a_public_target_public";
    const VARIABLE: &str = "PORTCULLIS_PRODUCTION";
    if env::var_os(VARIABLE).is_some() {
        let issuer = TestIssuer::new("https://idp.test");
        let auth = engine(&issuer).build().unwrap();
        assert!(auth.is_for_production());
        let errors = log::listen();
        assert_only_the_probe_is_public(&issuer, &auth).await;
        assert_eq!(errors.count(), 0);
        // The engine overrules this layer, and logs it: the listener works.
        let _ = JwtAuthLayer::new(auth).optional();
        assert_eq!(errors.count(), usize::from(cfg!(feature = "tracing")));
        return;
    }
    // Another process has the variable, because tests share one.
    let mut test = Command::new(env::current_exe().unwrap());
    let output = test.args(["--exact", NAME]).env(VARIABLE, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn a_function_that_panics_rejects_the_request() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience("orders")
        .locations([TokenLocation::bearer(), TokenLocation::query("access_token")])
        .build()
        .unwrap();
    let layer = || {
        let layer = JwtAuthLayer::new(auth.clone()).public(|uri| match uri.path() {
            "/healthz" => true,
            "/" => false,
            path => panic!("{path} is not expected"),
        });
        layer.optional()
    };
    let good = issuer.token().audience("orders").build();
    for (uri, token) in [
        ("/other".to_owned(), None),
        ("/other".to_owned(), Some("x")),
        ("/other".to_owned(), Some(&*good)),
        (format!("/other?access_token={good}"), None),
    ] {
        let (status, body) = seen(layer(), &uri, token).await;
        assert_eq!(status, 500, "{uri}");
        assert!(body.contains(r#""code":"internal_error""#), "{body}");
    }
    assert_eq!(seen(layer(), "/", Some(&good)).await, (200, "alice".to_owned()));
}

mod log {
    //! Counts the events of the level `ERROR` of this process.

    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tracing::{
        Event, Level, Metadata, Subscriber,
        span::{Attributes, Id, Record},
        subscriber::set_global_default,
    };

    #[derive(Clone, Default)]
    pub(crate) struct Errors(Arc<AtomicUsize>);

    pub(crate) fn listen() -> Errors {
        let errors = Errors::default();
        set_global_default(errors.clone()).unwrap();
        errors
    }

    impl Errors {
        pub(crate) fn count(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Subscriber for Errors {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::ERROR
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
}
