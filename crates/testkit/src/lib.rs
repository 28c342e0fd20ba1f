//! Tests of services that Portcullis guards: an issuer with real keys, tokens that are wrong in
//! exactly one way, a clock that stands still, and a server of keys that fails as it is told.
//!
//! # Examples
//!
//! ```
//! use portcullis::{Authenticator, NumericDate};
//! use portcullis_testkit::{ManualClock, TestIssuer};
//!
//! let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
//! let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
//! let auth = Authenticator::builder()
//!     .issuer(issuer.trusted())
//!     .audience("orders")
//!     .clock(clock.clone())
//!     .build()?;
//!
//! let token = issuer.token().subject("alice").audience("orders").scope("orders:read").build();
//! let caller = auth.authenticate_token_now(&token)?;
//! assert_eq!(caller.principal().subject(), "alice");
//! assert!(caller.grant().has_scope("orders:read"));
//!
//! clock.advance(std::time::Duration::from_secs(3661));
//! assert_eq!(auth.authenticate_token_now(&token).unwrap_err().kind().code(), "token_expired");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`KeyServer`] serves the keys of an issuer over real sockets, to try what a service makes of
//! new keys, of errors, and of answers that are slow, endless or not there.
//!
//! Everything here is for tests: functions panic where a test could not go on.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot make its keys should stop there"
)]

mod clock;
mod issuer;
mod key;
mod key_server;
#[cfg(feature = "mint")]
mod memory_key_store;
mod rotating_key;
pub mod store_suite;
mod token;

pub use clock::ManualClock;
pub use issuer::TestIssuer;
pub use key::SigningKey;
pub use key_server::{KeyServer, RecordedRequest, Reply};
#[cfg(feature = "mint")]
pub use memory_key_store::MemoryKeyStore;
pub use token::TokenBuilder;
