//! Replicas are processes of their own, and share one store: a SQLite file, a PostgreSQL or a Redis server.
//!
//! The tests kill processes as a crash does. That does not test a loss of power.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the tests report what they measured, and stop where they cannot go on"
)]

mod child;
mod cut;
mod kill;
mod program;
mod propagation;
mod proxy;
mod replica;
mod rotation;
mod shared;
