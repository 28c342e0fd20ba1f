//! What was removed, replaced or revoked while a request waited is not accepted afterwards, in whatever
//! order the tasks go on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod keys;
mod reload;
mod resolver;
mod revocations;
mod static_tokens;
mod tenants;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use interleaving::Steps;
use portcullis::{AuthErrorKind, Authenticator, clock::Clock};
use portcullis_testkit::ManualClock;

const ISSUER: &str = "https://idp.test";
const AUDIENCE: &str = "api";

/// When something was over: the step of a run.
#[derive(Clone, Debug)]
struct Moment {
    steps: Steps,
    clock: ManualClock,
    step: Arc<AtomicU64>,
}

impl Moment {
    fn new(steps: Steps, clock: ManualClock) -> Self {
        Self { steps, clock, step: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Waits for a short while.
    async fn pause(&self) {
        self.clock.sleep(Duration::from_millis(1)).await;
    }

    /// Notes that it is over.
    fn is_now(&self) {
        self.step.store(self.steps.now(), Ordering::SeqCst);
    }

    /// Judges a token, which must not be accepted if it was over before the request began, or before the
    /// request went on after its last wait.
    async fn judge_after(&self, auth: &Authenticator, token: &str) -> Result<(), AuthErrorKind> {
        let began = self.steps.now();
        let judged = judge(auth, token).await;
        let went_on = self.steps.resumed().max(began);
        let over = self.step.load(Ordering::SeqCst);
        assert!(
            judged.is_err() || over > went_on,
            "accepted at step {went_on}, though it was over at step {over}"
        );
        judged
    }

    /// Waits until the engine has loaded what it needs.
    async fn wait_until_accepted(&self, auth: &Authenticator, token: &str) {
        while judge(auth, token).await.is_err() {
            self.pause().await;
        }
    }

    /// Judges a token, which must not be accepted if it was over before the request began.
    async fn judge_begun_after(&self, auth: &Authenticator, token: &str) {
        let was_over = self.step.load(Ordering::SeqCst) != u64::MAX;
        let judged = judge(auth, token).await;
        assert!(judged.is_err() || !was_over, "accepted, though it was over before the request");
    }
}

async fn judge(auth: &Authenticator, token: &str) -> Result<(), AuthErrorKind> {
    auth.authenticate_token(token).await.map(drop).map_err(|error| error.kind())
}
