//! Krishiv's rules, each over a socket. The names begin with the section of the rule.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is no test function here runs in tests alone"
)]
#![cfg_attr(
    feature = "interop",
    expect(clippy::print_stdout, reason = "`cargo xtask test` reads what was tested")
)]

#[cfg(feature = "interop")]
mod browser;
#[cfg(feature = "interop")]
#[path = "../../../../../tests/tests/browser/chromium.rs"]
mod chromium;
mod claims;
mod decisions;
#[cfg(feature = "interop")]
mod devtools;
mod extraction;
#[cfg(feature = "interop")]
mod grpcio;
mod keys;
#[cfg(feature = "interop")]
mod looks;
mod outage;
mod page;
mod program;
mod rejections;
mod reload;
mod roles;
mod server;
