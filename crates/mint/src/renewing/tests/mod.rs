//! Renewal by a clock that a test moves, and sources that do as they are told.

mod failures;
mod jitter;
mod minted;
mod rejected;
mod renewal;

use std::{
    collections::VecDeque,
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis::{clock::Clock, future::BoxFuture};
use portcullis_jose::NumericDate;
use tokio::sync::{Notify, Semaphore};

use super::{IssuedToken, RenewingToken, RenewingTokenBuilder, TokenSource};

const START: i64 = 1_800_000_000;

#[derive(Clone, Debug)]
struct Moved(Arc<(Mutex<NumericDate>, Notify)>);

impl Moved {
    fn new() -> Self {
        Self(Arc::new((Mutex::new(NumericDate::from_seconds(START)), Notify::new())))
    }

    /// Sets the clock to so many milliseconds after the start.
    fn set(&self, millis: i64) {
        let duration = Duration::from_millis(millis.unsigned_abs());
        let start = NumericDate::from_seconds(START);
        *self.0.0.lock().unwrap() = match millis < 0 {
            true => start.saturating_sub(duration),
            false => start.saturating_add(duration),
        };
        self.0.1.notify_waiters();
    }
}

impl Clock for Moved {
    fn now(&self) -> NumericDate {
        *self.0.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let deadline = self.now().saturating_add(duration);
        Box::pin(async move {
            loop {
                let moved = self.0.1.notified();
                if self.now() >= deadline {
                    return;
                }
                moved.await;
            }
        })
    }
}

/// What a source does when it is asked.
enum Answer {
    Token,
    Text(&'static str),
    For(Duration),
    Failure,
    Panic,
    /// Waits until the test opens the gate, and brings a token.
    Gate,
}

/// Brings `token-1`, `token-2` and so on, unless it is told otherwise.
#[derive(Clone)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            asked: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().extend(answers);
    }
}

impl TokenSource for Scripted {
    fn token(&self) -> BoxFuture<'_, Result<IssuedToken, Box<dyn Error + Send + Sync>>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Answer::Token);
        if matches!(answer, Answer::Panic) {
            panic!("as it was told");
        }
        Box::pin(async move {
            let token = IssuedToken::new(format!("token-{number}"));
            match answer {
                Answer::Text(text) => Ok(IssuedToken::new(text)),
                Answer::For(lifetime) => Ok(token.expires_in(lifetime)),
                Answer::Failure => Err("out of order".into()),
                Answer::Gate => {
                    self.gate.acquire().await?.forget();
                    Ok(token)
                }
                Answer::Token | Answer::Panic => Ok(token),
            }
        })
    }
}

fn built(builder: RenewingTokenBuilder, clock: &Moved) -> RenewingToken {
    builder.clock(clock.clone()).draw(|| 0).build().unwrap()
}

fn scripted(answers: impl IntoIterator<Item = Answer>) -> (RenewingToken, Scripted, Moved) {
    let (source, clock) = (Scripted::new(answers), Moved::new());
    (built(RenewingToken::from_source(source.clone()), &clock), source, clock)
}

/// Lets tasks run until they wait for something.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

fn text(token: &RenewingToken) -> Option<String> {
    token.current().map(|token| token.token().to_owned())
}
