//! The rules of the key cache, one test for each, on a clock that the tests move.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[path = "keys/support.rs"]
mod support;

#[path = "keys/certificate.rs"]
mod certificate;
#[path = "keys/clock_steps.rs"]
mod clock_steps;
#[path = "keys/discovery.rs"]
mod discovery;
#[path = "keys/files.rs"]
mod files;
#[path = "keys/flood.rs"]
mod flood;
#[path = "keys/gauges.rs"]
mod gauges;
#[path = "keys/grpc.rs"]
mod grpc;
#[path = "keys/headers.rs"]
mod headers;
#[path = "keys/labels.rs"]
mod labels;
#[path = "keys/lifecycle.rs"]
mod lifecycle;
#[path = "keys/lookup.rs"]
mod lookup;
#[path = "keys/outage.rs"]
mod outage;
#[path = "keys/refresh.rs"]
mod refresh;
#[path = "keys/replaced.rs"]
mod replaced;
#[path = "keys/service.rs"]
mod service;
#[path = "keys/unknown.rs"]
mod unknown;
#[path = "keys/wire.rs"]
mod wire;
