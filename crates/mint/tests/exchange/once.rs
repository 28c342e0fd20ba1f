//! Tokens that are exchanged once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use portcullis::{
    Authenticator, NumericDate, ReloadableAuthenticator,
    future::BoxFuture,
    revocation::{MemoryStore, ReplayStore, StoreError, StoreErrorKind, Use},
};
use portcullis_mint::exchange::{
    ExchangeRefusal, ExchangeRequest, ExchangedClaims, TokenExchangeEndpoint,
};

use crate::world::{Form, GATEWAY, ORDERS, World};

/// A store that can be switched off.
#[derive(Clone, Debug, Default)]
struct Store {
    memory: Arc<MemoryStore>,
    is_off: Arc<AtomicBool>,
}

impl ReplayStore for Store {
    fn label(&self) -> &str {
        "switchable"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        ReplayStore::prepare(&self.memory)
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        if self.is_off.load(Ordering::SeqCst) {
            let error = StoreError::new(StoreErrorKind::Unavailable, "switched off");
            return Box::pin(async { Err(error) });
        }
        self.memory.consume(issuer, jti, until)
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        ReplayStore::delete_expired(&self.memory, before)
    }
}

#[tokio::test]
async fn a_token_is_exchanged_once_and_only_if_nothing_else_is_wrong() {
    let store = Store::default();
    let world = World::with(|builder| builder.replay_store(store.clone())).await;
    let endpoint = world.builder().one_time().authorize(|request: ExchangeRequest| async move {
        let _ = request.client_id();
        request.narrow()
    });
    let endpoint = endpoint.build().unwrap();
    let good = Form::of(&world.token().scope("a").build());
    let bad_actor = world.token().subject("worker").claim("jti", "2").wrong_signature();
    let worker = world.token().subject("worker").claim("jti", "2").build();
    for form in [
        good.clone().add("audience", "other"),
        good.clone().add("scope", "b"),
        good.clone().add("resource", "x"),
        good.clone().set("grant_type", "x"),
        good.clone().actor(&bad_actor),
        good.clone().add("subject_token", "x"),
    ] {
        assert_eq!(form.send(&endpoint).await.status, 400, "{form:?}");
    }
    store.is_off.store(true, Ordering::SeqCst);
    assert_eq!(good.send(&endpoint).await.outcome(), (503, "temporarily_unavailable"));
    store.is_off.store(false, Ordering::SeqCst);
    let with_actor =
        good.clone().add("actor_token", &worker).add("actor_token_type", crate::world::JWT);
    assert_eq!(with_actor.send(&endpoint).await.status, 200);
    // Both are used.
    assert_eq!(good.send(&endpoint).await.outcome(), (400, "invalid_request"));
    assert_eq!(Form::of(&worker).send(&endpoint).await.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_token_that_cannot_be_remembered_is_not_acceptable() {
    let world = World::with(|builder| builder.replay_store(MemoryStore::new())).await;
    let endpoint = world.builder().one_time().build().unwrap();
    for token in [world.token().without_claim("jti"), world.token().claim("jti", "")] {
        let response = Form::of(&token.build()).send(&endpoint).await;
        assert_eq!(response.outcome(), (400, "invalid_request"), "{token:?}");
        let good = Form::of(&world.token().claim("jti", "good").build());
        let response = good.actor(&token).send(&endpoint).await;
        assert_eq!(response.outcome(), (400, "invalid_request"), "{token:?}");
    }
    // It was not used with an actor token that cannot be remembered.
    let good = Form::of(&world.token().claim("jti", "good").build());
    assert_eq!(good.send(&endpoint).await.status, 200);
}

#[tokio::test]
async fn one_token_is_not_subject_and_actor_if_it_is_used_once() {
    let world = World::with(|builder| builder.replay_store(MemoryStore::new())).await;
    let form = Form::of(&world.token().build()).actor(&world.token());
    let endpoint = world.builder().one_time().build().unwrap();
    assert_eq!(form.send(&endpoint).await.outcome(), (400, "invalid_request"));
    let endpoint = world.builder().build().unwrap();
    assert_eq!(form.send(&endpoint).await.status, 200);
}

#[tokio::test]
async fn the_tokens_of_a_one_time_issuer_are_used_at_the_end_too() {
    let world = World::new().await;
    let auth = Authenticator::builder()
        .issuer(world.idp.trusted().one_time())
        .audience(GATEWAY)
        .clock(world.clock.clone())
        .replay_store(MemoryStore::new())
        .build()
        .unwrap();
    let endpoint = TokenExchangeEndpoint::builder(&auth, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .build()
        .unwrap();
    let form = Form::of(&world.token().build());
    let refused = form.clone().add("audience", "other").send(&endpoint).await;
    assert_eq!(refused.outcome(), (400, "invalid_target"));
    assert_eq!(form.send(&endpoint).await.status, 200);
    assert_eq!(form.send(&endpoint).await.outcome(), (400, "invalid_request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_exchanges_on_two_replicas_at_once_one_succeeds() {
    let store = Store::default();
    let world = World::with(|builder| builder.replay_store(store.clone())).await;
    let replica = Authenticator::builder()
        .issuer(world.idp.trusted())
        .audience(GATEWAY)
        .clock(world.clock.clone())
        .replay_store(store)
        .build()
        .unwrap();
    let first = world.builder().one_time().build().unwrap();
    let second = TokenExchangeEndpoint::builder(&replica, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .one_time()
        .build()
        .unwrap();
    let form = Form::of(&world.token().build());
    let tasks = (0..200).map(|number| {
        let (form, endpoint) =
            (form.clone(), if number % 2 == 0 { first.clone() } else { second.clone() });
        tokio::spawn(async move { form.send(&endpoint).await.status })
    });
    let mut statuses = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        statuses.push(task.await.unwrap());
    }
    let count = |status| statuses.iter().filter(|own| **own == status).count();
    assert_eq!((count(200), count(400)), (1, 199));
}

#[tokio::test]
async fn a_new_engine_is_not_bypassed_by_an_exchange_that_waits() {
    let world = World::new().await;
    let engine = || {
        Authenticator::builder()
            .issuer(world.idp.trusted())
            .audience(GATEWAY)
            .clock(world.clock.clone())
            .build()
            .unwrap()
    };
    let reloadable = Arc::new(ReloadableAuthenticator::new(engine()));
    let (replaced, replacement) = (Arc::clone(&reloadable), engine());
    let endpoint =
        TokenExchangeEndpoint::builder(&reloadable.authenticator(), world.minter.clone())
            .dangerous_without_client_authentication()
            .audience(ORDERS)
            .authorize(move |request: ExchangeRequest| {
                let (replaced, replacement) = (Arc::clone(&replaced), replacement.clone());
                async move {
                    if request.audiences().is_empty() {
                        replaced.replace(replacement).await.unwrap();
                    }
                    Ok::<_, ExchangeRefusal>(ExchangedClaims::new([ORDERS]))
                }
            })
            .build()
            .unwrap();
    let form = Form::of(&world.token().build());
    assert_eq!(form.send(&endpoint).await.outcome(), (503, "temporarily_unavailable"));
    assert_eq!(form.add("audience", ORDERS).send(&endpoint).await.status, 200);
}

#[tokio::test]
async fn a_replayed_actor_token_does_not_use_the_subject_token() {
    let world = World::with(|builder| builder.replay_store(MemoryStore::new())).await;
    let endpoint = world.builder().one_time().build().unwrap();
    let worker = world.token().subject("worker").claim("jti", "worker");
    let first = Form::of(&world.token().build()).actor(&worker);
    assert_eq!(first.send(&endpoint).await.status, 200);
    let second = Form::of(&world.token().claim("jti", "2").build());
    let replayed = second.clone().actor(&worker).send(&endpoint).await;
    assert_eq!(replayed.outcome(), (400, "invalid_request"));
    assert_eq!(second.send(&endpoint).await.status, 200);
}
