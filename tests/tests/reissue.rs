//! Tokens that are reissued after the handler, over real connections to axum and actix-web: both must do alike.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[path = "reissue/callers.rs"]
mod callers;
#[path = "reissue/during.rs"]
mod during;
#[path = "endpoints/http.rs"]
#[expect(dead_code, reason = "other tests send forms")]
mod http;
#[path = "reissue/own.rs"]
mod own;
#[path = "reissue/responses.rs"]
mod responses;
#[path = "reissue/servers.rs"]
mod servers;
#[path = "reissue/sessions.rs"]
mod sessions;
#[path = "revocations/store.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod store;
#[path = "reissue/times.rs"]
mod times;
#[path = "reissue/world.rs"]
mod world;
