//! The keys and metadata that a service publishes, over real connections to axum and actix-web: both must answer
//! alike, and the engine's own client finds the keys.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on stops there")]

#[path = "published/discover.rs"]
mod discover;
#[path = "published/responses.rs"]
mod responses;
#[path = "published/world.rs"]
mod world;
