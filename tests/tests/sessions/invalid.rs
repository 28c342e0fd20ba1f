//! Invalid cookies: the response removes them, and the request goes on without a caller if it may.

use std::time::Duration;

use conformance::{AUDIENCE, NOW};
use portcullis::{NumericDate, revocation::Revoked};
use portcullis_testkit::TestIssuer;
use serde_json::json;

use super::{
    http::{Request, Response},
    servers::{LEAVE, LOGIN, MAYBE, POLICY, PUBLIC, REQUIRED, WHO},
    world::{OWN, Setup, World, set_cookies, worlds, worlds_with},
};

/// Cookies that are invalid, with the code of their rejection.
async fn invalid_cookies(world: &World) -> Vec<(&'static str, String)> {
    let name = &world.cookie_name;
    let own = || json!({"sub": "alice", "aud": AUDIENCE, "scope": "read"});
    let mint = |claims| world.minter.mint(&claims).unwrap().into_token();
    let with = |member: &str, value: serde_json::Value| {
        let mut claims = own();
        claims[member] = value;
        mint(claims)
    };
    let revoked = with("jti", json!("revoked"));
    let entry = world.auth.revocation(OWN, Revoked::Token("revoked".into()));
    world.auth.revoke(&[entry]).await.unwrap();
    let good = mint(own());
    let unknown = TestIssuer::new("https://unknown.test").clock(world.clock.clone());
    let tokens = [
        ("token_expired", with("exp", json!(NOW - 61))),
        ("token_not_yet_valid", with("nbf", json!(NOW + 61))),
        ("token_revoked", revoked),
        ("wrong_audience", with("aud", json!("other"))),
        ("untrusted_issuer", unknown.token().audience(AUDIENCE).build()),
        ("malformed_token", "x".to_owned()),
        ("malformed_token", "a.b.c".to_owned()),
    ];
    let mut cookies: Vec<_> =
        tokens.into_iter().map(|(code, token)| (code, format!("{name}={token}"))).collect();
    cookies.push(("signature_mismatch", format!("{name}={}", tampered(&good))));
    cookies.push(("malformed_request", format!("{name}=")));
    cookies.push(("malformed_request", format!("a=b; {name}=x y; c=d")));
    // The cookie of an older version, with another path, comes beside the new one.
    cookies.push(("multiple_tokens", format!("{name}={good}; {name}={good}")));
    cookies
}

/// Returns a token with another signature.
fn tampered(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let other: String = signature.chars().rev().collect();
    assert_ne!(signature, other);
    format!("{input}.{other}")
}

fn code(response: &Response) -> String {
    let body: serde_json::Value = serde_json::from_str(&response.body).unwrap_or_default();
    body["code"].as_str().unwrap_or(&response.body).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_cookie_is_removed_and_the_request_goes_on_if_it_may() {
    for world in worlds().await {
        for (expected, cookie) in invalid_cookies(&world).await {
            let send = |method, path| {
                world.send(Request::new(method, path).field("cookie", cookie.clone()))
            };
            let is_request = matches!(expected, "malformed_request" | "multiple_tokens");
            let status = if is_request { 400 } else { 401 };
            // The layer, a policy and a handler reject for the same reason.
            for path in [REQUIRED, POLICY, WHO] {
                let response = send("GET", path).await;
                world.expect_removed(&response, status, &format!("{path} {cookie}"));
                assert_eq!(code(&response), expected, "{path} {cookie}");
            }
            // A handler that can do without a caller does.
            for method in ["GET", "POST"] {
                let response = send(method, MAYBE).await;
                world.expect_removed(&response, 200, &format!("{method} {cookie}"));
                assert_eq!(response.body, "nobody", "{cookie}");
            }
            // A public target keeps the cookie: the verdict is one without waiting.
            let response = send("GET", PUBLIC).await;
            assert_eq!(set_cookies(&response), Vec::<&str>::new(), "{cookie}");
            // What the handler does to the cookie is left as it is.
            let response = send("POST", LOGIN).await;
            assert!(world.new_token(&response).is_some_and(|token| !token.is_empty()), "{cookie}");
            assert_eq!(set_cookies(&response).len(), 1, "{cookie}");
            world.expect_removed(&send("POST", LEAVE).await, status, &cookie);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_cookie_none_is_removed() {
    for world in worlds().await {
        for cookie in [None, Some("a=b"), Some("session=x"), Some("__host-session=x")] {
            let request = |path| {
                let request = Request::new("GET", path);
                cookie.into_iter().fold(request, |request, cookie| request.field("cookie", cookie))
            };
            world.expect_kept(&world.send(request(MAYBE)).await, 200, "nobody", "no session");
            for path in [REQUIRED, WHO, POLICY] {
                let response = world.send(request(path)).await;
                assert_eq!((response.status, code(&response).as_str()), (401, "no_credentials"));
                assert_eq!(set_cookies(&response), Vec::<&str>::new());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_token_in_a_header_field_the_cookie_is_kept() {
    for world in worlds().await {
        let good = world.login().await;
        for (header, status) in [(good.clone(), 200), (tampered(&good), 401), ("x".to_owned(), 401)]
        {
            for path in [REQUIRED, MAYBE, WHO] {
                let request = world.with(Request::new("GET", path).bearer(&header), "invalid");
                let response = world.send(request).await;
                assert_eq!(response.status, status, "{path} {response:?}");
                assert_eq!(set_cookies(&response), Vec::<&str>::new(), "{path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_logs_nobody_out() {
    let setup = || Setup {
        revocations: |revocations| revocations.max_staleness(Duration::from_secs(60)),
        ..Setup::default()
    };
    for world in worlds_with(setup, |sessions| sessions).await {
        let token = world.login().await;
        world.store.switch_off(true);
        world.clock.set(NumericDate::from_seconds(NOW + 3000));
        for path in [REQUIRED, WHO, MAYBE, POLICY] {
            let response = world.get(path, &token).await;
            assert_eq!((response.status, code(&response).as_str()), (503, "store_unavailable"));
            assert_eq!(set_cookies(&response), Vec::<&str>::new(), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_another_site_caused_keeps_the_cookie() {
    for world in worlds().await {
        let token = world.login().await;
        world.clock.advance(Duration::from_secs(3000));
        for token in [&*token, "invalid"] {
            for path in [WHO, MAYBE, LEAVE] {
                let request = world.with(Request::post(path), token);
                let request = request.field("origin", "https://evil.test");
                let response = world.send(request).await;
                assert_eq!(
                    (response.status, code(&response).as_str()),
                    (403, "cross_site_request")
                );
                assert_eq!(set_cookies(&response), Vec::<&str>::new(), "{path}");
            }
        }
    }
}
