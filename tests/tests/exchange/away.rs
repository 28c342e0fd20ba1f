//! What is missing for a while is never the client's fault.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis::{
    Issuer, NumericDate,
    future::BoxFuture,
    revocation::{MemoryStore, ReplayStore, StoreError, StoreErrorKind, Use},
};
use portcullis_axum::mint::exchange::{ExchangeRefusal, ExchangeRequest, RateLimitRequest};
use portcullis_testkit::TestIssuer;

use super::world::{GATEWAY, form_of, request, worlds_with};

const AWAY: &str = "temporarily_unavailable";

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_the_client_may_try_again() {
    // No server answers there.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}/jwks");
    let other = TestIssuer::new("https://other.test");
    let worlds = worlds_with(
        |auth, _| auth.issuer(Issuer::new("https://other.test").jwk_set_uri(&uri)),
        |endpoint| endpoint.authorize(|request: ExchangeRequest| async move { request.narrow() }),
    );
    for world in worlds {
        let token = other.token().audience(GATEWAY);
        world.expect(request().form(form_of(&token)), 503, AWAY).await;
        let actor = "actor_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";
        let form = format!("{}&actor_token={}&{actor}", world.form(), token.build());
        world.expect(request().form(form), 503, AWAY).await;
    }
}

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

#[tokio::test(flavor = "multi_thread")]
async fn without_the_store_of_used_tokens_nothing_is_used() {
    let store = Store::default();
    let number = AtomicBool::default();
    let worlds =
        worlds_with(|auth, _| auth.replay_store(store.clone()), |endpoint| endpoint.one_time());
    for world in worlds {
        // The frameworks share the store.
        let id = if number.swap(true, Ordering::SeqCst) { "1" } else { "2" };
        let form = form_of(&world.token().claim("jti", id));
        store.is_off.store(true, Ordering::SeqCst);
        world.expect(request().form(&*form), 503, AWAY).await;
        store.is_off.store(false, Ordering::SeqCst);
        world.expect(request().form(&*form), 200, "").await;
        world.expect(request().form(form), 400, "invalid_request").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_answered_with_when_to_try_again() {
    let worlds = worlds_with(
        |auth, _| auth,
        |endpoint| {
            endpoint.rate_limit_header("x-real-ip").rate_limit(|request: RateLimitRequest| {
                let is_known = request.header("x-real-ip") == Some("192.0.2.1");
                let is_web = request.client_id() == Some("web");
                async move {
                    if is_known && is_web {
                        return Ok(());
                    }
                    Err(ExchangeRefusal::TooManyRequests { retry_after: Duration::from_secs(30) })
                }
            })
        },
    );
    for world in worlds {
        let good = request().field("x-real-ip", "192.0.2.1").form(world.form());
        world.expect(good, 200, "").await;
        let other = request().field("x-real-ip", "192.0.2.2").form(world.form());
        let response = world.expect(other, 429, AWAY).await;
        assert_eq!(response.get("retry-after"), Some("30"));
    }
}
