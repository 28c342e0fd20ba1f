//! Tokens that were revoked, and tokens that may be used once: what is rejected, and what becomes of a request
//! while the store is slow or gone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

#[path = "revocations/store.rs"]
mod store;
#[path = "revocations/world.rs"]
mod world;

#[path = "revocations/build.rs"]
mod build;
#[path = "revocations/callers.rs"]
mod callers;
#[path = "revocations/explain.rs"]
mod explain;
#[path = "revocations/faults.rs"]
mod faults;
#[path = "revocations/matrix.rs"]
mod matrix;
#[path = "revocations/one_time.rs"]
mod one_time;
#[path = "revocations/other_system.rs"]
mod other_system;
#[path = "revocations/readiness.rs"]
mod readiness;
#[path = "revocations/reload.rs"]
mod reload;
#[path = "revocations/until_invalid.rs"]
mod until_invalid;
