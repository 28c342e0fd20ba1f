//! An issuer, an engine that trusts it, and the store of its revocations.

use std::{future::Future, pin::pin, task::Poll, time::Duration};

use conformance::{AUDIENCE, NOW};
use portcullis::{
    Algorithm, Authenticator, AuthenticatorBuilder, Issuer, NumericDate,
    revocation::{Revocation, Revocations, Revoked},
};
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};

use crate::store::TestStore;

pub(crate) const ISSUER: &str = "https://idp.test";

/// What the limits of time are in these tests.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(250);
pub(crate) const STALE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    Local,
    Strict,
}

pub(crate) const MODES: [Mode; 2] = [Mode::Local, Mode::Strict];

/// What can be revoked of [`World::token`].
pub(crate) const KINDS: [&str; 5] = ["token", "subject", "session", "client", "key"];

pub(crate) struct World {
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: ManualClock,
    pub(crate) store: TestStore,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        Self { issuer, clock, store: TestStore::new() }
    }

    pub(crate) fn trusted(&self) -> Issuer {
        self.issuer.trusted()
    }

    pub(crate) fn revocations(&self, mode: Mode) -> Revocations {
        let revocations = Revocations::new(self.store.clone());
        match mode {
            Mode::Local => revocations,
            Mode::Strict => revocations.strict(),
        }
    }

    pub(crate) fn builder(&self, mode: Mode) -> AuthenticatorBuilder {
        self.builder_of(self.trusted(), self.revocations(mode))
    }

    pub(crate) fn builder_of(
        &self,
        issuer: Issuer,
        revocations: Revocations,
    ) -> AuthenticatorBuilder {
        Authenticator::builder()
            .issuer(issuer)
            .audience(AUDIENCE)
            .clock(self.clock.clone())
            .revocations(revocations)
    }

    /// An engine that knows what was revoked.
    pub(crate) async fn ready(&self, mode: Mode) -> Authenticator {
        let auth = self.builder(mode).build().unwrap();
        auth.ready().await.unwrap();
        auth
    }

    /// A token of alice's that has all that it can be revoked by.
    pub(crate) fn token(&self) -> TokenBuilder {
        let token = self.issuer.token().subject("alice").audience(AUDIENCE);
        token.claim("jti", "t1").claim("sid", "s1").claim("client_id", "c1")
    }

    /// An entry that revokes [`token`](Self::token).
    pub(crate) fn entry(&self, kind: &str) -> Revocation {
        let now = NumericDate::from_seconds(NOW);
        let revoked = match kind {
            "token" => Revoked::Token("t1".into()),
            "subject" => Revoked::Subject("alice".into(), now),
            "session" => Revoked::Session("s1".into()),
            "client" => Revoked::Client("c1".into(), now),
            _ => Revoked::Key(self.thumbprint().into()),
        };
        Revocation::new(ISSUER, revoked)
    }

    /// The thumbprint of the key that signs.
    pub(crate) fn thumbprint(&self) -> String {
        let key = self.issuer.key(Algorithm::ES256).verification_key().unwrap();
        key.thumbprint().unwrap().to_owned()
    }

    /// Returns what comes of a token.
    pub(crate) async fn judge(&self, auth: &Authenticator, token: &str) -> &'static str {
        let judged = self.patiently(auth.authenticate_token(token)).await;
        judged.map_or_else(|error| error.kind().code(), |_| "ok")
    }

    /// Waits for something, and lets time go by for as long as it waits.
    pub(crate) async fn patiently<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        for _ in 0..10_000 {
            if let Poll::Ready(value) = poll_once(&mut future).await {
                return value;
            }
            tokio::task::yield_now().await;
            self.clock.advance(Duration::from_millis(1));
        }
        future.await
    }

    /// Lets time go by until a token is judged like this.
    pub(crate) async fn until(&self, auth: &Authenticator, token: &str, expected: &str) {
        for _ in 0..2_000 {
            if self.judge(auth, token).await == expected {
                return;
            }
            self.pass(Duration::from_millis(100)).await;
        }
        assert_eq!(self.judge(auth, token).await, expected);
    }

    /// Lets time go by, in steps, so that tasks run meanwhile.
    pub(crate) async fn pass(&self, duration: Duration) {
        let step = Duration::from_millis(100);
        let mut left = duration;
        while !left.is_zero() {
            let next = left.min(step);
            self.clock.advance(next);
            left = left.saturating_sub(next);
            settle().await;
        }
    }
}

/// Lets other tasks run.
pub(crate) async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx))).await
}
