//! The clock of the engine. Tests can replace it.

use std::{
    fmt::Debug,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::NumericDate;

/// Tells the engine what time it is.
///
/// Time is a value that the engine reads once for each request, so that all checks of one token
/// agree. Tests bring a clock of their own.
pub trait Clock: Debug + Send + Sync {
    /// Returns the current time.
    fn now(&self) -> NumericDate;

    /// Waits for a while: for whatever has a time limit, and for the tasks that refresh keys.
    ///
    /// A clock of a test waits until the test moves it on. The default waits in real time.
    fn sleep(&self, duration: Duration) -> crate::BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    /// Waits until this time has come.
    fn sleep_until(&self, deadline: NumericDate) -> crate::BoxFuture<'_, ()> {
        self.sleep(deadline.saturating_since(self.now()))
    }
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> NumericDate {
        // A clock before 1970 is a broken machine. At the epoch a token with `nbf` or `iat` lies in
        // the future and is rejected.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        NumericDate::EPOCH.saturating_add(since_epoch)
    }
}
