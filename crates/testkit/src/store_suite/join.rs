//! Several futures at once, without a runtime: the suite runs under any.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

/// Polls all futures until each has returned, and returns their values in order.
pub(super) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut entries: Vec<Entry<F>> =
        futures.into_iter().map(|future| Entry::Running(Box::pin(future))).collect();
    poll_fn(move |cx| {
        let mut is_done = true;
        for entry in &mut entries {
            is_done &= entry.poll(cx);
        }
        if !is_done {
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(&mut entries).into_iter().filter_map(Entry::value).collect())
    })
    .await
}

/// Polls a future this many times, and drops it then. Returns whether it returned before.
///
/// A poll follows when the future wakes its task, as a runtime does it.
pub(super) async fn drop_after_polls<F: Future>(future: F, polls: usize) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Lets the other futures be polled.
pub(super) async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

enum Entry<F: Future> {
    Running(Pin<Box<F>>),
    Done(F::Output),
}

impl<F: Future> Entry<F> {
    /// Returns whether the future has returned.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if let Self::Running(future) = self {
            let Poll::Ready(value) = future.as_mut().poll(cx) else { return false };
            *self = Self::Done(value);
        }
        true
    }

    fn value(self) -> Option<F::Output> {
        match self {
            Self::Running(_) => None,
            Self::Done(value) => Some(value),
        }
    }
}
