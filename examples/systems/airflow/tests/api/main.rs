//! Airflow's rules, each over a socket. The names begin with the section of the rule.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]
#![cfg_attr(
    feature = "interop",
    expect(clippy::panic, reason = "a test that cannot go on stops there")
)]

#[cfg(feature = "interop")]
mod classes;
mod core_api;
mod execution_api;
mod keys;
#[cfg(feature = "interop")]
mod oracle;
mod program;
mod revocation;
mod server;
