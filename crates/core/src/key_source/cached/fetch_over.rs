//! Waiting for a fetch.

use tokio::sync::watch;

use super::FetchCount;
use crate::key_source::KeyIdUse;

/// Tells when a fetch is over.
#[derive(Debug)]
pub(crate) struct FetchOver {
    pub(super) fetches: watch::Receiver<FetchCount>,
    /// The count when it was asked for.
    pub(super) before: FetchCount,
    /// The fetch had begun before it was asked for. The use of the key id by the token that waits.
    pub(super) late: Option<KeyIdUse>,
}

/// How a fetch has ended, for one who has asked for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FetchEnd {
    /// The source has answered: what it did not bring is not there.
    Answered,
    /// The source has not answered.
    Failed,
    /// The fetch had begun before it was asked for, or its task is gone: another one may bring more.
    AskAgain,
    /// The engine is gone.
    Gone,
}

impl FetchOver {
    /// Returns the use of the key id, where the fetch had begun before it was asked for.
    pub(crate) fn late(&self) -> Option<KeyIdUse> {
        self.late
    }

    /// Checks that other keys have come since it was asked for.
    pub(crate) fn brought_other_keys(&self) -> bool {
        self.fetches.borrow().changed != self.before.changed
    }

    /// Waits until a fetch is over, or will not come.
    pub(crate) async fn wait(&mut self) -> FetchEnd {
        if self.fetches.changed().await.is_err() {
            return FetchEnd::Gone;
        }
        let count = *self.fetches.borrow_and_update();
        if self.late.is_some() || count.over == self.before.over {
            FetchEnd::AskAgain
        } else if count.succeeded == self.before.succeeded {
            FetchEnd::Failed
        } else {
            FetchEnd::Answered
        }
    }
}

/// Waits until a fetch of any source is over. Returns which, and how it has ended; never returns for
/// no sources.
pub(crate) async fn any_over(sources: &mut [FetchOver]) -> (usize, FetchEnd) {
    let mut waits: Vec<_> = sources.iter_mut().map(|source| Box::pin(source.wait())).collect();
    std::future::poll_fn(|cx| {
        for (index, wait) in waits.iter_mut().enumerate() {
            if let std::task::Poll::Ready(end) = wait.as_mut().poll(cx) {
                return std::task::Poll::Ready((index, end));
            }
        }
        std::task::Poll::Pending
    })
    .await
}
