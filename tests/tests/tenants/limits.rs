//! Unverified names: what they may cost, and what they may displace.

use std::{num::NonZeroUsize, time::Duration};

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{AuthErrorKind, Authenticator, NumericDate, adapter::Challenge};
use portcullis_testkit::{ManualClock, TestIssuer};
use tokio::task::JoinHandle;

use crate::world::{Database, World, outcome, patient, settle};

const NOT_LOOKED_UP: &str = "issuer_not_looked_up";

/// Returns a token of an issuer that does not exist. It needs no key.
fn junk(number: usize) -> String {
    unsigned(&format!("https://junk-{number}.test"))
}

/// Returns a token with this issuer, and a signature that no key has made.
fn unsigned(issuer: &str) -> String {
    let payload = serde_json::json!({"iss": issuer, "sub": "x", "exp": NOW + 60}).to_string();
    let encode = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
    let header = encode(r#"{"alg":"ES256","kid":"es256"}"#);
    format!("{header}.{}.{}", encode(&payload), "A".repeat(86))
}

impl World {
    /// Sends tokens of issuers that do not exist, and returns how many were answered how.
    async fn flood(&self, from: usize, count: usize) -> (usize, usize) {
        let (mut abstained, mut limited) = (0, 0);
        for number in from..from + count {
            match self.judge(&junk(number)).await.as_str() {
                "no_credentials" => abstained += 1,
                NOT_LOOKED_UP => limited += 1,
                other => panic!("{other}"),
            }
        }
        (abstained, limited)
    }

    fn start(&self, token: String) -> JoinHandle<String> {
        let auth = self.auth.clone();
        tokio::spawn(async move { outcome(&patient(&auth, &Request::new().bearer(&token)).await) })
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("tenant-{number}")).collect()
}

fn world_of(count: usize) -> World {
    let names = names(count);
    World::new(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_flood_of_unverified_names_costs_ten_look_ups_and_one_more_each_second() {
    let world = world_of(0);
    assert_eq!(world.flood(0, 2_000).await, (10, 1_990));
    assert_eq!(world.database.asked(), 10);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.flood(2_000, 100).await, (1, 99));
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(world.flood(3_000, 100).await, (10, 90));
    assert_eq!(world.database.asked(), 21);
}

#[tokio::test]
async fn a_token_whose_issuer_was_not_looked_up_is_not_called_invalid() {
    let world = world_of(1);
    world.flood(0, 10).await;
    let request = Request::new().bearer(&world.token(0));
    let error = patient(&world.auth, &request).await.result.unwrap_err();
    assert_eq!(error.kind().code(), NOT_LOOKED_UP);
    let challenge = Challenge::from(&error);
    assert_eq!((challenge.status(), challenge.error()), (401, None));
    assert_eq!(challenge.www_authenticate().as_deref(), Some("Bearer"));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.judge(&world.token(0)).await, "https://tenant-0.test");
}

#[tokio::test]
async fn a_token_of_a_trusted_issuer_is_good_whatever_goes_on_among_tenants() {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
    let world = World::new(&["acme"]);
    let auth = Authenticator::builder().strategy(world.tenants.clone());
    let auth = auth.issuer(issuer.trusted()).audience(AUDIENCE).clock(clock).build().unwrap();
    world.database.0.open.send_replace(false);
    for number in 0..100 {
        world.start(junk(number));
    }
    settle().await;
    let request = Request::new().bearer(&issuer.token().audience(AUDIENCE).build());
    assert_eq!(outcome(&patient(&auth, &request).await), "https://idp.test");
    assert_eq!(world.database.asked(), 10);
}

#[tokio::test]
async fn a_service_that_starts_anew_learns_all_of_its_tenants_at_once() {
    let world = world_of(30);
    let requests: Vec<_> = (0..30).map(|tenant| world.start(world.token(tenant))).collect();
    for (tenant, request) in requests.into_iter().enumerate() {
        assert_eq!(request.await.unwrap(), format!("https://tenant-{tenant}.test"));
    }
    assert_eq!((world.tenants.len(), world.database.asked()), (30, 30));
    // Nothing of the limit is used up.
    assert_eq!(world.flood(0, 20).await, (10, 10));
}

#[tokio::test]
async fn a_name_that_a_verified_token_carried_is_looked_up_in_a_flood_too() {
    let world = World::with(&["a", "b"], |tenants| tenants.capacity(NonZeroUsize::MIN));
    assert_eq!(world.judge(&world.token(0)).await, "https://a.test");
    assert_eq!(world.judge(&world.token(1)).await, "https://b.test");
    world.flood(0, 100).await;
    assert_eq!(world.judge(&world.token(0)).await, "https://a.test");
    world.tenants.forget("https://a.test");
    assert_eq!(world.judge(&world.token(0)).await, "https://a.test");
}

#[tokio::test]
async fn tokens_that_are_not_verified_displace_no_tenant() {
    let names = names(9);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let four = NonZeroUsize::new(4).unwrap();
    let world = World::with(&names, |tenants| tenants.capacity(four));
    for tenant in 0..4 {
        world.judge(&world.token(tenant)).await;
    }
    let asked = world.database.asked();
    for tenant in 4..9 {
        let name = world.issuers.get(tenant).unwrap().name();
        assert_eq!(world.judge(&unsigned(name)).await, "signature_mismatch");
    }
    assert_eq!((world.tenants.len(), world.database.asked()), (4, asked + 5));
    // What is at hand needs no database.
    *world.database.0.failure.lock().unwrap() = Some(AuthErrorKind::ResolverUnavailable);
    for tenant in 0..4 {
        let name = world.issuers.get(tenant).unwrap().name();
        assert_eq!(world.judge(&world.token(tenant)).await, name);
    }
}

#[tokio::test]
async fn tokens_that_are_not_verified_keep_no_tenant_from_going() {
    let two = NonZeroUsize::new(2).unwrap();
    let world = World::with(&["a", "b", "c"], |tenants| tenants.capacity(two));
    world.judge(&world.token(0)).await;
    world.judge(&world.token(1)).await;
    for _ in 0..10 {
        assert_eq!(world.judge(&unsigned("https://a.test")).await, "signature_mismatch");
    }
    world.judge(&world.token(2)).await;
    let asked = world.database.asked();
    assert_eq!(world.judge(&world.token(1)).await, "https://b.test");
    assert_eq!(world.database.asked(), asked);
}

#[tokio::test]
async fn while_the_database_fails_what_is_beyond_the_limit_is_the_services_fault() {
    let world = world_of(1);
    *world.database.0.failure.lock().unwrap() = Some(AuthErrorKind::ResolverUnavailable);
    for number in 0..20 {
        assert_eq!(world.judge(&junk(number)).await, "resolver_unavailable");
    }
    assert_eq!(world.database.asked(), 10);
    assert_eq!(world.judge(&world.token(0)).await, "resolver_unavailable");
    *world.database.0.failure.lock().unwrap() = None;
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.judge(&world.token(0)).await, "https://tenant-0.test");
    world.flood(100, 100).await;
}

#[tokio::test]
async fn no_invented_name_waits_for_more_than_the_look_ups_that_are_under_way() {
    let world = world_of(0);
    world.database.0.open.send_replace(false);
    let requests: Vec<_> = (0..2_000).map(|number| world.start(junk(number))).collect();
    settle().await;
    // Ten are looked up, a thousand wait, and the others are answered.
    let answered = requests.iter().filter(|request| request.is_finished()).count();
    assert_eq!((world.database.asked(), answered), (10, 990));
    world.database.0.open.send_replace(true);
    let mut outcomes = Vec::new();
    for request in requests {
        outcomes.push(request.await.unwrap());
    }
    let limited = outcomes.iter().filter(|outcome| *outcome == NOT_LOOKED_UP).count();
    assert_eq!((world.database.asked(), limited), (10, 1_990));
}

#[tokio::test]
async fn a_slow_database_makes_no_invented_name_a_fault_of_the_service() {
    let world = World::with(&[], |tenants| tenants.concurrency(NonZeroUsize::MIN));
    world.database.0.open.send_replace(false);
    let requests: Vec<_> = (0..20).map(|number| world.start(junk(number))).collect();
    settle().await;
    world.clock.advance(Duration::from_millis(1_500));
    settle().await;
    world.database.0.open.send_replace(true);
    for request in requests {
        let outcome = request.await.unwrap();
        assert!(["no_credentials", NOT_LOOKED_UP].contains(&outcome.as_str()), "{outcome}");
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_once_leaves_nothing_behind() {
    let world = world_of(0);
    let late = TestIssuer::new("https://late.test").clock(world.clock.clone());
    world.clock.advance(Duration::from_secs(86_400));
    let token = late.token().audience(AUDIENCE).build();
    assert_eq!(world.judge(&token).await, "no_credentials");
    world.flood(0, 100).await;
    world.clock.set(NumericDate::from_seconds(NOW));
    world.database.0.tenants.lock().unwrap().push(late.clone());
    let token = late.token().audience(AUDIENCE).build();
    assert_eq!(world.judge(&token).await, NOT_LOOKED_UP);
    // One more look-up a second from now on, and the name is not unknown for a day.
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.judge(&token).await, "https://late.test");
}

#[tokio::test]
async fn a_row_that_cannot_be_used_costs_no_more_than_an_invented_name() {
    let world = world_of(0);
    let database: Database = world.database.clone();
    let any = portcullis::strategy::Tenants::new("any", move |_: String| {
        let database = database.clone();
        async move {
            database.clone().find(String::new()).await?;
            Ok(Some(portcullis::Issuer::new("another name")))
        }
    });
    let auth = Authenticator::builder().strategy(any.clock(world.clock.clone()));
    let auth = auth.clock(world.clock.clone()).build().unwrap();
    for number in 0..20 {
        let request = Request::new().bearer(&junk(number));
        let code = outcome(&patient(&auth, &request).await);
        assert_eq!(code, if number < 10 { "untrusted_issuer" } else { NOT_LOOKED_UP });
    }
    assert_eq!(world.database.asked(), 10);
}

#[tokio::test]
async fn a_name_with_a_control_character_is_never_looked_up() {
    let world = world_of(0);
    for issuer in ["a\0", "https://idp.test/\n", "\u{7f}", "\u{85}"] {
        assert_eq!(world.judge(&unsigned(issuer)).await, "no_credentials", "{issuer:?}");
    }
    assert_eq!(world.database.asked(), 0);
}
