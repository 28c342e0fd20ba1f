//! Token exchange: the rules, without a framework and by a clock that the test moves.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[path = "exchange/clients.rs"]
mod clients;
#[path = "exchange/decisions.rs"]
mod decisions;
#[path = "exchange/delegation.rs"]
mod delegation;
#[path = "exchange/forms.rs"]
mod forms;
#[path = "exchange/lifetimes.rs"]
mod lifetimes;
#[path = "exchange/once.rs"]
mod once;
#[path = "exchange/sources.rs"]
mod sources;
#[path = "exchange/tokens.rs"]
mod tokens;
#[path = "exchange/world.rs"]
mod world;
