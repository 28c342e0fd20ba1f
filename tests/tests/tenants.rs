//! Issuers that are looked up: once, within limits, and by the very name that a token claims.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[path = "tenants/world.rs"]
mod world;

#[path = "tenants/forgetting.rs"]
mod forgetting;
#[path = "tenants/gate.rs"]
mod gate;
#[path = "tenants/limits.rs"]
mod limits;
#[path = "tenants/names.rs"]
mod names;
#[path = "tenants/production.rs"]
mod production;

use std::{num::NonZeroUsize, time::Duration};

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    AuthErrorKind, Authenticator, GrantMapping, Issuer, NumericDate, Requirement, TokenLocation,
    future::MaybePending, strategy::Tenants,
};
use portcullis_testkit::{ManualClock, TestIssuer};

use world::{World, outcome, patient, settle};

#[tokio::test]
async fn a_tenant_is_looked_up_once_and_its_rules_hold() {
    let world = World::new(&["acme", "umbrella"]);
    for _ in 0..3 {
        assert_eq!(world.judge(&world.token(0)).await, "https://acme.test");
        assert_eq!(world.judge(&world.token(1)).await, "https://umbrella.test");
    }
    assert_eq!((world.database.asked(), world.tenants.len()), (2, 2));
    // What is kept needs no wait.
    let known = world.auth.authenticate(&Request::new().bearer(&world.token(0)));
    assert!(matches!(known, MaybePending::Ready(_)));
    let acme = || world.issuers.first().unwrap().token();
    assert_eq!(world.judge(&acme().audience("elsewhere").build()).await, "wrong_audience");
    assert_eq!(world.judge(&acme().audience(AUDIENCE).expired().build()).await, "token_expired");
    // The keys of one tenant are nobody else's.
    let forged = world.issuers.get(1).unwrap().token().claim("iss", "https://acme.test");
    assert_eq!(world.judge(&forged.audience(AUDIENCE).build()).await, "signature_mismatch");
}

#[tokio::test]
async fn a_caller_is_one_of_the_engine_that_asked() {
    let world = World::new(&["acme"]);
    let verdict = patient(&world.auth, &Request::new().bearer(&world.token(0))).await;
    let caller = verdict.result.unwrap();
    assert!(caller.grant().has_scope("orders:read"));
    assert!(caller.principal().is_grant_type::<portcullis::Grant>());
    for name in ["tenants"] {
        let auth = world.auth.clone().with_requirement(Requirement::issuer(name)).unwrap();
        let verdict = patient(&auth, &Request::new().bearer(&world.token(0))).await;
        assert_eq!(outcome(&verdict), "https://acme.test");
    }
    let tenants = world.tenants.clone();
    let places = [TokenLocation::header("x-token").of_issuer("tenants")];
    let auth = Authenticator::builder().strategy(tenants).locations(places);
    let auth = auth.clock(world.clock.clone()).build().unwrap();
    let request = Request::new().field("x-token", world.token(0));
    assert_eq!(outcome(&patient(&auth, &request).await), "https://acme.test");
}

#[tokio::test]
async fn the_mapping_is_that_of_the_tenant() {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let issuer = TestIssuer::new("https://acme.test").clock(clock.clone());
    let trusted = issuer.clone();
    let tenants = Tenants::new("tenants", move |_: String| {
        let mapping = GrantMapping::default().roles(["https://acme.test/roles"]);
        let tenant = trusted.trusted().audience(AUDIENCE).grant_mapping(mapping);
        async move { Ok(Some(tenant)) }
    });
    let auth = Authenticator::builder().strategy(tenants.clock(clock.clone())).clock(clock);
    let auth = auth.build().unwrap();
    let token = issuer.token().audience(AUDIENCE).claim("https://acme.test/roles", ["admin"]);
    let verdict = patient(&auth, &Request::new().bearer(&token.build())).await;
    assert!(verdict.result.unwrap().grant().has_role("admin"));
}

#[tokio::test]
async fn a_name_that_is_no_tenants_is_left_to_the_next_and_remembered_for_a_minute() {
    let world = World::new(&["acme"]);
    let stranger = TestIssuer::new("https://stranger.test").clock(world.clock.clone());
    let token = stranger.token().audience(AUDIENCE).build();
    for _ in 0..5 {
        assert_eq!(world.judge(&token).await, "no_credentials");
    }
    assert_eq!((world.database.asked(), world.tenants.len()), (1, 0));
    world.clock.advance(Duration::from_secs(60));
    world.database.0.tenants.lock().unwrap().push(stranger);
    assert_eq!(world.judge(&token).await, "https://stranger.test");
}

#[tokio::test]
async fn who_asks_for_nothing_that_could_be_a_tenant_costs_no_look_up() {
    let world = World::new(&["acme"]);
    let long = format!("https://{}.test", "x".repeat(600));
    let long = TestIssuer::new(long).clock(world.clock.clone()).token().build();
    for token in ["opaque", "a.b.c", "a.e30.c", &long] {
        assert_eq!(world.judge(token).await, "no_credentials");
    }
    assert_eq!(world.database.asked(), 0);
}

#[tokio::test]
async fn many_requests_of_a_new_tenant_are_one_question() {
    let world = World::new(&["acme"]);
    world.database.0.open.send_replace(false);
    let requests: Vec<_> = (0..1000)
        .map(|_| {
            let (auth, token) = (world.auth.clone(), world.token(0));
            tokio::spawn(
                async move { outcome(&patient(&auth, &Request::new().bearer(&token)).await) },
            )
        })
        .collect();
    settle().await;
    world.database.0.open.send_replace(true);
    for request in requests {
        assert_eq!(request.await.unwrap(), "https://acme.test");
    }
    assert_eq!(world.database.asked(), 1);
}

#[tokio::test]
async fn a_database_that_is_down_or_slow_is_no_answer_and_hurts_no_known_tenant() {
    let world = World::with(&["acme", "umbrella"], |tenants| {
        tenants.timeout(Duration::from_secs(3)).concurrency(NonZeroUsize::MIN)
    });
    assert_eq!(world.judge(&world.token(0)).await, "https://acme.test");
    *world.database.0.failure.lock().unwrap() = Some(AuthErrorKind::ResolverUnavailable);
    assert_eq!(world.judge(&world.token(1)).await, "resolver_unavailable");
    assert_eq!(world.judge(&world.token(0)).await, "https://acme.test");
    *world.database.0.failure.lock().unwrap() = None;
    world.database.0.open.send_replace(false);
    let (auth, token) = (world.auth.clone(), world.token(1));
    let waiting =
        tokio::spawn(async move { outcome(&patient(&auth, &Request::new().bearer(&token)).await) });
    settle().await;
    assert_eq!(world.judge(&world.token(0)).await, "https://acme.test");
    world.clock.advance(Duration::from_secs(3));
    assert_eq!(waiting.await.unwrap(), "resolver_unavailable");
    // It was no answer: nothing is remembered of it.
    world.database.0.open.send_replace(true);
    assert_eq!(world.judge(&world.token(1)).await, "https://umbrella.test");
}

#[tokio::test]
async fn no_more_issuers_are_kept_than_that_and_the_one_unused_longest_goes_first() {
    let two = NonZeroUsize::new(2).unwrap();
    let world = World::with(&["a", "b", "c"], |tenants| tenants.capacity(two));
    for tenant in [0, 1, 0, 2] {
        let expected = world.issuers.get(tenant).unwrap().name();
        assert_eq!(world.judge(&world.token(tenant)).await, expected);
    }
    assert_eq!((world.tenants.len(), world.database.asked()), (2, 3));
    world.judge(&world.token(0)).await;
    assert_eq!(world.database.asked(), 3);
    world.judge(&world.token(1)).await;
    assert_eq!((world.tenants.len(), world.database.asked()), (2, 4));
}

#[tokio::test]
async fn a_tenant_that_is_forgotten_is_looked_up_anew() {
    let world = World::new(&["acme"]);
    let token = world.token(0);
    assert_eq!(world.judge(&token).await, "https://acme.test");
    world.database.0.tenants.lock().unwrap().clear();
    assert_eq!(world.judge(&token).await, "https://acme.test");
    world.tenants.forget("https://acme.test");
    assert_eq!(world.judge(&token).await, "no_credentials");
    world.database.0.tenants.lock().unwrap().extend_from_slice(&world.issuers);
    assert_eq!(world.judge(&token).await, "no_credentials");
    world.tenants.forget("https://acme.test");
    assert_eq!(world.judge(&token).await, "https://acme.test");
}

#[tokio::test]
async fn an_issuer_that_does_not_fit_the_name_or_cannot_be_used_is_not_trusted() {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let issuer = TestIssuer::new("https://acme.test").clock(clock.clone());
    let token = issuer.token().audience(AUDIENCE).build();
    let other = TestIssuer::new("https://acme.test/").trusted().audience(AUDIENCE);
    let any = Issuer::dangerous_any("https://acme.test");
    let without_audience = issuer.trusted();
    for answer in [other, any, without_audience] {
        let tenants = Tenants::new("tenants", move |_: String| {
            let answer = answer.clone();
            async move { Ok(Some(answer)) }
        });
        let auth = Authenticator::builder().strategy(tenants.clock(clock.clone()));
        let auth = auth.clock(clock.clone()).build().unwrap();
        let verdict = patient(&auth, &Request::new().bearer(&token)).await;
        assert_eq!(outcome(&verdict), "untrusted_issuer");
    }
}
