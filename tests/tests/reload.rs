//! Engines that are replaced while they run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use conformance::Request;
use portcullis::{
    AuthError, AuthErrorKind, Authenticator, ConfigError, Issuer, ReloadableAuthenticator,
    Requirement, TokenLocation,
    adapter::Admission,
    error::RequirementError,
    future::MaybePending,
    strategy::{Attempt, Credential, Identity, Strategy},
};
use portcullis_axum::JwtAuthLayer;
use portcullis_testkit::{KeyServer, ManualClock, Reply, TestIssuer};
use tower::ServiceExt;

const KEYS: &str = "/jwks.json";
const WRONG: AuthErrorKind = AuthErrorKind::WrongAudience;

/// An engine that fetches the keys of a server, for one audience.
fn remote(server: &KeyServer, path: &str, audience: &str) -> Authenticator {
    let issuer = Issuer::new(server.url("")).jwk_set_uri(server.url(path));
    Authenticator::builder().issuer(issuer).audience(audience).build().unwrap()
}

fn local(issuer: &TestIssuer, audience: &str) -> Authenticator {
    Authenticator::builder().issuer(issuer.trusted()).audience(audience).build().unwrap()
}

fn verdict(auth: &Authenticator, token: &str) -> Result<(), AuthErrorKind> {
    auth.authenticate_token_now(token).map(|_| ()).map_err(|error| error.kind())
}

#[tokio::test]
async fn layers_and_handles_judge_by_the_new_engine() {
    let issuer = TestIssuer::new("https://idp.test");
    let reloadable = ReloadableAuthenticator::new(local(&issuer, "a"));
    let handle = reloadable.authenticator();
    let app = axum::Router::new().route("/", axum::routing::get(|| async {}));
    let app = app.layer(JwtAuthLayer::new(handle.clone()));
    let status = async |token: &str| {
        let request = http::Request::builder().header("authorization", format!("Bearer {token}"));
        let request = request.body(axum::body::Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    let (a, b) = (issuer.token().audience("a").build(), issuer.token().audience("b").build());
    assert_eq!((status(&a).await, status(&b).await), (200, 401));

    reloadable.replace(local(&issuer, "b")).await.unwrap();
    assert_eq!((status(&a).await, status(&b).await), (401, 200));
    assert_eq!((verdict(&handle, &a), verdict(&handle, &b)), (Err(WRONG), Ok(())));
    assert_eq!(handle.explain_token(&b).rejected().map(|step| step.stage()), None);
}

#[tokio::test]
async fn what_challenges_name_and_what_is_let_through_follow_too() {
    let issuer = TestIssuer::new("https://idp.test");
    let with =
        |realm: &str| Authenticator::builder().issuer(issuer.trusted()).audience("a").realm(realm);
    let reloadable = ReloadableAuthenticator::new(with("one").build().unwrap());
    let handle = reloadable.authenticator().with_admission(Admission::Optional);
    let is_let_through = || handle.authenticate_now(&Request::default()).admits_anonymous;
    assert!(format!("{:?}", handle.challenge_settings()).contains("one"));
    assert!(is_let_through() && !handle.is_for_production());

    let two = with("two").resource("https://api.test").production().build().unwrap();
    reloadable.replace(two).await.unwrap();
    assert!(format!("{:?}", handle.challenge_settings()).contains("two"));
    assert!(!is_let_through() && handle.is_for_production());
    assert!(handle.resource_metadata().is_some());
    assert_eq!(ReloadableAuthenticator::new(handle).authenticator().strategies().len(), 0);
}

/// Answers when it is told to.
#[derive(Debug)]
struct Slow(Mutex<Option<tokio::sync::oneshot::Receiver<()>>>);

impl Strategy for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        let told = self.0.lock().unwrap().take();
        Attempt::Later(Box::pin(async move {
            told.unwrap().await.unwrap();
            Attempt::Accept(Identity::new("alice"))
        }))
    }
}

#[tokio::test]
async fn a_request_that_waits_is_judged_by_the_engine_that_holds_when_the_wait_is_over() {
    let issuer = TestIssuer::new("https://idp.test");
    let good = issuer.token().audience("a").subject("bob").build();
    for (token, replaced, expected) in [
        ("opaque", false, Ok("alice")),
        // The strategy is none of the new engine's, whatever it answers.
        ("opaque", true, Err(AuthErrorKind::MalformedToken)),
        (&*good, false, Ok("alice")),
        (&*good, true, Ok("bob")),
    ] {
        let (tell, told) = tokio::sync::oneshot::channel();
        let slow = Slow(Mutex::new(Some(told)));
        let first = Authenticator::builder().strategy(slow).build().unwrap();
        let reloadable = ReloadableAuthenticator::new(first);
        let auth = reloadable.authenticator();
        let MaybePending::Pending(waiting) = auth.authenticate_token(token) else {
            panic!("it is judged at once")
        };
        if replaced {
            reloadable.replace(local(&issuer, "a")).await.unwrap();
        }
        tell.send(()).unwrap();
        let result = waiting.await;
        let found = result.as_ref().map(|caller| caller.principal().subject());
        assert_eq!(found.map_err(AuthError::kind), expected, "{token} {replaced}");
    }
}

#[tokio::test]
async fn a_token_is_not_believed_from_a_place_that_was_removed_while_its_request_waited() {
    let issuer = TestIssuer::new("https://idp.test");
    let token = issuer.token().audience("a").subject("bob").build();
    let both = || vec![TokenLocation::bearer(), TokenLocation::query("access_token")];
    let bound =
        || vec![TokenLocation::bearer(), TokenLocation::query("access_token").of_issuer("other")];
    let changed = Err(AuthErrorKind::ResolverUnavailable);
    for (own, places, expected) in [
        (None, both(), Ok("bob")),
        (None, vec![TokenLocation::bearer()], changed),
        (None, bound(), changed),
        // Those of a route stay.
        (Some(both()), vec![TokenLocation::bearer()], Ok("bob")),
    ] {
        let (tell, told) = tokio::sync::oneshot::channel();
        let slow = Slow(Mutex::new(Some(told)));
        let first = Authenticator::builder().strategy(slow).locations(both()).build().unwrap();
        let reloadable = ReloadableAuthenticator::new(first);
        let mut auth = reloadable.authenticator();
        if let Some(own) = own {
            auth = auth.with_locations(own).unwrap();
        }
        let request = Request::new().query(format!("access_token={token}"));
        let MaybePending::Pending(waiting) = auth.authenticate(&request) else {
            panic!("it is judged at once")
        };
        let other = TestIssuer::new("other");
        let second = Authenticator::builder().issuer(issuer.trusted()).issuer(other.trusted());
        let second = second.audience("a").locations(places).build().unwrap();
        reloadable.replace(second).await.unwrap();
        tell.send(()).unwrap();
        let result = waiting.await.result;
        let found = result.as_ref().map(|caller| caller.principal().subject());
        assert_eq!(found.map_err(AuthError::kind), expected);
    }
}

#[tokio::test]
async fn a_custom_location_that_a_reload_builds_anew_rejects_no_request_that_waits() {
    let issuer = TestIssuer::new("https://idp.test");
    let token = issuer.token().audience("a").subject("bob").build();
    let custom = || {
        let sources = [TokenLocation::header("x-own")];
        [TokenLocation::custom("own", sources, |values| Ok(values[0].map(str::to_owned)))]
    };
    let (tell, told) = tokio::sync::oneshot::channel();
    let slow = Slow(Mutex::new(Some(told)));
    let first = Authenticator::builder().strategy(slow).locations(custom()).build().unwrap();
    let reloadable = ReloadableAuthenticator::new(first);
    let request = Request::new().field("x-own", token);
    let MaybePending::Pending(waiting) = reloadable.authenticator().authenticate(&request) else {
        panic!("it is judged at once")
    };
    let second = Authenticator::builder().issuer(issuer.trusted()).audience("a");
    reloadable.replace(second.locations(custom()).build().unwrap()).await.unwrap();
    tell.send(()).unwrap();
    assert_eq!(waiting.await.result.unwrap().principal().subject(), "bob");
}

#[tokio::test]
async fn keys_of_the_same_source_are_there_at_once_through_an_outage() {
    let server = KeyServer::start();
    let token = server.issuer().token().audience("a").build();
    let reloadable = ReloadableAuthenticator::new(remote(&server, KEYS, "a"));
    let auth = reloadable.authenticator();
    auth.ready().await.unwrap();

    server.reply(KEYS, Reply::empty().status(503));
    let both = remote(&server, KEYS, "a");
    reloadable.replace(both).await.unwrap();
    assert_eq!(verdict(&auth, &token), Ok(()));
    // And they are as old as they were.
    assert!(auth.key_status().iter().all(|status| status.last_success.is_some()));
}

#[tokio::test]
async fn an_engine_that_would_lose_the_keys_of_an_issuer_is_not_taken() {
    let server = KeyServer::start();
    let token = server.issuer().token().audience("a").build();
    let reloadable = ReloadableAuthenticator::new(remote(&server, KEYS, "a"));
    let auth = reloadable.authenticator();
    auth.ready().await.unwrap();

    let error = reloadable.replace(remote(&server, "/gone.json", "b")).await.unwrap_err();
    assert!(matches!(error, ConfigError::KeysWouldBeLost(_)), "{error}");
    assert_eq!(verdict(&auth, &token), Ok(()));
}

#[tokio::test]
async fn a_source_that_hangs_is_waited_for_ten_seconds() {
    let server = KeyServer::start();
    let clock = ManualClock::at(portcullis::NumericDate::from_seconds(1_800_000_000));
    let issuer = server.issuer().clock(clock.clone());
    let engine = |path: &str| {
        let issuer = Issuer::new(server.url("")).jwk_set_uri(server.url(path));
        let builder = Authenticator::builder().issuer(issuer).audience("a");
        builder.clock(clock.clone()).build().unwrap()
    };
    let reloadable = ReloadableAuthenticator::new(engine(KEYS));
    let auth = reloadable.authenticator();
    auth.ready().await.unwrap();

    server.reply("/slow.json", Reply::json("{").stall_after(1));
    let replacing = reloadable.replace(engine("/slow.json"));
    let time_goes_by = async {
        // Until the clock is moved nothing ends the wait; each turn lets the tasks go on.
        loop {
            tokio::task::yield_now().await;
            if server.hits("/slow.json") > 0 {
                clock.advance(Duration::from_secs(1));
            }
        }
    };
    let before = portcullis::clock::Clock::now(&clock);
    let error = tokio::select! {
        replaced = replacing => replaced.unwrap_err(),
        () = time_goes_by => unreachable!(),
    };
    let waited = portcullis::clock::Clock::now(&clock).saturating_since(before);
    assert!(matches!(error, ConfigError::KeysWouldBeLost(_)), "{error}");
    assert!(waited <= Duration::from_secs(12), "{waited:?}");
    assert_eq!(verdict(&auth, &issuer.token().audience("a").build()), Ok(()));
}

#[tokio::test]
async fn a_new_issuer_that_is_down_holds_nothing_up() {
    let (server, other) = (KeyServer::start(), KeyServer::start());
    let token = server.issuer().token().audience("a").build();
    let reloadable = ReloadableAuthenticator::new(remote(&server, KEYS, "b"));
    let auth = reloadable.authenticator();
    auth.ready().await.unwrap();
    assert_eq!(verdict(&auth, &token), Err(WRONG));

    let issuers =
        [&server, &other].map(|server| Issuer::new(server.url("")).jwk_set_uri(server.url(KEYS)));
    let builder = issuers.into_iter().fold(Authenticator::builder(), |all, one| all.issuer(one));
    reloadable.replace(builder.audience("a").build().unwrap()).await.unwrap();
    assert_eq!(verdict(&auth, &token), Ok(()));
    assert_eq!(auth.health().unwrap_err().issuer(), Some(&*other.url("")));
}

#[tokio::test]
async fn an_engine_that_cannot_meet_the_requirement_of_a_route_is_not_taken() {
    let issuer = TestIssuer::new("https://idp.test");
    let other = local(&TestIssuer::new("https://other.test"), "a");
    let reloadable = ReloadableAuthenticator::new(local(&issuer, "a"));
    let route =
        reloadable.authenticator().with_requirement(Requirement::issuer("https://idp.test"));
    let route = route.unwrap();
    let error = reloadable.replace(other.clone()).await.unwrap_err();
    assert!(
        matches!(error, ConfigError::Requirement(RequirementError::UntrustedIssuer { .. })),
        "{error}"
    );
    assert_eq!(verdict(&route, &issuer.token().audience("a").build()), Ok(()));

    // Whose route is gone asks for nothing any more.
    drop(route);
    reloadable.replace(other).await.unwrap();
}

#[test]
fn no_good_request_is_rejected_while_engines_are_replaced() {
    let issuer = TestIssuer::new("https://idp.test");
    let token = issuer.token().audience("a").build();
    let reloadable = ReloadableAuthenticator::new(local(&issuer, "a"));
    let auth = reloadable.authenticator();
    let stop = AtomicBool::new(false);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    thread::scope(|scope| {
        let callers = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut judged = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(verdict(&auth, &token), Ok(()));
                    judged += 1;
                }
                judged
            })
        });
        for _ in 0..200 {
            runtime.block_on(reloadable.replace(local(&issuer, "a"))).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        assert!(callers.into_iter().all(|caller| caller.join().unwrap() > 0));
    });
}
