//! A resolver whose look-ups wait until the test answers them.

use std::sync::{Arc, Mutex};

use portcullis::{AuthError, Issuer, strategy::Tenants};
use portcullis_testkit::ManualClock;
use tokio::sync::oneshot;

type Answer = Result<Option<Issuer>, AuthError>;

/// The look-ups that were started, in order.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<Vec<Option<oneshot::Sender<Answer>>>>>);

impl Gate {
    pub(crate) fn tenants(&self, clock: &ManualClock) -> Tenants {
        let gate = self.clone();
        Tenants::new("tenants", move |_: String| {
            let (answer, answered) = oneshot::channel();
            gate.0.lock().unwrap().push(Some(answer));
            async move { answered.await.unwrap() }
        })
        .clock(clock.clone())
    }

    /// The number of look-ups that were started.
    pub(crate) fn started(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Answers a look-up: they are counted from 0.
    pub(crate) fn answer(&self, look_up: usize, issuer: Option<Issuer>) {
        let answer = self.0.lock().unwrap().get_mut(look_up).and_then(Option::take);
        let _ = answer.expect("a look-up that waits").send(Ok(issuer));
    }
}
