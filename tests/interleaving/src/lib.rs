//! Runs tasks of production code in orders drawn from seeds.
//!
//! Each task has a thread, and one of them runs at a time. At each named point of the production code
//! (`portcullis::interleave`), and where a task waits, a scheduler decides which task goes on. If all
//! tasks wait, it moves the manual clock on. So locks, atomics and primitives of tokio are the real ones,
//! and one seed gives one order.
//!
//! A failure prints its seed and the points that were passed. `PORTCULLIS_SEED=<seed>` runs that one
//! again, and `PORTCULLIS_SEEDS=<number>` runs another number of seeds than 200.

#![expect(clippy::print_stderr, reason = "a failure names its seed")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot run fails")]

mod random;
mod run;
mod scheduler;

pub use run::{Run, explore};
pub use scheduler::Steps;
