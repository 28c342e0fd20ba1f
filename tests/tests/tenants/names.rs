//! A name that an issuer or strategy of the engine owns is carried by no other source.

use std::sync::Arc;

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    Authenticator, AuthenticatorBuilder, Issuer, JwkSet, NumericDate, ReloadableAuthenticator,
    Requirement, StaticTokens,
    adapter::Verdict,
    policy,
    strategy::{Attempt, Credential, Identity, Strategy, Tenants},
};
use portcullis_testkit::{ManualClock, TestIssuer};

use crate::world::{Database, outcome, patient};

const OWN: &str = "https://idp.test";

struct World {
    clock: ManualClock,
    /// The issuer that the operator trusts.
    own: TestIssuer,
    /// A tenant whose row has the same name.
    thief: TestIssuer,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = || TestIssuer::new(OWN).clock(clock.clone());
        Self { own: issuer(), thief: issuer(), clock }
    }

    fn issuer(&self, name: &str) -> TestIssuer {
        TestIssuer::new(name).clock(self.clock.clone())
    }

    fn tenants(&self, rows: &[TestIssuer]) -> (Tenants, Database) {
        let database = Database::new(rows);
        let asked = database.clone();
        let tenants = Tenants::new("tenants", move |name| asked.clone().find(name));
        (tenants.clock(self.clock.clone()), database)
    }

    fn builder(&self) -> AuthenticatorBuilder {
        Authenticator::builder().clock(self.clock.clone()).audience(AUDIENCE)
    }
}

/// An issuer that stands for any, with the keys of this one.
fn any(signer: &TestIssuer) -> Issuer {
    let keys = JwkSet::from_json(&signer.jwk_set_json()).unwrap();
    Issuer::dangerous_any("internal").jwk_set(&keys)
}

async fn verdict(auth: &Authenticator, token: &str) -> Verdict {
    patient(auth, &Request::new().bearer(token)).await
}

async fn judge(auth: &Authenticator, token: &str) -> String {
    outcome(&verdict(auth, token).await)
}

fn token(issuer: &TestIssuer) -> String {
    issuer.token().audience(AUDIENCE).build()
}

#[tokio::test]
async fn a_tenant_cannot_have_the_name_of_a_trusted_issuer() {
    let world = World::new();
    let (tenants, database) = world.tenants(std::slice::from_ref(&world.thief));
    // Tenants come first, so that nothing but the name keeps them away.
    let auth = world.builder().strategy(tenants).issuer(world.own.trusted()).build().unwrap();
    assert_eq!(judge(&auth, &token(&world.thief)).await, "signature_mismatch");
    assert_eq!(judge(&auth, &token(&world.own)).await, OWN);
    assert_eq!(database.asked(), 0);
    let route = auth.with_requirement(Requirement::issuer(OWN)).unwrap();
    assert_eq!(judge(&route, &token(&world.thief)).await, "signature_mismatch");
}

#[tokio::test]
async fn a_tenant_cannot_have_the_name_of_a_strategy_or_of_an_issuer_that_stands_for_any() {
    let world = World::new();
    let names = ["services", "tenants", "internal"];
    let rows = names.map(|name| world.issuer(name));
    let (tenants, database) = world.tenants(&rows);
    let services =
        StaticTokens::builder("services").token("0123456789abcdef", Identity::new("etl"));
    let auth = world.builder().strategy(tenants).issuer(any(&world.own));
    let auth = auth.strategy(services.build().unwrap()).build().unwrap();
    for row in &rows {
        let outcome = judge(&auth, &token(row)).await;
        assert!(!names.contains(&outcome.as_str()), "{outcome}");
    }
    assert_eq!(database.asked(), 0);
}

/// Takes a prefix off, and leaves the rest to tenants.
#[derive(Debug)]
struct Prefixed(Tenants);

impl Strategy for Prefixed {
    fn name(&self) -> &str {
        "prefixed"
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        match credential.token().strip_prefix("t.") {
            Some(token) => self.0.attempt(&Credential::new(token)),
            None => Attempt::Abstain,
        }
    }
}

#[tokio::test]
async fn a_tenant_inside_of_another_strategy_cannot_have_such_a_name_either() {
    let world = World::new();
    let rows = [world.thief.clone(), world.issuer("prefixed"), world.issuer("https://acme.test")];
    let (tenants, _) = world.tenants(&rows);
    let auth = world.builder().strategy(Prefixed(tenants)).issuer(world.own.trusted());
    let auth = auth.build().unwrap();
    let outcomes = [&rows[0], &rows[1], &rows[2]].map(|row| format!("t.{}", token(row)));
    for (token, expected) in
        outcomes.iter().zip(["untrusted_issuer", "untrusted_issuer", "https://acme.test"])
    {
        // The first time it is looked up, the second time it is at hand.
        for _ in 0..2 {
            assert_eq!(judge(&auth, token).await, expected);
        }
    }
}

#[tokio::test]
async fn a_name_is_reserved_for_as_long_as_it_is_owned() {
    let world = World::new();
    let acme = world.issuer("acme");
    let (tenants, _) = world.tenants(std::slice::from_ref(&acme));
    let without = || world.builder().strategy(tenants.clone());
    let reloadable = ReloadableAuthenticator::new(without().build().unwrap());
    let auth = reloadable.authenticator();
    assert_eq!(judge(&auth, &token(&acme)).await, "acme");
    let acme_keys = StaticTokens::builder("acme").token("0123456789abcdef", Identity::new("etl"));
    let with = without().strategy(acme_keys.build().unwrap()).build().unwrap();
    reloadable.replace(with).await.unwrap();
    assert_eq!(judge(&auth, &token(&acme)).await, "no_credentials");
    reloadable.replace(without().build().unwrap()).await.unwrap();
    assert_eq!(judge(&auth, &token(&acme)).await, "acme");
}

#[tokio::test]
async fn a_token_for_an_issuer_that_stands_for_any_cannot_name_a_strategy() {
    let world = World::new();
    let services =
        StaticTokens::builder("services").token("0123456789abcdef", Identity::new("etl"));
    let auth = world.builder().issuer(any(&world.own)).strategy(services.build().unwrap());
    let auth = auth.build().unwrap();
    let named = |name: &str| world.own.token().audience(AUDIENCE).claim("iss", name).build();
    assert_eq!(judge(&auth, &named("services")).await, "untrusted_issuer");
    assert_eq!(judge(&auth, &named("https://elsewhere.test")).await, "https://elsewhere.test");
    // Its own name is its own.
    assert_eq!(judge(&auth, &named("internal")).await, "internal");
    assert_eq!(judge(&auth, "0123456789abcdef").await, "services");
}

/// Accepts every token, as this caller.
#[derive(Clone, Debug)]
struct Accepting(Arc<Identity>);

impl Strategy for Accepting {
    fn name(&self) -> &str {
        "sessions"
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        Attempt::Accept(Identity::clone(&self.0))
    }
}

#[tokio::test]
async fn an_identity_cannot_claim_the_name_of_another_source() {
    let world = World::new();
    let services =
        StaticTokens::builder("services").token("0123456789abcdef", Identity::new("etl"));
    let services = services.build().unwrap();
    for (claimed, expected) in [
        (OWN, "untrusted_issuer"),
        ("services", "untrusted_issuer"),
        ("internal", "untrusted_issuer"),
        ("sessions", "sessions"),
        ("https://elsewhere.test", "https://elsewhere.test"),
    ] {
        let identity = Identity::new("alice").claim("iss", claimed);
        let auth = world.builder().strategy(Accepting(Arc::new(identity)));
        let auth = auth.issuer(world.own.trusted()).issuer(any(&world.thief));
        let auth = auth.strategy(services.clone()).build().unwrap();
        assert_eq!(judge(&auth, "opaque").await, expected);
    }
}

#[tokio::test]
async fn an_actor_of_a_trusted_issuer_is_named_by_trusted_issuers_alone() {
    let world = World::new();
    let acme = world.issuer("https://acme.test");
    let (tenants, _) = world.tenants(std::slice::from_ref(&acme));
    let partner = world.issuer("https://partner.test");
    let actor = |issuer: &str| serde_json::json!({"sub": "agent", "iss": issuer});
    let identity = Identity::new("alice").claim("act", actor(OWN));
    let auth = world.builder().issuer(world.own.trusted()).issuer(partner.trusted());
    let auth = auth.issuer(any(&world.thief)).strategy(tenants);
    let auth = auth.strategy(Accepting(Arc::new(identity))).build().unwrap();
    let acting = |issuer: &TestIssuer, of: &str| {
        issuer.token().audience(AUDIENCE).claim("act", actor(of)).build()
    };
    let rule = policy::actor(OWN, "agent");
    // Operators name trusted issuers, which may speak of each other's parties.
    let caller = verdict(&auth, &acting(&partner, OWN)).await.result.unwrap();
    assert!(rule.check(caller.principal(), caller.grant()).is_ok());
    let named = world.thief.token().audience(AUDIENCE).claim("iss", "https://elsewhere.test");
    let named = named.claim("act", actor(OWN)).build();
    assert_eq!(judge(&auth, &named).await, "untrusted_issuer");
    assert_eq!(judge(&auth, "opaque").await, "untrusted_issuer");
    let (tenants, _) = world.tenants(std::slice::from_ref(&acme));
    let auth = world.builder().strategy(tenants).issuer(world.own.trusted()).build().unwrap();
    assert_eq!(judge(&auth, &acting(&acme, OWN)).await, "untrusted_issuer");
    assert_eq!(judge(&auth, &acting(&acme, "https://acme.test")).await, "https://acme.test");
    assert_eq!(judge(&auth, &acting(&acme, "https://other.test")).await, "https://acme.test");
}
