//! Windmill's rules, each over a socket. The names begin with the section of the rule.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]
#![cfg_attr(
    feature = "interop",
    expect(clippy::panic, reason = "a test that cannot go on stops there")
)]

mod claims;
mod decisions;
mod extraction;
#[cfg(feature = "interop")]
mod fast_jwt;
mod keys;
mod program;
mod rejections;
mod server;
