//! Callers of strategies, tenants and layers inside of others.

use conformance::{AUDIENCE, Request};
use portcullis::{
    Authenticator, NumericDate, Requirement, StaticTokens, TokenLocation,
    adapter::Admission,
    revocation::{Revocation, Revocations, Revoked},
    strategy::{Attempt, Credential, Identity, Strategy, Tenants},
};

use crate::{
    store::State,
    world::{ISSUER, KINDS, MODES, Mode, World},
};

/// The engine of tenants, which trusts the issuer of the world by a look-up.
async fn with_tenants(world: &World, revocations: Revocations) -> Authenticator {
    let issuer = world.trusted().audience(AUDIENCE);
    let tenants = Tenants::new("tenants", move |_: String| {
        let issuer = issuer.clone();
        async move { Ok(Some(issuer)) }
    });
    let auth = Authenticator::builder()
        .strategy(tenants.clock(world.clock.clone()))
        .clock(world.clock.clone())
        .revocations(revocations)
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    auth
}

#[tokio::test]
async fn every_kind_is_checked_for_the_tokens_of_a_tenant() {
    for mode in MODES {
        for kind in KINDS {
            let world = World::new();
            let auth = with_tenants(&world, world.revocations(mode)).await;
            let token = world.token().build();
            assert_eq!(world.judge(&auth, &token).await, "ok", "{mode:?} {kind}");
            auth.revoke(&[world.entry(kind)]).await.unwrap();
            assert_eq!(world.judge(&auth, &token).await, "token_revoked", "{mode:?} {kind}");
        }
    }
}

#[tokio::test]
async fn a_tenants_token_needs_the_store_and_an_id_too() {
    for mode in MODES {
        let world = World::new();
        let auth = with_tenants(&world, world.revocations(mode)).await;
        let token = world.token().without_claim("jti").build();
        assert_eq!(world.judge(&auth, &token).await, "missing_claim", "{mode:?}");
        world.store.set(State::Gone);
        world.pass(std::time::Duration::from_secs(120)).await;
        let token = world.token().build();
        assert_eq!(world.judge(&auth, &token).await, "store_unavailable", "{mode:?}");
        world.store.set(State::Up);
        let lenient = world.revocations(mode).allow_missing_jti();
        let auth = with_tenants(&world, lenient).await;
        let token = world.token().without_claim("jti").build();
        assert_eq!(world.judge(&auth, &token).await, "ok", "{mode:?}");
    }
}

/// Names the caller after the token, with an `iat` or without.
#[derive(Debug)]
struct Keys;

impl Strategy for Keys {
    fn name(&self) -> &str {
        "keys"
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        match credential.token().split_once('_') {
            Some(("key", name)) => Attempt::Accept(Identity::new(name)),
            Some(("dated", name)) => {
                let claims = Identity::new(name).claim("iat", 1_800_000_001).claim("jti", "k1");
                Attempt::Accept(claims.claim("sid", "s1").client_id("c1"))
            }
            _ => Attempt::Abstain,
        }
    }
}

#[tokio::test]
async fn callers_of_a_strategy_are_checked_by_the_claims_that_it_names() {
    for mode in MODES {
        let world = World::new();
        let tokens = StaticTokens::builder("services").text("t0k3n-of-the-service:etl");
        let auth = Authenticator::builder()
            .strategy(Keys)
            .strategies(tokens.build_if_any().unwrap())
            .clock(world.clock.clone())
            .revocations(world.revocations(mode))
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        // None of them has an id, which is required of tokens of issuers alone.
        for token in ["key_alice", "dated_alice", "key_bob"] {
            assert_eq!(world.judge(&auth, token).await, "ok", "{mode:?} {token}");
        }
        let revoke = async |revoked| {
            auth.revoke(&[Revocation::new("keys", revoked)]).await.unwrap();
        };
        revoke(Revoked::Subject("alice".into(), NumericDate::from_seconds(1_800_000_000))).await;
        assert_eq!(world.judge(&auth, "key_alice").await, "token_revoked", "{mode:?}");
        assert_eq!(world.judge(&auth, "dated_alice").await, "ok", "{mode:?}");
        assert_eq!(world.judge(&auth, "key_bob").await, "ok", "{mode:?}");
        for revoked in [
            Revoked::Token("k1".into()),
            Revoked::Session("s1".into()),
            Revoked::Client("c1".into(), NumericDate::from_seconds(1_800_000_001)),
        ] {
            let world = World::new();
            let auth = Authenticator::builder().strategy(Keys).clock(world.clock.clone());
            let auth = auth.revocations(world.revocations(mode)).build().unwrap();
            auth.ready().await.unwrap();
            auth.revoke(&[Revocation::new("keys", revoked.clone())]).await.unwrap();
            let judged = world.judge(&auth, "dated_carol").await;
            assert_eq!(judged, "token_revoked", "{mode:?} {revoked:?}");
        }
    }
}

#[tokio::test]
async fn each_of_several_tokens_is_checked() {
    for mode in MODES {
        let world = World::new();
        let places = [TokenLocation::bearer(), TokenLocation::header("x-second")];
        let builder = world.builder(mode).locations(places);
        let auth = builder.multiple_tokens(portcullis::MultipleTokens::All).build().unwrap();
        auth.ready().await.unwrap();
        auth.revoke(&[world.entry("token")]).await.unwrap();
        let (good, bad) = (world.token().claim("jti", "t2").build(), world.token().build());
        for (first, second, expected) in
            [(&good, &good, "ok"), (&good, &bad, "token_revoked"), (&bad, &good, "token_revoked")]
        {
            let request = Request::new().bearer(first).field("x-second", second.clone());
            let verdict = world.patiently(auth.authenticate(&request)).await;
            let code = verdict.result.map_or_else(|error| error.kind().code(), |_| "ok");
            assert_eq!(code, expected, "{mode:?}");
        }
    }
}

#[tokio::test]
async fn requests_without_a_caller_are_admitted_whatever_becomes_of_the_store() {
    for mode in MODES {
        let world = World::new();
        world.store.set(State::Gone);
        let auth = world.builder(mode).build().unwrap();
        let optional = auth.clone().with_admission(Admission::Optional);
        let verdict = world.patiently(optional.authenticate(&Request::new())).await;
        assert!(verdict.admits_anonymous, "{mode:?}");
        let with_token = Request::new().bearer(&world.token().build());
        let verdict = world.patiently(optional.authenticate(&with_token)).await;
        assert!(!verdict.admits_anonymous && verdict.result.is_err(), "{mode:?}");
        let public = world.patiently(auth.authenticate(&with_token)).await.for_public_route();
        assert!(public.admits_anonymous, "{mode:?}");
    }
}

#[tokio::test]
async fn a_requirement_of_a_route_is_met_by_tokens_that_were_not_revoked() {
    let world = World::new();
    let auth = world.ready(Mode::Strict).await;
    let auth = auth.with_requirement(Requirement::issuer(ISSUER)).unwrap();
    let token = world.token().build();
    let request = Request::new().bearer(&token);
    assert!(world.patiently(auth.authenticate(&request)).await.result.is_ok());
    auth.revoke(&[world.entry("session")]).await.unwrap();
    let error = world.patiently(auth.authenticate(&request)).await.result.unwrap_err();
    assert_eq!(error.kind().code(), "token_revoked");
}
