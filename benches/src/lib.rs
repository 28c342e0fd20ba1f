//! The cases that are measured: for time and instructions by the program, for allocations by a test.

#![expect(clippy::expect_used, reason = "a measurement that cannot be set up stops there")]

pub mod adapters;
mod case;
mod cases;
mod guess_cases;
mod lookups;
mod peer;

pub use case::{Case, Run};
pub use cases::{ALGORITHMS, Request, all_cases};
pub use guess_cases::{GUESSED, guess_cases};
pub use lookups::{KEY_COUNTS, LOOKUPS, lookup_cases};
pub use peer::{Peer, PeerClaims};
