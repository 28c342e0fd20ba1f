//! Concurrent requests of one session.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use conformance::NOW;
use portcullis::{Algorithm, NumericDate, keys::SigningKey};
use portcullis_mint::session::{Refresh, SessionsBuilder};
use portcullis_testkit::ManualClock;

use super::{
    http::Response,
    servers::{BARRIER, Framework, WHO},
    store::Store,
    world::{Setup, World, worlds_with},
};

/// Sends requests with one token at once to several services, and returns the new tokens.
async fn at_once(worlds: &[&World], token: &str, each: usize) -> Vec<String> {
    let requests = worlds.iter().flat_map(|world| (0..each).map(|_| world.get(BARRIER, token)));
    let responses = requests.collect::<Vec<_>>();
    let responses: Vec<Response> = join_all(responses).await;
    assert_eq!(responses.len(), worlds.len() * each);
    assert!(responses.iter().all(|response| (response.status, &*response.body) == (200, "alice")));
    responses.iter().filter_map(|response| worlds[0].new_token(response)).collect()
}

async fn join_all<F: Future<Output = Response>>(futures: Vec<F>) -> Vec<Response> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut responses = Vec::new();
    std::future::poll_fn(|cx| {
        futures.retain_mut(|future| match future.as_mut().poll(cx) {
            std::task::Poll::Ready(response) => {
                responses.push(response);
                false
            }
            std::task::Poll::Pending => true,
        });
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    responses
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_concurrent_requests_of_one_session_renew_it_once() {
    for always in [false, true] {
        let calls = Arc::<AtomicUsize>::default();
        let settings = |sessions: SessionsBuilder| {
            let calls = Arc::clone(&calls);
            let sessions = sessions.refresh(move |_| {
                calls.fetch_add(1, Ordering::SeqCst);
                async { Ok::<_, String>(Refresh::Renew) }
            });
            if always { sessions.at_every_request() } else { sessions }
        };
        let setup = || Setup { requests_at_barrier: 100, ..Setup::default() };
        for world in worlds_with(setup, settings).await {
            let token = world.login().await;
            world.clock.advance(Duration::from_secs(3000));
            let before = calls.load(Ordering::SeqCst);
            assert_eq!(at_once(&[&world], &token, 100).await.len(), 1, "{:?}", world.framework);
            assert_eq!(calls.load(Ordering::SeqCst), before + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_lost_does_not_lose_the_session() {
    for world in worlds_with(Setup::default, |sessions| sessions).await {
        let token = world.login().await;
        world.clock.advance(Duration::from_secs(3000));
        let lost = world.new_token(&world.get(WHO, &token).await).unwrap();
        world.clock.advance(Duration::from_secs(9));
        world.expect_kept(&world.get(WHO, &token).await, 200, "alice", "soon after");
        world.clock.advance(Duration::from_secs(1));
        let renewed = world.new_token(&world.get(WHO, &token).await).unwrap();
        assert_ne!(renewed, lost);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_do_not_share_a_renewal() {
    for world in worlds_with(Setup::default, |sessions| sessions).await {
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(world.login().await);
        }
        world.clock.advance(Duration::from_secs(3000));
        let mut renewed = HashSet::new();
        for token in &tokens {
            renewed.insert(world.new_token(&world.get(WHO, token).await).unwrap());
        }
        assert_eq!(renewed.len(), 3);
    }
}

/// Starts one replica for each framework, with one key and one store.
async fn replicas(settings: impl Fn(SessionsBuilder) -> SessionsBuilder) -> Vec<World> {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let store = Store::default();
    let setup = Setup { requests_at_barrier: 50, ..Setup::default() };
    let mut replicas = Vec::new();
    for framework in Framework::ALL {
        let (clock, key, store) = (clock.clone(), key.clone(), store.clone());
        replicas.push(World::start(framework, &setup, &settings, clock, key, store).await);
    }
    replicas
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_store_replicas_renew_a_session_once_in_all() {
    let replicas = replicas(SessionsBuilder::once_across_replicas).await;
    let [first, second] = [&replicas[0], &replicas[1]];
    let token = first.login().await;
    first.clock.advance(Duration::from_secs(3000));
    assert_eq!(at_once(&[first, second], &token, 50).await.len(), 1);
    // The response may be lost.
    first.clock.advance(Duration::from_secs(10));
    assert_eq!(at_once(&[first, second], &token, 50).await.len(), 1);
    // Without the store they do not know of each other.
    first.clock.advance(Duration::from_secs(10));
    first.store.switch_off(true);
    assert_eq!(at_once(&[first, second], &token, 50).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_each_replica_renews_a_session_once() {
    let replicas = replicas(|sessions| sessions).await;
    let [first, second] = [&replicas[0], &replicas[1]];
    let token = first.login().await;
    first.clock.advance(Duration::from_secs(3000));
    assert_eq!(at_once(&[first, second], &token, 50).await.len(), 2);
}
