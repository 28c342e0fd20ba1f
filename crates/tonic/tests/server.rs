//! Calls to a real server over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

#[path = "server/calls.rs"]
mod calls;
#[path = "server/orders.rs"]
mod orders;
#[cfg(feature = "mint")]
#[path = "server/outgoing.rs"]
mod outgoing;
#[path = "server/readiness.rs"]
mod readiness;
#[path = "server/streams.rs"]
mod streams;
