//! The chain of strategies: whose word counts, whatever the others say.

#![expect(clippy::panic, reason = "short helpers of tests")]

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    AuthErrorKind, Authenticator, ConfigError, MultipleTokens, NumericDate,
    ReloadableAuthenticator, Requirement, StaticTokens, TokenLocation,
    adapter::{Admission, Challenge, Verdict},
    clock::Clock,
    error::IssuerError,
    future::MaybePending,
    policy,
    strategy::{Attempt, Credential, Identity, Strategy},
};
use portcullis_testkit::{ManualClock, TestIssuer};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Says {
    Accept,
    Reject,
    Abstain,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum When {
    Now,
    Later,
    /// It takes two steps.
    MuchLater,
}

/// Says what it is told to say, and counts how often it is asked.
#[derive(Clone, Debug)]
struct Told {
    name: &'static str,
    says: Says,
    when: When,
    asked: Arc<AtomicUsize>,
}

impl Told {
    fn new(name: &'static str, says: Says, when: When) -> Self {
        Self { name, says, when, asked: Arc::default() }
    }

    fn attempt(name: &str, says: Says) -> Attempt {
        match says {
            Says::Accept => Attempt::Accept(Identity::new(name)),
            Says::Reject => Attempt::Reject(AuthErrorKind::TokenRevoked.into()),
            Says::Abstain => Attempt::Abstain,
        }
    }
}

impl Strategy for Told {
    fn name(&self) -> &str {
        self.name
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (name, says) = (self.name, self.says);
        match self.when {
            When::Now => Self::attempt(name, says),
            When::Later => Attempt::Later(Box::pin(async move {
                tokio::task::yield_now().await;
                Self::attempt(name, says)
            })),
            When::MuchLater => Attempt::Later(Box::pin(async move {
                Attempt::Later(Box::pin(async move { Self::attempt(name, says) }))
            })),
        }
    }
}

async fn patient(auth: &Authenticator, request: &Request) -> Verdict {
    auth.authenticate(request).await
}

fn outcome(verdict: &Verdict) -> String {
    match &verdict.result {
        Ok(caller) => caller.principal().subject().to_owned(),
        Err(error) => error.kind().code().to_owned(),
    }
}

async fn judge(auth: &Authenticator, token: &str) -> String {
    outcome(&patient(auth, &Request::new().bearer(token)).await)
}

/// What must come of three answers: the first that is not an abstention.
fn expected(answers: &[(&str, Says)]) -> String {
    for (name, says) in answers {
        match says {
            Says::Accept => return (*name).to_owned(),
            Says::Reject => return "token_revoked".to_owned(),
            Says::Abstain => {}
        }
    }
    "no_credentials".to_owned()
}

#[tokio::test]
async fn the_first_that_does_not_abstain_decides_whatever_the_others_say_and_when() {
    let says = [Says::Accept, Says::Reject, Says::Abstain];
    let whens = [When::Now, When::Later, When::MuchLater];
    let mut rows = 0;
    for combination in 0..27 {
        let answer = |digit: u32| says.get(combination / 3_usize.pow(digit) % 3).copied().unwrap();
        for pace in 0..27 {
            let when = |digit: u32| whens.get(pace / 3_usize.pow(digit) % 3).copied().unwrap();
            let strategies = [
                Told::new("first", answer(0), when(0)),
                Told::new("second", answer(1), when(1)),
                Told::new("third", answer(2), when(2)),
            ];
            let answers: Vec<_> = strategies.iter().map(|one| (one.name, one.says)).collect();
            let auth = strategies
                .iter()
                .fold(Authenticator::builder(), |builder, one| builder.strategy(one.clone()))
                .build()
                .unwrap();
            assert_eq!(judge(&auth, "opaque").await, expected(&answers), "{strategies:?}");
            let decided = answers.iter().position(|(_, says)| *says != Says::Abstain);
            for (position, one) in strategies.iter().enumerate() {
                let asked = usize::from(decided.is_none_or(|decided| position <= decided));
                assert_eq!(one.asked.load(Ordering::SeqCst), asked, "{position} of {strategies:?}");
            }
            rows += 1;
        }
    }
    assert_eq!(rows, 729);
}

struct World {
    issuer: TestIssuer,
    stranger: TestIssuer,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = |name| TestIssuer::new(name).clock(clock.clone());
        Self { issuer: issuer("https://idp.test"), stranger: issuer("https://s.test"), clock }
    }

    fn builder(&self) -> portcullis::AuthenticatorBuilder {
        Authenticator::builder().clock(self.clock.clone()).audience(AUDIENCE)
    }

    fn token(&self) -> String {
        self.issuer.token().audience(AUDIENCE).build()
    }
}

#[tokio::test]
async fn issuers_stand_where_the_first_was_added() {
    let world = World::new();
    let accept = || Told::new("sessions", Says::Accept, When::Now);
    let after = world.builder().issuer(world.issuer.trusted()).strategy(accept()).build().unwrap();
    assert_eq!(judge(&after, &world.token()).await, "alice");
    let before = world.builder().strategy(accept()).issuer(world.issuer.trusted()).build().unwrap();
    assert_eq!(judge(&before, &world.token()).await, "sessions");
}

#[tokio::test]
async fn issuers_abstain_from_tokens_that_are_not_theirs_and_reject_bad_ones_that_are() {
    let world = World::new();
    let auth = world
        .builder()
        .issuer(world.issuer.trusted())
        .strategy(Told::new("sessions", Says::Accept, When::Now))
        .build()
        .unwrap();
    let foreign = world.stranger.token().audience(AUDIENCE).build();
    for token in ["opaque", "a.b.c", &foreign, "key:with-colon"] {
        assert_eq!(judge(&auth, token).await, "sessions", "{token}");
    }
    let expired = world.issuer.token().audience(AUDIENCE).expired().build();
    assert_eq!(judge(&auth, &expired).await, "token_expired");
    let unknown = world.issuer.token().audience(AUDIENCE).header("kid", "unknown").build();
    assert_eq!(judge(&auth, &unknown).await, "unknown_key");
}

#[tokio::test]
async fn where_all_abstain_the_issuers_say_why() {
    let world = World::new();
    let auth = world
        .builder()
        .issuer(world.issuer.trusted())
        .strategy(Told::new("sessions", Says::Abstain, When::Later))
        .build()
        .unwrap();
    let foreign = world.stranger.token().audience(AUDIENCE).build();
    assert_eq!(judge(&auth, &foreign).await, "untrusted_issuer");
    assert_eq!(judge(&auth, "opaque").await, "malformed_token");
    assert_eq!(judge(&auth, "not a token").await, "malformed_request");
}

#[tokio::test]
async fn a_token_that_nobody_knows_is_not_let_through_as_none() {
    let world = World::new();
    let auth = world.builder().strategy(Told::new("sessions", Says::Abstain, When::Now));
    let auth = auth.build().unwrap().with_admission(Admission::Optional);
    let verdict = patient(&auth, &Request::new().bearer("opaque")).await;
    assert_eq!((outcome(&verdict).as_str(), verdict.admits_anonymous), ("no_credentials", false));
    let verdict = patient(&auth, &Request::new()).await;
    assert_eq!((outcome(&verdict).as_str(), verdict.admits_anonymous), ("no_credentials", true));
    let challenge = Challenge::from(&patient(&auth, &Request::new()).await.result.unwrap_err());
    assert_eq!(challenge.status(), 401);
}

#[tokio::test]
async fn a_token_that_is_too_long_is_shown_to_no_strategy() {
    let world = World::new();
    let accept = || Told::new("sessions", Says::Accept, When::Now);
    let builders = [
        Authenticator::builder().strategy(accept()),
        world.builder().issuer(world.issuer.trusted()).strategy(accept()),
    ];
    for builder in builders {
        let auth = builder.max_token_len(10).build().unwrap();
        assert_eq!(judge(&auth, "0123456789").await, "sessions");
        assert_eq!(judge(&auth, "0123456789a").await, "token_too_large");
    }
}

#[derive(Debug)]
struct Panicking(When);

impl Strategy for Panicking {
    fn name(&self) -> &str {
        "panicking"
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        match self.0 {
            When::Now => panic!("on purpose"),
            When::Later => Attempt::Later(Box::pin(async { panic!("on purpose") })),
            When::MuchLater => Attempt::Later(Box::pin(async {
                Attempt::Later(Box::pin(async { panic!("on purpose") }))
            })),
        }
    }
}

#[tokio::test]
async fn a_strategy_that_panics_rejects_the_request_and_nothing_else() {
    for when in [When::Now, When::Later, When::MuchLater] {
        let next = Told::new("next", Says::Accept, When::Now);
        let auth = Authenticator::builder().strategy(Panicking(when)).strategy(next.clone());
        let auth = auth.build().unwrap();
        for _ in 0..2 {
            let verdict = patient(&auth, &Request::new().bearer("opaque")).await;
            let error = verdict.result.unwrap_err();
            assert_eq!(error.kind(), AuthErrorKind::ResolverUnavailable, "{when:?}");
            assert_eq!(Challenge::from(&error).status(), 503);
        }
        assert_eq!(next.asked.load(Ordering::SeqCst), 0);
    }
}

/// Takes a step after the other, each by the clock, and never comes to an end.
#[derive(Clone, Debug)]
struct Endless(ManualClock);

impl Endless {
    fn step(self) -> Attempt {
        Attempt::Later(Box::pin(async move {
            self.0.sleep(Duration::from_millis(600)).await;
            self.step()
        }))
    }
}

impl Strategy for Endless {
    fn name(&self) -> &str {
        "endless"
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        self.clone().step()
    }
}

#[tokio::test]
async fn a_strategy_that_takes_too_long_rejects_however_many_steps_it_takes() {
    for (timeout, seconds) in [(None, 2), (Some(5), 5)] {
        let world = World::new();
        let next = Told::new("next", Says::Accept, When::Now);
        let builder = world.builder().strategy(Endless(world.clock.clone())).strategy(next.clone());
        let auth = match timeout {
            None => builder,
            Some(timeout) => builder.strategy_timeout(Duration::from_secs(timeout)),
        };
        let auth = auth.build().unwrap();
        let mut judged = Box::pin(judge(&auth, "opaque"));
        let mut waited = 0;
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut judged => break outcome,
                () = tokio::task::yield_now() => {}
            }
            world.clock.advance(Duration::from_millis(100));
            waited += 100;
        };
        assert_eq!(outcome, "resolver_unavailable");
        assert!((seconds * 1_000..=seconds * 1_000 + 200).contains(&waited), "{waited}");
        assert_eq!(next.asked.load(Ordering::SeqCst), 0);
    }
}

/// Takes a short step after the other, and never comes to an end.
#[derive(Clone, Copy, Debug)]
struct Stepping;

impl Stepping {
    fn step() -> Attempt {
        Attempt::Later(Box::pin(async {
            tokio::task::yield_now().await;
            Self::step()
        }))
    }
}

impl Strategy for Stepping {
    fn name(&self) -> &str {
        "stepping"
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        Self::step()
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_request_wait_for_longer() {
    let world = World::new();
    let auth = world.builder().strategy(Stepping).build().unwrap();
    world.clock.advance(Duration::from_secs(86_400));
    let mut judged = Box::pin(judge(&auth, "opaque"));
    for _ in 0..100 {
        tokio::select! {
            biased;
            outcome = &mut judged => {
                assert_eq!(outcome, "resolver_unavailable");
                return;
            }
            () = tokio::task::yield_now() => {}
        }
        // The clock was ahead when the request began.
        if world.clock.now() >= NumericDate::from_seconds(NOW + 86_400) {
            world.clock.set(NumericDate::from_seconds(NOW));
        }
        world.clock.advance(Duration::from_millis(100));
    }
    panic!("it waits for ten seconds and more");
}

#[tokio::test]
async fn strategies_come_and_go_by_a_reload() {
    let world = World::new();
    let builder = || world.builder().issuer(world.issuer.trusted());
    let told = |says| Told::new("sessions", says, When::Now);
    let reloadable = ReloadableAuthenticator::new(builder().build().unwrap());
    let auth = reloadable.authenticator();
    assert_eq!(judge(&auth, "opaque").await, "malformed_token");
    let one = || builder().strategy(told(Says::Accept));
    reloadable.replace(one().build().unwrap()).await.unwrap();
    assert_eq!(judge(&auth, "opaque").await, "sessions");
    assert_eq!(judge(&auth, &world.token()).await, "alice");
    let two = one().strategy(told(Says::Reject)).build().unwrap();
    reloadable.replace(two).await.unwrap();
    assert_eq!(auth.strategies(), ["sessions", "sessions"]);
    assert_eq!(judge(&auth, "opaque").await, "sessions");
    reloadable.replace(builder().build().unwrap()).await.unwrap();
    assert!(auth.strategies().is_empty());
    assert_eq!(judge(&auth, "opaque").await, "malformed_token");
}

/// Begins to judge, replaces the engine, and only then waits.
async fn judge_across(first: Authenticator, token: &str, second: Authenticator) -> String {
    let reloadable = ReloadableAuthenticator::new(first);
    let auth = reloadable.authenticator();
    let MaybePending::Pending(waiting) = auth.authenticate(&Request::new().bearer(token)) else {
        panic!("it is judged at once")
    };
    reloadable.replace(second).await.unwrap();
    outcome(&waiting.await)
}

#[tokio::test]
async fn what_a_strategy_answers_after_it_was_removed_is_not_believed() {
    let world = World::new();
    for says in [Says::Accept, Says::Reject, Says::Abstain] {
        for when in [When::Later, When::MuchLater] {
            let told = |name, says| Told::new(name, says, when);
            let builder = || world.builder().strategy(told("sessions", says));
            let first = builder().issuer(world.issuer.trusted()).build().unwrap();
            let second = world.builder().issuer(world.issuer.trusted()).build().unwrap();
            let outcome = judge_across(first, &world.token(), second).await;
            assert_eq!(outcome, "alice", "{says:?}");
            // Another one is asked in its place.
            let first = builder().build().unwrap();
            let second = world.builder().strategy(told("others", Says::Accept)).build().unwrap();
            assert_eq!(judge_across(first, "opaque", second).await, "others", "{says:?}");
            // Those behind it may be gone too.
            let first = builder().strategy(told("others", Says::Accept)).build().unwrap();
            let second = world.builder().strategy(told("third", Says::Abstain)).build().unwrap();
            assert_eq!(judge_across(first, "opaque", second).await, "no_credentials", "{says:?}");
        }
    }
}

/// Replaces the engine while it accepts the one token that it knows.
#[derive(Debug)]
struct Leaving {
    /// The engine, and what replaces it.
    replaced: Arc<Mutex<Option<(ReloadableAuthenticator, Authenticator)>>>,
}

impl Strategy for Leaving {
    fn name(&self) -> &str {
        "leaving"
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        if credential.token() != "first" {
            return Attempt::Abstain;
        }
        if let Some((reloadable, next)) = self.replaced.lock().unwrap().take() {
            let replaced = pin!(reloadable.replace(next));
            let polled = replaced.poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Ready(Ok(()))), "{polled:?}");
        }
        Attempt::Accept(Identity::new("leaving"))
    }
}

#[tokio::test]
async fn what_was_removed_while_it_answered_is_not_believed_by_a_request_that_waits() {
    let world = World::new();
    for says in [Says::Accept, Says::Reject, Says::Abstain] {
        let builder = || {
            let places = [TokenLocation::bearer(), TokenLocation::header("x-token")];
            let builder = world.builder().issuer(world.issuer.trusted());
            builder.locations(places).multiple_tokens(MultipleTokens::All)
        };
        let others = || Told::new("others", says, When::Later);
        let replaced = Arc::<Mutex<_>>::default();
        let leaving = Leaving { replaced: Arc::clone(&replaced) };
        let first = builder().strategy(leaving).strategy(others()).build().unwrap();
        let reloadable = ReloadableAuthenticator::new(first);
        let auth = reloadable.authenticator();
        let second = builder().strategy(others()).build().unwrap();
        *replaced.lock().unwrap() = Some((reloadable, second));
        let request = Request::new().bearer("first").field("x-token", "second");
        let outcome = outcome(&patient(&auth, &request).await);
        // Who is left is asked about both tokens.
        let expected = match says {
            Says::Accept => "others",
            Says::Reject => "token_revoked",
            Says::Abstain => "malformed_token",
        };
        assert_eq!(outcome, expected, "{says:?}");
        assert!(replaced.lock().unwrap().is_none());
    }
}

/// Replaces the engine by another of its kind whenever it answers.
#[derive(Clone, Debug)]
struct Restless {
    reloadable: Arc<OnceLock<ReloadableAuthenticator>>,
    asked: Arc<AtomicUsize>,
}

impl Restless {
    fn engine(&self) -> Authenticator {
        let world = World::new();
        world.builder().issuer(world.issuer.trusted()).strategy(self.clone()).build().unwrap()
    }
}

impl Strategy for Restless {
    fn name(&self) -> &str {
        "restless"
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let own = self.clone();
        Attempt::Later(Box::pin(async move {
            own.reloadable.get().unwrap().replace(own.engine()).await.unwrap();
            Attempt::Accept(Identity::new("restless"))
        }))
    }
}

#[tokio::test]
async fn a_request_ends_however_often_its_engine_is_replaced() {
    let restless = Restless { reloadable: Arc::default(), asked: Arc::default() };
    let reloadable = ReloadableAuthenticator::new(restless.engine());
    let auth = reloadable.authenticator();
    restless.reloadable.set(reloadable).unwrap();
    assert_eq!(judge(&auth, "opaque").await, "resolver_unavailable");
    assert_eq!(restless.asked.load(Ordering::SeqCst), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_rejected_while_strategies_come_and_go() {
    let world = World::new();
    let builder = || world.builder().issuer(world.issuer.trusted());
    let reloadable = ReloadableAuthenticator::new(builder().build().unwrap());
    let (requests, token) = (reloadable.authenticator(), world.token());
    let load = tokio::spawn(async move {
        for request in 0..2_000 {
            assert_eq!(judge(&requests, &token).await, "alice", "{request}");
            if request % 50 == 0 {
                tokio::task::yield_now().await;
            }
        }
    });
    while !load.is_finished() {
        let with = builder().strategy(Told::new("sessions", Says::Abstain, When::Now));
        reloadable.replace(with.build().unwrap()).await.unwrap();
        tokio::task::yield_now().await;
        reloadable.replace(builder().build().unwrap()).await.unwrap();
    }
    load.await.unwrap();
}

#[tokio::test]
async fn a_strategy_has_a_name_that_is_no_issuers() {
    let world = World::new();
    let named = |name| Told::new(name, Says::Accept, When::Now);
    let builder = || world.builder().issuer(world.issuer.trusted());
    let duplicate = builder().strategy(named("https://idp.test")).build().unwrap_err();
    assert!(matches!(duplicate, ConfigError::Issuer(IssuerError::Duplicate { .. })));
    assert!(matches!(
        builder().strategy(named("")).build().unwrap_err(),
        ConfigError::Issuer(IssuerError::NoName)
    ));
    assert!(matches!(Authenticator::builder().build().unwrap_err(), ConfigError::NoIssuer));
}

#[tokio::test]
async fn places_and_requirements_name_strategies_like_issuers() {
    let world = World::new();
    let builder = || {
        world.builder().issuer(world.issuer.trusted()).strategy(Told::new(
            "sessions",
            Says::Accept,
            When::Later,
        ))
    };
    let places =
        [TokenLocation::bearer(), TokenLocation::header("x-session").of_issuer("sessions")];
    let auth = builder().locations(places).build().unwrap();
    let session = Request::new().field("x-session", "opaque");
    assert_eq!(outcome(&patient(&auth, &session).await), "sessions");
    // The issuers are not asked there, and the strategy is.
    let jwt_there = Request::new().field("x-session", world.token());
    assert_eq!(outcome(&patient(&auth, &jwt_there).await), "sessions");

    let all = Requirement::all([
        Requirement::issuer("https://idp.test"),
        Requirement::issuer("sessions"),
    ]);
    let both = auth.with_requirement(all).unwrap();
    let request = session.bearer(&world.token());
    let verdict = patient(&both, &request).await;
    let caller = verdict.result.as_ref().unwrap();
    assert_eq!(caller.principal().subject(), "alice");
    assert_eq!(caller.others().first().unwrap().principal().issuer(), "sessions");

    let bound_to_jwt = [TokenLocation::bearer().of_issuer("https://idp.test")];
    let auth = builder().locations(bound_to_jwt).build().unwrap();
    assert_eq!(judge(&auth, "opaque").await, "malformed_token");
}

#[derive(Debug)]
struct Keys;

impl Strategy for Keys {
    fn name(&self) -> &str {
        "keys"
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        match credential.unverified_issuer() {
            Some(_) => Attempt::Abstain,
            None => Attempt::Accept(
                Identity::new("etl")
                    .roles(["writer"])
                    .scope("jobs:read jobs:write")
                    .client_id("batch")
                    .claim("team", "data")
                    .claim("permissions", ["ns:read"])
                    .expires_at(NumericDate::from_seconds(NOW + 60)),
            ),
        }
    }
}

#[tokio::test]
async fn an_identity_is_a_caller_like_any_other() {
    let auth = World::new().builder().strategy(Keys).build().unwrap();
    let caller = auth.authenticate_token_now("opaque").unwrap();
    let (who, grant) = (caller.principal(), caller.grant());
    assert_eq!((who.subject(), who.issuer(), who.client_id()), ("etl", "keys", Some("batch")));
    assert_eq!(who.expires_at(), Some(NumericDate::from_seconds(NOW + 60)));
    assert_eq!(who.claim::<String>("team").unwrap().as_deref(), Some("data"));
    assert!(grant.has_role("writer") && grant.has_scope("jobs:read"));
    assert!(grant.has_permission("ns", "read"));
    let rule = policy::scope("jobs:write").and(policy::claim("team", "data"));
    assert!(rule.check(who, grant).is_ok());
}

#[tokio::test]
async fn an_identity_ends_with_its_expiry_whoever_has_forgotten_to_look() {
    let world = World::new();
    let end = NumericDate::from_seconds(NOW + 60);
    let tokens = StaticTokens::builder("keys")
        .token("opaque", Identity::new("etl").expires_at(end))
        .build()
        .unwrap();
    let auth = world.builder().strategy(tokens).build().unwrap();
    // The same leeway as for tokens of issuers.
    world.clock.advance(Duration::from_secs(119));
    assert_eq!(judge(&auth, "opaque").await, "etl");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(judge(&auth, "opaque").await, "token_expired");
}

#[test]
fn an_identity_that_is_bound_to_its_sender_rejects_because_nobody_can_check_that() {
    // As a strategy would pass on what another service says of a token.
    let bound = Identity::new("etl").claim("cnf", HashMap::from([("x5t#S256", "bwcK")]));
    let tokens = StaticTokens::builder("keys").token("opaque", bound).build().unwrap();
    let auth = Authenticator::builder().strategy(tokens).build().unwrap();
    let error = auth.authenticate_token_now("opaque").unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::WrongBinding);
}

#[tokio::test]
async fn an_identity_of_nonsense_rejects() {
    #[derive(Debug)]
    struct Nonsense;
    impl Strategy for Nonsense {
        fn name(&self) -> &str {
            "nonsense"
        }
        fn attempt(&self, credential: &Credential<'_>) -> Attempt {
            let identity = Identity::new("x");
            Attempt::Accept(match credential.token() {
                "act" => identity.claim("act", "not an actor"),
                "exp" => identity.claim("exp", "tomorrow"),
                "roles" => identity.claim("roles", 1),
                _ => identity.claim("map", HashMap::from([((1, 2), 3)])),
            })
        }
    }
    let auth = Authenticator::builder().strategy(Nonsense).build().unwrap();
    for token in ["act", "exp", "roles", "map"] {
        assert_eq!(judge(&auth, token).await, "malformed_claim", "{token}");
    }
}

#[test]
fn the_unverified_issuer_is_read_of_anything_that_looks_like_a_jwt() {
    let world = World::new();
    let token = world.token();
    assert_eq!(Credential::new(&token).unverified_issuer().as_deref(), Some("https://idp.test"));
    for token in ["", "a.b", "a.b.c", "a.e30.c", "a.e30.c.d", "a.bnVsbA.c", "..", "....."] {
        assert_eq!(Credential::new(token).unverified_issuer(), None, "{token}");
    }
    assert_eq!(format!("{:?}", Credential::new("secret")), "Credential(***)");
}

#[tokio::test]
async fn a_strategy_cannot_say_that_nothing_was_presented() {
    #[derive(Debug)]
    struct Wrong(When);
    impl Strategy for Wrong {
        fn name(&self) -> &str {
            "wrong"
        }
        fn attempt(&self, _: &Credential<'_>) -> Attempt {
            let reject = || Attempt::Reject(AuthErrorKind::NoCredentials.into());
            match self.0 {
                When::Now => reject(),
                _ => Attempt::Later(Box::pin(async move { reject() })),
            }
        }
    }
    for when in [When::Now, When::Later] {
        let auth = Authenticator::builder().strategy(Wrong(when)).build().unwrap();
        assert_eq!(judge(&auth, "opaque").await, "not_permitted");
    }
}
