//! What the response has.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    http::Request,
    world::{Setup, worlds},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_response_of_any_status_has_the_new_token() {
    for world in worlds(Setup::default()).await {
        let token = world.token(json!({}));
        let fresh = token.clone();
        let paths = [
            ("/200", 200),
            ("/204", 204),
            ("/404", 404),
            ("/409", 409),
            ("/500", 500),
            ("/503", 503),
            // No handler, and the error of a middleware.
            ("/no/such/route", 404),
            ("/fails", 403),
        ];
        for (path, status) in paths {
            let response = world.send(Request::new("GET", path).bearer(&fresh)).await;
            assert_eq!((response.status, response.get("refreshed-api-token")), (status, None));
        }
        world.advance_to_seconds_left(100);
        for (path, status) in paths {
            let response = world.send(Request::new("GET", path).bearer(&token)).await;
            let what = format!("{:?} {path}: {response:?}", world.framework);
            assert_eq!(response.status, status, "{what}");
            let new = response.get("refreshed-api-token").unwrap_or_else(|| panic!("{what}"));
            assert_eq!(world.code(new).await, None, "{what}");
            assert_eq!(response.get("cache-control"), Some("no-store"), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_the_handler_stays() {
    for world in worlds(Setup::default()).await {
        let token = world.token(json!({}));
        world.advance_to_seconds_left(100);
        let response = world.send(Request::new("GET", "/own").bearer(&token)).await;
        assert_eq!(response.get("refreshed-api-token"), Some("own"), "{:?}", world.framework);
        assert_eq!(response.get("cache-control"), Some("max-age=5"), "{:?}", world.framework);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_field_has_the_configured_name() {
    let setup = || Setup {
        reissuer: |reissuer| reissuer.header("X-New-Token").unwrap(),
        ..Setup::default()
    };
    for world in worlds(setup()).await {
        let token = world.token(json!({}));
        world.advance_to_seconds_left(100);
        let response = world.send(Request::new("GET", "/200").bearer(&token)).await;
        assert!(response.get("x-new-token").is_some(), "{:?}", world.framework);
        assert_eq!(response.get("refreshed-api-token"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn if_no_token_can_be_made_the_response_is_unchanged() {
    // The first cannot be signed, because the key is not published that long, and the claims of the second
    // cannot be read.
    let setup = || Setup {
        reissuer: |reissuer| reissuer.lifetime(Duration::from_secs(10_001)),
        ..Setup::default()
    };
    let rows: [(fn() -> Setup, Value); 2] =
        [(setup, json!({})), (Setup::default, json!({"orig_iat": "yesterday"}))];
    for (setup, claims) in rows {
        for world in worlds(setup()).await {
            let token = world.token(claims.clone());
            world.advance_to_seconds_left(100);
            assert_eq!(world.reissued(&token).await, None, "{:?}: {claims}", world.framework);
        }
    }
}
