//! What the function of the application may say.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use conformance::AUDIENCE;
use portcullis::{Principal, clock::Clock};
use portcullis_mint::session::{Refresh, SessionsBuilder};
use serde_json::json;

use super::{
    servers::WHO,
    world::{OWN, Setup, World, claims_of, worlds_with},
};

/// Starts services whose function returns the same each time, and counts its calls.
async fn worlds_that<F>(
    refresh: impl Fn() -> F + Clone + Send + Sync + 'static,
) -> (Vec<World>, Arc<AtomicUsize>)
where
    F: Future<Output = Result<Refresh, String>> + Send + 'static,
{
    let calls = Arc::<AtomicUsize>::default();
    let settings = |sessions: SessionsBuilder| {
        let (calls, refresh) = (Arc::clone(&calls), refresh.clone());
        sessions.refresh(move |caller: Principal| {
            assert_eq!(caller.subject(), "alice");
            calls.fetch_add(1, Ordering::SeqCst);
            refresh()
        })
    };
    (worlds_with(Setup::default, settings).await, calls)
}

/// Logs in, and lets the token become due.
async fn due(world: &World) -> String {
    let token = world.login().await;
    world.clock.advance(Duration::from_secs(3000));
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_called_for_tokens_that_are_due() {
    let (worlds, calls) = worlds_that(|| async { Ok(Refresh::Keep) }).await;
    for (position, world) in worlds.iter().enumerate() {
        let token = world.login().await;
        world.expect_kept(&world.get(WHO, &token).await, 200, "alice", "not due");
        assert_eq!(calls.load(Ordering::SeqCst), 2 * position);
        world.clock.advance(Duration::from_secs(3000));
        // It may say something else the next time.
        for _ in 0..2 {
            world.expect_kept(&world.get(WHO, &token).await, 200, "alice", "keep");
        }
        assert_eq!(calls.load(Ordering::SeqCst), 2 * position + 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_remove_the_cookie() {
    for world in worlds_that(|| async { Ok(Refresh::Clear) }).await.0 {
        let token = due(&world).await;
        let response = world.get(WHO, &token).await;
        world.expect_removed(&response, 200, "cleared");
        assert_eq!(response.body, "alice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_give_other_claims_but_no_other_session() {
    let claims = json!({
        "sub": "mallory", "iss": "https://other.test", "sid": "other", "auth_time": 1, "orig_iat": 1,
        "iat": 1, "nbf": 1, "exp": 4_000_000_000_i64, "jti": "fixed",
        "aud": AUDIENCE, "scope": "write",
    });
    let refresh = move || {
        let claims = claims.clone();
        async { Ok(Refresh::RenewWith(claims)) }
    };
    for world in worlds_that(refresh).await.0 {
        let token = due(&world).await;
        let (old, now) = (claims_of(&token), conformance::NOW + 3000);
        let new = claims_of(&world.new_token(&world.get(WHO, &token).await).unwrap());
        assert_ne!(new["jti"], "fixed");
        assert_eq!(
            new,
            json!({
                "iss": OWN, "sub": "alice", "aud": AUDIENCE, "scope": "write",
                "sid": old["sid"], "orig_iat": old["iat"], "cookie_session": true,
                "iat": now, "nbf": now, "exp": now + 3600, "jti": new["jti"],
            })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn if_it_fails_the_browser_keeps_its_token_and_the_next_request_tries_again() {
    #[derive(Clone, Copy, Debug)]
    enum Fault {
        Error,
        Panic,
        PanicLater,
        NoObject,
    }
    for fault in [Fault::Error, Fault::Panic, Fault::PanicLater, Fault::NoObject] {
        let is_faulty = Arc::new(Mutex::new(true));
        let refresh = {
            let is_faulty = Arc::clone(&is_faulty);
            move || {
                let is_faulty = *is_faulty.lock().unwrap();
                assert!(!(is_faulty && matches!(fault, Fault::Panic)), "a fault on purpose");
                async move {
                    match fault {
                        _ if !is_faulty => Ok(Refresh::Renew),
                        Fault::Error => Err("the database is away".to_owned()),
                        Fault::NoObject => Ok(Refresh::RenewWith(json!(["sub"]))),
                        Fault::Panic | Fault::PanicLater => panic!("a fault on purpose"),
                    }
                }
            }
        };
        for world in worlds_that(refresh).await.0 {
            *is_faulty.lock().unwrap() = true;
            let token = due(&world).await;
            let what = format!("{fault:?}");
            world.expect_kept(&world.get(WHO, &token).await, 200, "alice", &what);
            *is_faulty.lock().unwrap() = false;
            assert!(world.new_token(&world.get(WHO, &token).await).is_some(), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_take_two_seconds() {
    for world in worlds_that(std::future::pending).await.0 {
        let token = due(&world).await;
        let start = world.clock.now();
        let mut response = std::pin::pin!(world.get(WHO, &token));
        let response = loop {
            tokio::select! {
                response = &mut response => break response,
                () = tokio::time::sleep(Duration::from_millis(5)) => {
                    world.clock.advance(Duration::from_millis(100));
                }
            }
        };
        world.expect_kept(&response, 200, "alice", "too late");
        assert!(world.clock.now().saturating_since(start) >= Duration::from_secs(2));
    }
}
