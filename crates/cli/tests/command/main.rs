//! The command as its users meet it: the real program, its output and its exit status.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

mod codes;
mod configuration;
mod help;
mod inspect;
mod jwks;
mod jws;
mod keys;
mod revocation;
mod serve;
mod streams;
mod support;
mod traces;
