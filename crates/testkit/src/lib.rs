//! Tests of services that Portcullis guards: an issuer with real keys, tokens that are wrong in
//! exactly one way, and a clock that stands still.
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
//! let caller = auth.authenticate_token(&token)?;
//! assert_eq!(caller.principal().subject(), "alice");
//! assert!(caller.grant().has_scope("orders:read"));
//!
//! clock.advance(std::time::Duration::from_secs(3661));
//! assert_eq!(auth.authenticate_token(&token).unwrap_err().kind().code(), "token_expired");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
mod rotating_key;
mod token;

pub use clock::ManualClock;
pub use issuer::TestIssuer;
pub use key::SigningKey;
pub use token::TokenBuilder;
