//! What the log says of a token that cannot be reissued. It is alone in its program, because `tracing` decides once
//! for all threads whether a place in the code is listened to.

#![cfg(feature = "tracing")]

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis::{Authenticator, Issuer};
use portcullis_jose::{Algorithm, SigningKey};
use portcullis_mint::{Minter, Reissuer, SigningKeys};
use serde_json::json;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_failure_is_logged_without_a_token_or_claim() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _subscribed = tracing::subscriber::set_default(subscriber);
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let issuer = Issuer::new("tasks").key(key.verification_key().unwrap());
    let auth = Authenticator::builder().issuer(issuer).audience("tasks").build().unwrap();
    let keys = SigningKeys::builder(key).max_lifetime(Duration::from_secs(60)).build().unwrap();
    let minter = Minter::new(keys).issuer("tasks").lifetime(Duration::from_secs(20));
    // The key is not published that long.
    let reissuer = Reissuer::new(minter.clone()).lifetime(Duration::from_secs(61));
    let claims = json!({"sub": "secret-subject", "aud": "tasks"});
    let malformed = json!({"sub": "secret-subject", "aud": "tasks", "orig_iat": "secret-date"});
    // An actor is no failure.
    let actor = json!({"sub": "secret-subject", "aud": "tasks", "act": {"sub": "secret-actor"}});
    for claims in [claims, malformed, actor] {
        let token = minter.mint(&claims).unwrap().into_token();
        let caller = auth.authenticate_token(&token).await.unwrap();
        assert!(reissuer.start(caller.principal()).unwrap().await.is_none());
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("portcullis::tokens")).collect();
    let [first, second] = &lines[..] else { panic!("{text}") };
    assert!(first.contains("WARN portcullis::tokens: token not reissued: no new token"), "{first}");
    assert!(first.contains("more than 60s from now"), "{first}");
    assert!(second.contains("WARN portcullis::tokens: token not reissued: its claims"), "{second}");
    assert!(!text.contains("secret") && !text.contains("eyJ"), "{text}");
}
