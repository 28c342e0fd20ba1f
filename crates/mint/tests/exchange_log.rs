//! What the log says of exchanges. It is alone in its program, because `tracing` decides once for all threads whether
//! a place in the code is listened to.

#![cfg(feature = "tracing")]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[expect(dead_code, reason = "shared with the tests of the rules")]
#[path = "exchange/world.rs"]
mod world;

use std::{
    future::pending,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_mint::exchange::{
    ClientSecrets, ExchangeRefusal, ExchangeRequest, ExchangedClaims, TokenExchangeEndpoint,
};
use world::{Form, ORDERS, World};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Returns the new lines of the endpoint.
    fn take(&self) -> Vec<String> {
        let text = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(text).unwrap();
        text.lines().filter(|line| line.contains("portcullis::tokens")).map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn there_is_one_event_for_each_request_without_tokens_secrets_and_subjects() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    tracing::subscriber::with_default(subscriber, || runtime.block_on(check(&log)));
}

async fn check(log: &Log) {
    let world = World::new().await;
    let endpoint = TokenExchangeEndpoint::builder(&world.auth, world.minter.clone())
        .client_authentication(ClientSecrets::new([("web", "hidden-secret")]).unwrap())
        .audience(ORDERS)
        .authorize(|request: ExchangeRequest| async move {
            match request.scope().is_some_and(|scope| scope.contains("panic")) {
                true => panic!("in a hook"),
                false => Ok::<_, ExchangeRefusal>(ExchangedClaims::new([ORDERS]).scope("read")),
            }
        })
        .build()
        .unwrap();
    let token = world.token().build();
    let form = Form::of(&token).add("client_id", "web");
    let good = form.clone().add("client_secret", "hidden-secret");
    let expired = world.token().expired().build();
    for (form, status, level, text) in [
        (
            good.clone(),
            200,
            "INFO",
            "a token was exchanged client_id=\"web\" subject_issuer=\"https://idp.test\"",
        ),
        (good.clone().set("subject_token", &expired), 400, "DEBUG", "reason=\"token_expired\""),
        (good.clone().without("grant_type"), 400, "DEBUG", "error=\"invalid_request\""),
        (
            form.clone().add("client_secret", "hidden-guess"),
            401,
            "DEBUG",
            "error=\"invalid_client\"",
        ),
        (good.add("scope", "panic"), 500, "ERROR", "a function of the application panicked"),
    ] {
        let response = form.send(&endpoint).await;
        assert_eq!(response.status, status);
        let lines = log.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(level) && lines[0].contains(text), "{lines:?}");
        let issued = response.body["access_token"].as_str().unwrap_or("hidden");
        for hidden in ["hidden", "alice", &*token, &*expired, issued] {
            assert!(!lines[0].contains(hidden), "{lines:?}");
        }
    }
    check_faults(log, &world).await;
}

/// What the operators must know about is a warning, once a minute.
async fn check_faults(log: &Log, world: &World) {
    let hangs = |_: ExchangeRequest| pending::<Result<ExchangedClaims, ExchangeRefusal>>();
    let endpoint = world.builder().authorize(hangs).build().unwrap();
    let form = Form::of(&world.token().build());
    for (level, passed) in [("WARN", 5), ("DEBUG", 5), ("DEBUG", 5), ("WARN", 60)] {
        let (response, ()) = tokio::join!(form.send(&endpoint), async {
            tokio::task::yield_now().await;
            world.clock.advance(Duration::from_secs(passed));
        });
        assert_eq!(response.status, 503);
        let lines = log.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(level) && lines[0].contains("took too long"), "{lines:?}");
    }
}
