//! Targets that are open to everyone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::convert::Infallible;

use http::{Request, Response};
use portcullis::{Authenticator, Place};
use portcullis_testkit::TestIssuer;
use portcullis_tower::{Anonymous, Caller, Granted, JwtAuthLayer};
use tower::{Layer, ServiceExt, service_fn};

/// What the service behind the layer sees: the subject, the failure, or nothing.
async fn seen(layer: JwtAuthLayer, uri: &str, token: Option<&str>) -> (u16, String) {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let extensions = request.extensions();
        let seen = match (Caller::find(extensions), extensions.get::<Anonymous>()) {
            (Ok(caller), None) => {
                assert!(Granted::<portcullis::Grant>::find(extensions).is_ok());
                caller.subject().to_owned()
            }
            (Err(refusal), Some(anonymous)) => {
                let code = refusal.challenge().code();
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
        .places([Place::bearer(), Place::query("access_token")])
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
