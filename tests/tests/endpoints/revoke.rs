//! Revocation by a client (RFC 7009).

use conformance::AUDIENCE;
use portcullis::{Algorithm, Issuer, revocation::Revocations};
use portcullis_testkit::{SigningKey, TestIssuer, TokenBuilder};

use super::{
    http::Request,
    servers::{ADMIN, BARE, REVOKE},
    world::{World, worlds, worlds_with},
};

const NOT_OURS: &str = r#"{"error":"unauthorized_client"}"#;
const UNAVAILABLE: &str = r#"{"error":"temporarily_unavailable"}"#;
const UNSUPPORTED: &str = r#"{"error":"unsupported_token_type"}"#;

fn revoke(caller: &TokenBuilder, token: &str) -> Request {
    Request::post(REVOKE).bearer(&caller.build()).form(format!("token={token}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_revokes_tokens_of_its_own_and_no_others() {
    for world in worlds().await {
        let (caller, other) = (world.token("1"), world.token("2"));
        let form = format!("token={}&token_type_hint=refresh_token", other.build());
        let request = Request::post(REVOKE).bearer(&caller.build()).form(form);
        world.expect(request, 200, "").await;
        world.assert_revoked(&other).await;
        world.assert_good(&caller).await;

        // Its own credential. After that it is nobody.
        world.expect(revoke(&caller, &caller.build()), 200, "").await;
        world.assert_revoked(&caller).await;
        let response = world.send(revoke(&caller, &caller.build())).await;
        assert_eq!(response.status, 401, "{response:?}");
        let (issuer, kind) = (&world.issuer, "token");
        world.assert_entries(&[(issuer, kind, "1"), (issuer, kind, "2")]).await;
        let ends = world.store.entries().await.iter().map(|entry| entry.until).collect::<Vec<_>>();
        assert!(ends.iter().all(Option::is_some), "{ends:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_the_callers_by_subject_or_client_of_the_same_issuer() {
    for world in worlds().await {
        let of = |id: &str, subject: &str, client: &str| {
            world.token(id).subject(subject).claim("client_id", client)
        };
        let caller = of("caller", "alice", "web");
        let partner = world.partner.token().audience(AUDIENCE).claim("client_id", "web");
        let azp = world.token("8").subject("bob").claim("azp", "web");
        for (token, is_own) in [
            (of("1", "alice", "mobile"), true),
            (of("2", "bob", "web"), true),
            (of("3", "bob", "mobile"), false),
            (of("4", "Alice", "Web"), false),
            (of("5", "web", "alice"), false),
            (world.token("6").subject("bob"), false),
            (partner.claim("jti", "7"), false),
            (azp, true),
        ] {
            let request = revoke(&caller, &token.build());
            if is_own {
                world.expect(request, 200, "").await;
                world.assert_revoked(&token).await;
            } else {
                world.expect(request, 403, NOT_OURS).await;
                world.assert_good(&token).await;
            }
        }
        // Two callers without a client have no client in common, not even an empty one.
        for token in [world.token("9").subject("bob"), of("10", "bob", "")] {
            for caller in [world.token("caller"), of("caller", "alice", "")] {
                world.expect(revoke(&caller, &token.build()), 403, NOT_OURS).await;
                world.assert_good(&token).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_meets_the_admin_policy_revokes_tokens_of_others() {
    for world in worlds().await {
        let of_bob = world.token("1").subject("bob");
        let of_partner = world.partner.token().audience(AUDIENCE).claim("jti", "2");
        let request = |caller: &TokenBuilder, token: &TokenBuilder| {
            Request::post(ADMIN).bearer(&caller.build()).form(format!("token={}", token.build()))
        };
        let (user, admin) = (world.token("u"), world.token("a").roles(["admin"]));
        world.expect(request(&user, &of_bob), 403, NOT_OURS).await;
        world.assert_good(&of_bob).await;
        for token in [of_bob, of_partner] {
            world.expect(request(&admin, &token), 200, "").await;
            world.assert_revoked(&token).await;
        }
        // The policy is that of one endpoint.
        let of_carol = world.token("3").subject("carol");
        world.expect(revoke(&admin, &of_carol.build()), 403, NOT_OURS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_valid_gets_200_and_revokes_nothing() {
    for world in worlds().await {
        let good = world.token("1");
        let stranger = TestIssuer::new("https://stranger.test").clock(world.clock.clone());
        let other_key = SigningKey::generate(Algorithm::ES256, "es256");
        let none = world.token("1").raw_header(r#"{"alg":"none"}"#).signature(*b"");
        let invalid: Vec<(&str, String)> = vec![
            ("expired", good.clone().expired().build()),
            ("not yet valid", good.clone().claim("nbf", 4_000_000_000_u64).build()),
            ("a wrong signature", good.clone().wrong_signature().build()),
            ("another key", good.clone().key(&other_key).build()),
            ("no algorithm", none.build()),
            ("a stranger's", stranger.token().audience(AUDIENCE).claim("jti", "1").build()),
            ("another audience", good.clone().audience("billing").build()),
            ("no `jti`", good.clone().without_claim("jti").build()),
            ("not a string as `jti`", good.clone().claim("jti", 1).build()),
            ("a logout token", good.clone().claim("events", serde_json::json!({})).build()),
            ("not a token", "abc".to_owned()),
            ("not even a `b64token`", "%00%0d%0a".to_owned()),
            ("a space", "a+b".to_owned()),
            ("a long one", "a".repeat(60_000)),
            ("three dots", "...".to_owned()),
        ];
        for (what, token) in invalid {
            let caller = world.token("caller");
            let response = world.expect(revoke(&caller, &token), 200, "").await;
            assert_eq!(response.get("content-type"), None, "{what}");
            world.assert_entries(&[]).await;
        }
        world.assert_good(&good).await;
        // Twice is not an error.
        for _ in 0..2 {
            world.expect(revoke(&world.token("caller"), &good.build()), 200, "").await;
        }
        world.assert_entries(&[(&world.issuer, "token", "1")]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_jti_cannot_be_revoked_where_it_is_accepted() {
    for world in worlds_with(|issuer| issuer, Revocations::allow_missing_jti).await {
        let caller = world.token("caller");
        let token = world.token("1").without_claim("jti");
        world.expect(revoke(&caller, &token.build()), 400, UNSUPPORTED).await;
        // Not even its session is, which nobody asked for.
        let token = token.claim("sid", "s");
        world.expect(revoke(&caller, &token.build()), 400, UNSUPPORTED).await;
        world.assert_entries(&[]).await;
        // Of another caller's token, a caller does not learn that.
        world.expect(revoke(&caller, &token.subject("bob").build()), 403, NOT_OURS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_caller_nothing_is_revoked() {
    for world in worlds().await {
        let token = world.token("1");
        let form = format!("token={}", token.build());
        let response = world.send(Request::post(REVOKE).form(&*form)).await;
        assert_eq!(response.status, 401, "{response:?}");
        // The token in the form is no credential.
        let response = world.send(Request::post(REVOKE).bearer("x").form(&*form)).await;
        assert_eq!(response.status, 401, "{response:?}");
        let response = world.send(Request::post(BARE).bearer(&token.build()).form(&*form)).await;
        assert_eq!((response.status, response.get("cache-control")), (500, Some("no-store")));
        assert!(response.body.contains("internal_error"), "{response:?}");
        world.assert_good(&token).await;
        world.assert_entries(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_fails_nothing_is_revoked_and_the_client_may_try_again() {
    for world in worlds().await {
        let (caller, token) = (world.token("caller"), world.token("1"));
        world.store.refuse_entries(true);
        world.expect(revoke(&caller, &token.build()), 503, UNAVAILABLE).await;
        world.assert_good(&token).await;
        world.store.refuse_entries(false);
        world.expect(revoke(&caller, &token.build()), 200, "").await;
        world.assert_revoked(&token).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_token_is_revoked_and_not_used_by_that() {
    let strict = |revocations: Revocations| revocations.strict();
    for world in worlds_with(Issuer::one_time, strict).await {
        let token = world.token("1");
        let of_bob = world.token("2").subject("bob");
        world.expect(revoke(&world.token("a"), &of_bob.build()), 403, NOT_OURS).await;
        world.assert_good(&of_bob).await;
        world.expect(revoke(&world.token("b"), &token.build()), 200, "").await;
        world.assert_revoked(&token).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_frameworks_answer_alike() {
    let worlds: [World; 2] = worlds().await.try_into().unwrap();
    for method in ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"] {
        let mut responses = Vec::new();
        for world in &worlds {
            let request = Request::new(method, REVOKE).bearer(&world.token("1").build());
            let response = world.expect(request, 405, "").await;
            assert_eq!(response.get("allow"), Some("POST"));
            responses.push(response);
        }
        assert_eq!(responses[0], responses[1], "{method}");
    }
}
