//! Rights that the application looks up: fresh, shared by those who wait, and bounded.

#![expect(clippy::unwrap_used, reason = "short helpers of tests")]

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    AuthError, AuthErrorKind, Authenticator, Issuer, JwkSet, NumericDate, Principal,
    adapter::{Admission, Verdict},
    future::MaybePending,
    grant::ResolverConfig,
};
use portcullis_testkit::{ManualClock, TestIssuer};
use tokio::sync::watch;

/// A database of roles, which answers when it is let.
#[derive(Clone, Debug)]
struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    role: Mutex<Result<&'static str, AuthErrorKind>>,
    open: watch::Sender<bool>,
    asked: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Database {
    fn new() -> Self {
        Self(Arc::new(Inner {
            role: Mutex::new(Ok("reader")),
            open: watch::Sender::new(true),
            asked: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }))
    }

    fn set(&self, role: Result<&'static str, AuthErrorKind>) {
        *self.0.role.lock().unwrap() = role;
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    async fn role(self) -> Result<&'static str, AuthError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let running = self.0.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(running, Ordering::SeqCst);
        self.0.open.subscribe().wait_for(|open| *open).await.unwrap();
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        let role = *self.0.role.lock().unwrap();
        Ok(role?)
    }

    fn resolving(&self) -> ResolverConfig<&'static str> {
        let database = self.clone();
        ResolverConfig::new(move |_: Principal| database.clone().role())
    }
}

struct World {
    clock: ManualClock,
    issuer: TestIssuer,
}

type Auth = Authenticator<&'static str>;

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        Self { issuer: TestIssuer::new("https://idp.test").clock(clock.clone()), clock }
    }

    fn engine(&self, resolving: ResolverConfig<&'static str>) -> Auth {
        Authenticator::builder()
            .issuer(self.issuer.trusted())
            .audience(AUDIENCE)
            .clock(self.clock.clone())
            .with_resolver(resolving)
            .build()
            .unwrap()
    }

    fn token(&self) -> String {
        self.issuer.token().audience(AUDIENCE).build()
    }
}

async fn patient(auth: &Auth, token: &str) -> Verdict<&'static str> {
    auth.authenticate(&Request::new().bearer(token)).await
}

async fn role(auth: &Auth, token: &str) -> &'static str {
    match patient(auth, token).await.result {
        Ok(caller) => *caller.grant().as_ref(),
        Err(error) => error.kind().code(),
    }
}

async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_role_that_changes_holds_from_the_next_request() {
    let (world, database) = (World::new(), Database::new());
    let (auth, token) = (world.engine(database.resolving()), world.token());
    assert_eq!(role(&auth, &token).await, "reader");
    database.set(Ok("admin"));
    assert_eq!(role(&auth, &token).await, "admin");
    database.set(Err(AuthErrorKind::SubjectDisabled));
    assert_eq!(role(&auth, &token).await, "subject_disabled");
    assert_eq!(database.asked(), 3);
}

#[tokio::test]
async fn what_the_application_finds_is_told_apart() {
    let (world, database) = (World::new(), Database::new());
    let (auth, token) = (world.engine(database.resolving()), world.token());
    for (kind, status) in [
        (AuthErrorKind::SubjectUnknown, 401),
        (AuthErrorKind::SubjectDisabled, 401),
        (AuthErrorKind::ActorDisabled, 401),
        (AuthErrorKind::ResolverUnavailable, 503),
    ] {
        database.set(Err(kind));
        let error = patient(&auth, &token).await.result.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(portcullis::adapter::Challenge::from(&error).status(), status);
    }
    // Credentials were there, and an optional route must not take them for none.
    database.set(Err(AuthErrorKind::NoCredentials));
    let optional = auth.with_admission(Admission::Optional);
    let verdict = patient(&optional, &token).await;
    assert_eq!(verdict.result.unwrap_err().kind(), AuthErrorKind::NotPermitted);
    assert!(!verdict.admits_anonymous);
}

#[tokio::test]
async fn nobody_is_asked_about_a_bad_token() {
    let (world, database) = (World::new(), Database::new());
    let auth = world.engine(database.resolving());
    let expired = world.issuer.token().audience(AUDIENCE).expired().build();
    assert_eq!(role(&auth, &expired).await, "token_expired");
    assert_eq!(database.asked(), 0);
}

#[tokio::test]
async fn ten_thousand_requests_of_one_subject_ask_a_slow_database_once() {
    let (world, database) = (World::new(), Database::new());
    let (auth, token) = (world.engine(database.resolving()), world.token());
    database.0.open.send_replace(false);
    let request = || {
        let (auth, token) = (auth.clone(), token.clone());
        tokio::spawn(async move { role(&auth, &token).await })
    };
    let requests: Vec<_> = (0..10_000).map(|_| request()).collect();
    settle().await;
    assert_eq!(database.asked(), 1);
    database.0.open.send_replace(true);
    for request in requests {
        assert_eq!(request.await.unwrap(), "reader");
    }
    assert_eq!(database.asked(), 1);
    // What is over is of the past.
    assert_eq!(role(&auth, &token).await, "reader");
    assert_eq!(database.asked(), 2);
}

#[tokio::test]
async fn a_request_that_goes_away_leaves_its_question_to_those_who_wait_too() {
    let (world, database) = (World::new(), Database::new());
    let (auth, token) = (world.engine(database.resolving()), world.token());
    database.0.open.send_replace(false);
    let spawn = || {
        let (auth, token) = (auth.clone(), token.clone());
        tokio::spawn(async move { role(&auth, &token).await })
    };
    let (first, second) = (spawn(), spawn());
    settle().await;
    first.abort();
    settle().await;
    assert_eq!(database.asked(), 2);
    database.0.open.send_replace(true);
    assert_eq!(second.await.unwrap(), "reader");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_waited_for_no_longer_than_that() {
    let (world, database) = (World::new(), Database::new());
    let resolving = database.resolving().timeout(Duration::from_secs(5));
    let (auth, token) = (world.engine(resolving), world.token());
    database.0.open.send_replace(false);
    let waiting = tokio::spawn({
        let (auth, token) = (auth.clone(), token.clone());
        async move { role(&auth, &token).await }
    });
    settle().await;
    world.clock.advance(Duration::from_secs(4));
    settle().await;
    assert!(!waiting.is_finished());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(waiting.await.unwrap(), "resolver_unavailable");
}

#[tokio::test]
async fn no_more_look_ups_run_at_once_than_that_and_all_get_their_turn() {
    let (world, database) = (World::new(), Database::new());
    let resolving = database.resolving().concurrency(NonZeroUsize::new(3).unwrap());
    let auth = world.engine(resolving);
    database.0.open.send_replace(false);
    let requests: Vec<_> = (0..20)
        .map(|number| {
            let subject = format!("user-{number}");
            let token = world.issuer.token().audience(AUDIENCE).subject(&subject).build();
            let auth = auth.clone();
            tokio::spawn(async move { role(&auth, &token).await })
        })
        .collect();
    settle().await;
    assert_eq!(database.asked(), 3);
    database.0.open.send_replace(true);
    for request in requests {
        assert_eq!(request.await.unwrap(), "reader");
    }
    assert_eq!((database.asked(), database.0.most.load(Ordering::SeqCst)), (20, 3));
}

#[tokio::test]
async fn a_panic_rejects_one_request_and_not_the_next() {
    let (world, calls) = (World::new(), Arc::new(AtomicUsize::new(0)));
    let resolving = ResolverConfig::new(move |_: Principal| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        assert_ne!(call, 0, "on purpose, before there is a future");
        async move { if call == 1 { panic!("on purpose") } else { Ok("reader") } }
    });
    let (auth, token) = (world.engine(resolving), world.token());
    assert_eq!(role(&auth, &token).await, "resolver_unavailable");
    assert_eq!(role(&auth, &token).await, "resolver_unavailable");
    assert_eq!(role(&auth, &token).await, "reader");
}

#[tokio::test]
async fn an_answer_is_kept_only_where_that_is_said_and_only_for_as_long() {
    let (world, database) = (World::new(), Database::new());
    let auth = world.engine(database.resolving().keep_for(Duration::from_secs(30)));
    let token = world.token();
    assert_eq!(role(&auth, &token).await, "reader");
    database.set(Ok("admin"));
    world.clock.advance(Duration::from_secs(29));
    assert_eq!(role(&auth, &token).await, "reader");
    // What is kept needs no wait.
    assert!(matches!(auth.authenticate(&Request::new().bearer(&token)), MaybePending::Ready(_)));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(role(&auth, &token).await, "admin");
    assert_eq!(database.asked(), 2);
    // A rejection is not kept.
    world.clock.advance(Duration::from_secs(30));
    database.set(Err(AuthErrorKind::SubjectDisabled));
    assert_eq!(role(&auth, &token).await, "subject_disabled");
    database.set(Ok("reader"));
    assert_eq!(role(&auth, &token).await, "reader");
}

#[tokio::test]
async fn callers_share_an_answer_only_where_all_their_claims_are_equal() {
    let (world, database) = (World::new(), Database::new());
    let auth = world.engine(database.resolving());
    let of_tenant =
        |tenant: &str| world.issuer.token().audience(AUDIENCE).claim("tenant", tenant).build();
    database.0.open.send_replace(false);
    let requests = [of_tenant("a"), of_tenant("b"), of_tenant("a")].map(|token| {
        let auth = auth.clone();
        tokio::spawn(async move { role(&auth, &token).await })
    });
    settle().await;
    let asked = database.asked();
    database.0.open.send_replace(true);
    for request in requests {
        assert_eq!(request.await.unwrap(), "reader");
    }
    assert!(asked >= 2, "{asked}");

    let by_subject = database.resolving().share_by(|caller| caller.subject().to_owned());
    let auth = world.engine(by_subject.keep_for(Duration::from_secs(30)));
    let before = database.asked();
    assert_eq!(role(&auth, &of_tenant("a")).await, "reader");
    assert_eq!(role(&auth, &of_tenant("b")).await, "reader");
    assert_eq!(database.asked(), before + 1);
}

#[tokio::test]
async fn callers_of_different_issuers_never_share_an_answer() {
    let (world, calls) = (World::new(), Arc::new(AtomicUsize::new(0)));
    let tenant = TestIssuer::new("https://tenant.test").clock(world.clock.clone());
    // An issuer that stands for any, whose tokens say for whom.
    let any =
        Issuer::dangerous_any("any").jwk_set(&JwkSet::from_json(&tenant.jwk_set_json()).unwrap());
    let resolving = ResolverConfig::new(move |caller: Principal| {
        calls.fetch_add(1, Ordering::SeqCst);
        async move { Ok(if caller.issuer() == "https://idp.test" { "admin" } else { "reader" }) }
    });
    let resolving = resolving.share_by(|caller| caller.subject().to_owned());
    let auth = Authenticator::builder()
        .issuer(world.issuer.trusted())
        .issuer(any)
        .audience(AUDIENCE)
        .clock(world.clock.clone())
        .with_resolver(resolving.keep_for(Duration::from_secs(30)))
        .build()
        .unwrap();
    assert_eq!(role(&auth, &world.token()).await, "admin");
    let alice = |issuer: &str| tenant.token().audience(AUDIENCE).claim("iss", issuer).build();
    assert_eq!(role(&auth, &alice("https://tenant.test")).await, "reader");
    assert_eq!(role(&auth, &alice("https://other.test")).await, "reader");
}

#[tokio::test]
async fn a_panic_of_what_makes_callers_the_same_rejects_the_request() {
    let (world, database) = (World::new(), Database::new());
    for keep_for in [Duration::ZERO, Duration::from_secs(30)] {
        let resolving = database.resolving().share_by(|_| panic!("on purpose"));
        let auth = world.engine(resolving.keep_for(keep_for));
        assert_eq!(role(&auth, &world.token()).await, "resolver_unavailable");
    }
}

#[tokio::test]
async fn an_answer_is_as_old_as_its_question() {
    let (world, database) = (World::new(), Database::new());
    let resolving = database.resolving().timeout(Duration::from_secs(60));
    let auth = world.engine(resolving.keep_for(Duration::from_secs(30)));
    let token = world.token();
    database.0.open.send_replace(false);
    let waiting = tokio::spawn({
        let (auth, token) = (auth.clone(), token.clone());
        async move { role(&auth, &token).await }
    });
    settle().await;
    world.clock.advance(Duration::from_secs(20));
    database.0.open.send_replace(true);
    assert_eq!(waiting.await.unwrap(), "reader");
    // What has changed while the look-up was under way counts 30 seconds after it began.
    database.set(Ok("admin"));
    world.clock.advance(Duration::from_secs(9));
    assert_eq!(role(&auth, &token).await, "reader");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(role(&auth, &token).await, "admin");
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_and_brings_back_no_answer() {
    let (world, database) = (World::new(), Database::new());
    let auth = world.engine(database.resolving().keep_for(Duration::from_secs(30)));
    let token = world.issuer.token().audience(AUDIENCE).claim("exp", NOW + 1_000_000).build();
    // The clock was ahead once.
    world.clock.advance(Duration::from_secs(86_400));
    assert_eq!(role(&auth, &token).await, "reader");
    world.clock.set(NumericDate::from_seconds(NOW));
    database.set(Ok("admin"));
    assert_eq!(role(&auth, &token).await, "admin");
    // An answer has expired, and then the clock is set back.
    world.clock.advance(Duration::from_secs(30));
    database.set(Err(AuthErrorKind::SubjectDisabled));
    assert_eq!(role(&auth, &token).await, "subject_disabled");
    world.clock.set(NumericDate::from_seconds(NOW));
    assert_eq!(role(&auth, &token).await, "subject_disabled");
}

#[tokio::test]
async fn a_new_answer_takes_the_place_of_the_oldest_when_ten_thousand_are_kept() {
    let (world, database) = (World::new(), Database::new());
    let auth = world.engine(database.resolving().keep_for(Duration::from_secs(600)));
    let of = |subject: usize| {
        world.issuer.token().audience(AUDIENCE).subject(subject.to_string()).build()
    };
    for subject in 0..=10_000 {
        assert_eq!(role(&auth, &of(subject)).await, "reader");
    }
    assert_eq!(database.asked(), 10_001);
    assert_eq!(role(&auth, &of(10_000)).await, "reader");
    assert_eq!(database.asked(), 10_001);
    assert_eq!(role(&auth, &of(0)).await, "reader");
    assert_eq!(database.asked(), 10_002);
}
