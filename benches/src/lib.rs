//! The cases that are measured: for time and instructions by the program, for allocations by a test.

#![expect(clippy::expect_used, reason = "a measurement that cannot be set up stops there")]

mod cases;
mod lookups;

pub use cases::{ALGORITHMS, Case, Request, all_cases};
pub use lookups::{KEY_COUNTS, LOOKUPS, lookup_cases};
