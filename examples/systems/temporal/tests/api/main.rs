//! Temporal's rules, each over a socket. The names begin with the section of the rule.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]
#![cfg_attr(
    feature = "interop",
    expect(clippy::panic, reason = "a test that cannot go on stops there")
)]

mod claims;
mod decisions;
mod extraction;
mod keys;
mod messages;
mod permissions;
mod program;
mod rejections;
#[cfg(feature = "interop")]
mod sdk;
mod server;
mod token;
