//! Sessions in cookies, over real connections to axum and actix-web: both must answer alike.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[path = "sessions/attributes.rs"]
mod attributes;
#[path = "sessions/concurrent.rs"]
mod concurrent;
#[expect(dead_code, reason = "it is the client of the tests of endpoints, which send bodies too")]
#[path = "endpoints/http.rs"]
mod http;
#[path = "sessions/invalid.rs"]
mod invalid;
#[path = "sessions/logout.rs"]
mod logout;
#[path = "sessions/refresh.rs"]
mod refresh;
#[path = "sessions/renewal.rs"]
mod renewal;
#[path = "sessions/servers.rs"]
mod servers;
#[path = "sessions/store.rs"]
mod store;
#[path = "sessions/world.rs"]
mod world;
