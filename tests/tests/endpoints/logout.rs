//! Logout.

use portcullis_testkit::TokenBuilder;

use super::{
    http::Request,
    servers::{LAYERED_LOGOUT, LINKED_LOGOUT, LOGOUT, PLAIN_LOGOUT, REMOVED},
    world::worlds,
};

const UNAVAILABLE: &str = r#"{"error":"temporarily_unavailable"}"#;

fn both(header: &TokenBuilder, cookie: &TokenBuilder) -> Request {
    Request::post(LOGOUT).bearer(&header.build()).cookie(&cookie.build())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_revokes_each_token_and_its_session_and_removes_the_cookie() {
    for world in worlds().await {
        let (header, cookie) = (world.token("1"), world.token("2").claim("sid", "s"));
        let same_session = world.token("3").claim("sid", "s");
        let other = world.token("4").claim("sid", "t");
        let response = world.expect(both(&header, &cookie), 204, "").await;
        assert_eq!(response.get("set-cookie"), Some(REMOVED));
        for token in [&header, &cookie, &same_session] {
            world.assert_revoked(token).await;
        }
        world.assert_good(&other).await;
        let issuer = &world.issuer;
        let expected = [
            (issuer, "token", "1"),
            // Tokens that were made from one without a `sid` are named after it.
            (issuer, "session", "1"),
            (issuer, "token", "2"),
            (issuer, "session", "s"),
            // The first token of the session may have no `sid`.
            (issuer, "token", "s"),
        ];
        world.assert_entries(&expected).await;
        // It was done already.
        let response = world.expect(both(&header, &cookie), 204, "").await;
        assert_eq!(response.get("set-cookie"), Some(REMOVED));
        world.assert_entries(&expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ignores_what_is_not_valid_and_removes_the_cookie_all_the_same() {
    for world in worlds().await {
        let good = world.token("1");
        let expired = good.clone().expired().build();
        let requests = [
            Request::post(LOGOUT),
            Request::post(LOGOUT).cookie(&expired),
            Request::post(LOGOUT).bearer("x").cookie(""),
            Request::post(LOGOUT).field("authorization", "Basic eDp5").cookie("x.y.z"),
            Request::post(LOGOUT).cookie(&good.clone().wrong_signature().build()),
        ];
        for request in requests {
            let response = world.expect(request, 204, "").await;
            assert_eq!(response.get("set-cookie"), Some(REMOVED));
        }
        world.assert_entries(&[]).await;
        // What is malformed hides no valid token beside it.
        let cookies = format!("session=; session={expired}; session={}; session=", good.build());
        let request = Request::post(LOGOUT).bearer("x").field("cookie", cookies);
        world.expect(request, 204, "").await;
        world.assert_revoked(&good).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_without_a_cookie_to_remove_sets_none() {
    for world in worlds().await {
        let token = world.token("1");
        let request = Request::post(PLAIN_LOGOUT).bearer(&token.build());
        let response = world.expect(request, 204, "").await;
        assert_eq!(response.get("set-cookie"), None);
        world.assert_revoked(&token).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_behind_a_layer_revokes_the_caller_and_the_cookie() {
    for world in worlds().await {
        let (header, cookie) = (world.token("1"), world.token("2"));
        let request = Request::post(LAYERED_LOGOUT);
        let request = request.bearer(&header.build()).cookie(&cookie.build());
        world.expect(request, 204, "").await;
        let issuer = &world.issuer;
        let kinds = ["token", "session"];
        let expected = kinds.map(|kind| [(issuer, kind, "1"), (issuer, kind, "2")]);
        world.assert_entries(expected.as_flattened()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_fails_the_cookie_stays_for_the_next_try() {
    for world in worlds().await {
        let (header, cookie) = (world.token("1"), world.token("2"));
        world.store.refuse_entries(true);
        let response = world.expect(both(&header, &cookie), 503, UNAVAILABLE).await;
        assert_eq!(response.get("set-cookie"), None);
        world.assert_good(&header).await;
        world.store.refuse_entries(false);
        world.expect(both(&header, &cookie), 204, "").await;
        world.assert_revoked(&header).await;
        world.assert_revoked(&cookie).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_log_a_user_out() {
    for world in worlds().await {
        let token = world.token("1");
        for fields in [
            vec![("origin", "https://evil.test")],
            vec![("origin", "null")],
            vec![("origin", "https://api.test"), ("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site")],
        ] {
            let with = |request: Request| {
                fields.iter().fold(request, |request, (name, value)| request.field(name, *value))
            };
            let cookie = || with(Request::post(LOGOUT).cookie(&token.build()));
            // Without the cookie too: the response would remove it.
            for request in [cookie(), with(Request::post(LOGOUT))] {
                let response = world.send(request).await;
                assert_eq!(response.status, 403, "{fields:?} {response:?}");
                assert_eq!(response.get("set-cookie"), None);
                assert_eq!(response.get("cache-control"), Some("no-store"));
            }
            let request = with(Request::post(PLAIN_LOGOUT).cookie(&token.build()));
            assert_eq!(world.send(request).await.status, 403, "{fields:?}");
            // Links and images cannot either.
            for method in ["GET", "HEAD", "OPTIONS"] {
                let request = with(Request::new(method, LOGOUT).cookie(&token.build()));
                let response = world.expect(request, 405, "").await;
                assert_eq!(response.get("allow"), Some("POST"));
                assert_eq!(response.get("set-cookie"), None);
            }
        }
        world.assert_entries(&[]).await;
        let request = Request::post(LOGOUT).cookie(&token.build());
        world.expect(request.field("sec-fetch-site", "same-origin"), 204, "").await;
        world.assert_revoked(&token).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_have_four_different_tokens() {
    for world in worlds().await {
        let tokens: Vec<_> = (0..5).map(|id| world.token(&id.to_string())).collect();
        // Each signature is another one, so each token is signed once.
        let texts: Vec<_> = tokens.iter().map(TokenBuilder::build).collect();
        let cookies = |count: usize| {
            let cookies = texts.iter().take(count).map(|token| format!("session={token}"));
            cookies.collect::<Vec<_>>().join("; ")
        };
        // The same token in two places is one.
        let request =
            |count| Request::post(LOGOUT).field("cookie", cookies(count)).bearer(&texts[0]);
        let response = world.expect(request(5), 400, r#"{"error":"invalid_request"}"#).await;
        assert_eq!(response.get("set-cookie"), None);
        world.assert_entries(&[]).await;
        world.expect(request(4), 204, "").await;
        for (position, token) in tokens.iter().enumerate() {
            if position < 4 {
                world.assert_revoked(token).await;
            } else {
                world.assert_good(token).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_is_a_link_revokes_and_redirects() {
    for world in worlds().await {
        for (method, status, id) in [("GET", 307, "1"), ("POST", 303, "2")] {
            let token = world.token(id);
            let request = Request::new(method, LINKED_LOGOUT).cookie(&token.build());
            let response = world.expect(request, status, "").await;
            assert_eq!(response.get("location"), Some("/login?next=%2F"));
            assert_eq!(response.get("set-cookie"), Some(REMOVED));
            world.assert_revoked(&token).await;
        }
        let token = world.token("3");
        for method in ["HEAD", "PUT"] {
            let request = Request::new(method, LINKED_LOGOUT).cookie(&token.build());
            world.expect(request, 405, "").await;
        }
        world.assert_good(&token).await;
        // What fails does not redirect, which would look like success.
        world.store.refuse_entries(true);
        let request = Request::new("GET", LINKED_LOGOUT).cookie(&token.build());
        let response = world.expect(request, 503, UNAVAILABLE).await;
        assert_eq!((response.get("location"), response.get("set-cookie")), (None, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_store_cannot_keep_is_400_because_another_attempt_would_fail_too() {
    for world in worlds().await {
        let token = world.token("1");
        world.store.have_no_place();
        let request = Request::post(LOGOUT).bearer(&token.build());
        let response = world.expect(request, 400, r#"{"error":"unsupported_token_type"}"#).await;
        assert_eq!(response.get("set-cookie"), None);
        world.assert_good(&token).await;
    }
}
