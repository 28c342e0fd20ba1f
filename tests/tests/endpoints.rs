//! The endpoints that revoke tokens, over real connections to axum and actix-web: both must answer alike.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[path = "endpoints/backchannel_logout.rs"]
mod backchannel_logout;
#[path = "endpoints/forms.rs"]
mod forms;
#[path = "endpoints/http.rs"]
mod http;
#[path = "endpoints/logout.rs"]
mod logout;
#[path = "endpoints/revoke.rs"]
mod revoke;
#[path = "endpoints/servers.rs"]
mod servers;
#[path = "endpoints/store.rs"]
mod store;
#[path = "endpoints/world.rs"]
mod world;
