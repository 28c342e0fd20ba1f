//! A source that does as it is told, and an engine on a clock that stands still.

use std::{
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    Algorithm, Authenticator, Issuer, NumericDate,
    adapter::Challenge,
    future::BoxFuture,
    keys::{KeyDocument, KeySource, KeySourceError, Loaded, RefreshPolicy, Validators},
};
use portcullis_testkit::{ManualClock, SigningKey, TestIssuer};
use serde_json::json;
use tokio::sync::watch;

/// What a source does when it is asked.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Json(String, Option<Duration>),
    NotModified(Option<Duration>),
    Error,
    Panic,
    Never,
}

/// The test's end of a source.
#[derive(Clone, Debug)]
pub(super) struct Control(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    label: String,
    policy: RefreshPolicy,
    answer: Mutex<Answer>,
    held: watch::Sender<bool>,
    hits: AtomicUsize,
    running: AtomicUsize,
}

/// A source that does as it is told. What it answers is what held when it was asked.
#[derive(Debug)]
pub(super) struct Scripted(Arc<Inner>);

impl Control {
    pub(super) fn new(label: &str, policy: RefreshPolicy) -> Self {
        Self(Arc::new(Inner {
            label: label.to_owned(),
            policy,
            answer: Mutex::new(Answer::Error),
            held: watch::Sender::new(false),
            hits: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        }))
    }

    pub(super) fn source(&self) -> Scripted {
        Scripted(Arc::clone(&self.0))
    }

    pub(super) fn answer(&self, answer: Answer) {
        *self.0.answer.lock().unwrap() = answer;
    }

    pub(super) fn serve(&self, keys: &[&SigningKey]) {
        self.answer(Answer::Json(set(keys), None));
    }

    /// From now on answers are on their way and do not arrive.
    pub(super) fn hold(&self) {
        self.0.held.send_replace(true);
    }

    pub(super) fn release(&self) {
        self.0.held.send_replace(false);
    }

    pub(super) fn hits(&self) -> usize {
        self.0.hits.load(Ordering::SeqCst)
    }

    /// How many fetches are under way.
    pub(super) fn running(&self) -> usize {
        self.0.running.load(Ordering::SeqCst)
    }

    /// Whether anything but the test holds the source.
    pub(super) fn is_held_elsewhere(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// Counts a fetch for as long as its future lives.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl KeySource for Scripted {
    fn label(&self) -> &str {
        &self.0.label
    }

    fn load<'a>(
        &'a self,
        _known: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(async move {
            self.0.hits.fetch_add(1, Ordering::SeqCst);
            assert_eq!(self.0.running.fetch_add(1, Ordering::SeqCst), 0, "asked twice at once");
            let _running = Running(&self.0.running);
            let answer = self.0.answer.lock().unwrap().clone();
            self.0.held.subscribe().wait_for(|held| !held).await.unwrap();
            match answer {
                Answer::Json(json, lifetime) => KeyDocument::from_json(&json)
                    .map(|document| Loaded::Document(document.lifetime(lifetime)))
                    .map_err(|error| KeySourceError::new(error.to_string())),
                Answer::NotModified(lifetime) => Ok(Loaded::NotModified(lifetime)),
                Answer::Error => Err(KeySourceError::new("the script says no")),
                Answer::Panic => panic!("the script says panic"),
                Answer::Never => std::future::pending().await,
            }
        })
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        self.0.policy.clone()
    }
}

/// An issuer, its one source, and an engine that trusts it.
pub(super) struct World {
    pub(super) clock: ManualClock,
    pub(super) issuer: TestIssuer,
    pub(super) source: Control,
    pub(super) auth: Authenticator,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(RefreshPolicy::default())
    }

    pub(super) fn with(policy: RefreshPolicy) -> Self {
        let clock = clock();
        let issuer = issuer(&clock);
        let source = Control::new("the source", policy);
        source.serve(&[key(&issuer)]);
        let trusted = Issuer::new(issuer.name()).key_source(source.source());
        let auth = engine(&clock, [trusted]);
        Self { clock, issuer, source, auth }
    }

    /// An engine that has its keys.
    pub(super) async fn ready() -> Self {
        let world = Self::new();
        world.auth.ready().await.unwrap();
        world
    }

    pub(super) fn token(&self) -> String {
        token(&self.issuer)
    }

    pub(super) fn verdict(&self) -> &'static str {
        verdict(&self.auth, &self.token())
    }

    pub(super) fn publish(&self) {
        self.source.serve(&[key(&self.issuer)]);
    }

    /// Moves the clock on, and lets the tasks do what is due.
    pub(super) async fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        settle().await;
    }

    /// A junk token with a key id that no set has.
    pub(super) fn junk(&self, key_id: &str) -> String {
        self.issuer.token().audience(AUDIENCE).header("kid", key_id).build()
    }
}

pub(super) fn clock() -> ManualClock {
    ManualClock::at(NumericDate::from_seconds(NOW))
}

pub(super) fn issuer(clock: &ManualClock) -> TestIssuer {
    TestIssuer::new("https://idp.test").clock(clock.clone())
}

pub(super) fn key(issuer: &TestIssuer) -> &SigningKey {
    issuer.key(Algorithm::ES256)
}

pub(super) fn token(issuer: &TestIssuer) -> String {
    issuer.token().audience(AUDIENCE).build()
}

pub(super) fn set(keys: &[&SigningKey]) -> String {
    json!({"keys": keys.iter().filter_map(|key| key.public_jwk()).collect::<Vec<_>>()}).to_string()
}

pub(super) fn engine<const N: usize>(clock: &ManualClock, issuers: [Issuer; N]) -> Authenticator {
    let builder = Authenticator::builder().audience(AUDIENCE).clock(clock.clone());
    issuers.into_iter().fold(builder, |builder, issuer| builder.issuer(issuer)).build().unwrap()
}

/// The verdict by the keys at hand.
pub(super) fn verdict(auth: &Authenticator, token: &str) -> &'static str {
    auth.authenticate_token_now(token).map_or_else(|error| error.kind().code(), |_| "accepted")
}

/// The verdict after a wait for keys, as an adapter would give it.
pub(super) async fn patient_verdict(auth: Authenticator, token: String) -> &'static str {
    let verdict = auth.authenticate(&Request::new().bearer(&token)).await;
    verdict.result.map_or_else(|error| error.kind().code(), |_| "accepted")
}

pub(super) fn challenge(auth: &Authenticator, token: &str) -> Challenge {
    Challenge::from(&auth.authenticate_token_now(token).unwrap_err())
}

/// Lets all tasks run until nothing is left to do but to wait. The test has one thread, and a
/// scripted source waits for nothing outside of it.
pub(super) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Fails the test where something that must come does not.
pub(super) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("this comes soon")
}

/// An error and all that is behind it.
pub(super) fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

pub(super) fn now(clock: &ManualClock) -> NumericDate {
    portcullis::clock::Clock::now(clock)
}
