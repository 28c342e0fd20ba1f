//! Signing keys that replicas share by a store in memory. Time is that of tokio, which tests set.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

mod encryption;
mod outage;
mod panicking;
mod replica;
mod rotation;
mod settings;
