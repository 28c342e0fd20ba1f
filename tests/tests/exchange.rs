//! Token exchange over real connections to axum and actix-web: both must answer alike. The rules are tested in
//! `portcullis-mint`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[path = "exchange/away.rs"]
mod away;
#[path = "exchange/forms.rs"]
mod forms;
#[expect(dead_code, reason = "shared with the endpoints of revocation")]
#[path = "endpoints/http.rs"]
mod http;
#[path = "exchange/own_client.rs"]
mod own_client;
#[path = "exchange/replicas.rs"]
mod replicas;
#[path = "exchange/servers.rs"]
mod servers;
#[path = "exchange/world.rs"]
mod world;
