//! The end of a token that was good: when it comes, and what for.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it cannot go on")]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use portcullis::{AuthError, Authenticator, Issuer, NumericDate, Principal, clock::Clock};
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};

const START: NumericDate = NumericDate::from_seconds(1_800_000_000);
const NANOSECOND: Duration = Duration::from_nanos(1);

/// An issuer of tokens that are good for an hour, its clock, and an engine that trusts it.
struct Setting {
    issuer: TestIssuer,
    clock: ManualClock,
    auth: Authenticator,
}

impl Setting {
    fn new(rules: impl FnOnce(Issuer) -> Issuer) -> Self {
        let clock = ManualClock::at(START);
        let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
        let auth = Authenticator::builder()
            .issuer(rules(issuer.trusted()))
            .audience("api")
            .clock(clock.clone())
            .build()
            .unwrap();
        Self { issuer, clock, auth }
    }

    fn token(&self) -> TokenBuilder {
        self.issuer.token().audience("api")
    }

    fn caller(&self, token: &str) -> Principal {
        self.auth.authenticate_token_now(token).unwrap().principal().clone()
    }

    /// Moves the clock just before a time, and to it: the wait must end there, and the engine must
    /// have accepted the token until then and reject it after.
    fn expect_end(&self, token: &str, end: Duration, code: &str) {
        let caller = self.caller(token);
        let mut expiry = pin!(caller.until_invalid());
        let mut poll = || expiry.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        for before in [Duration::ZERO, end / 2, end - NANOSECOND] {
            self.clock.set(START.saturating_add(before));
            assert!(poll().is_pending(), "at {before:?}");
            assert!(self.auth.authenticate_token_now(token).is_ok(), "at {before:?}");
        }
        self.clock.set(START.saturating_add(end));
        let Poll::Ready(error) = poll() else { panic!("still waiting at {end:?}") };
        let code_of = |error: &AuthError| error.kind().code();
        assert_eq!(code_of(&error), code);
        self.clock.advance(NANOSECOND);
        assert_eq!(code_of(&self.auth.authenticate_token_now(token).unwrap_err()), code);
    }
}

#[test]
fn a_wait_ends_when_the_leeway_is_over() {
    let setting = Setting::new(|issuer| issuer);
    let token = setting.token().build();
    setting.expect_end(&token, Duration::from_secs(3660), "token_expired");
}

#[test]
fn a_wait_ends_at_the_expiry_without_leeway() {
    let setting = Setting::new(|issuer| issuer.leeway(Duration::ZERO));
    let token = setting.token().build();
    setting.expect_end(&token, Duration::from_secs(3600), "token_expired");
}

#[test]
fn a_wait_ends_at_the_maximum_age_where_that_comes_first() {
    let setting = Setting::new(|issuer| issuer.max_age(Duration::from_secs(600)));
    let token = setting.token().build();
    setting.expect_end(&token, Duration::from_secs(660), "token_too_old");
}

#[test]
fn nothing_waits_for_a_token_without_end() {
    let setting = Setting::new(|issuer| issuer.dangerous_optional_expiry());
    let token = setting.token().without_claim("exp").build();
    let mut wait = pin!(setting.caller(&token).until_invalid());
    setting.clock.advance(Duration::from_secs(1_000_000_000));
    assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn a_wait_begun_too_late_is_over() {
    let setting = Setting::new(|issuer| issuer);
    let caller = setting.caller(&setting.token().build());
    setting.clock.set(START.saturating_add(Duration::from_secs(100_000)));
    let mut expiry = pin!(caller.until_invalid());
    assert!(expiry.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert!(setting.clock.now() > START);
}
