//! Notices when a function of the application reads a part of a grant that is not known.
//!
//! `Grant::is_in_group` returns a `bool`, which cannot say "unknown", and the engine cannot look into a
//! closure. So each such read is counted, per thread, and the code that calls the closure compares the count
//! before and after. A grant whose parts are all known counts nothing.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
};

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// Counts one read of a part that is not known.
#[cold]
pub(crate) fn count() {
    READS.set(READS.get().wrapping_add(1));
}

/// Calls a function, and returns whether it read a part of a grant that is not known.
#[inline]
pub(crate) fn watch<T>(function: impl FnOnce() -> T) -> (T, bool) {
    let before = READS.get();
    let value = function();
    (value, READS.get() != before)
}

/// Does the same for a future, whose polls may run on several threads.
pub(crate) struct Watched<F> {
    future: F,
    has_read: bool,
}

impl<F> Watched<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future, has_read: false }
    }
}

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = (F::Output, bool);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (poll, has_read) = watch(|| Pin::new(&mut self.future).poll(cx));
        self.has_read |= has_read;
        poll.map(|output| (output, self.has_read))
    }
}
