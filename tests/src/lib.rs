//! What all conformance tests share: requests, rows of tables, and the table of hostile tokens.
//!
//! A row says what is done, what attack it stands for, and what must come of it. A table is judged
//! as a whole, so that one run shows every row that fails.

#![expect(
    clippy::expect_used,
    clippy::exhaustive_structs,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "only tests use this crate, and they should stop where they cannot be set up"
)]

pub mod hostile;
#[cfg(feature = "interop")]
pub mod provider;
pub mod public_key;
pub mod rejections;
mod request;
mod row;
mod setting;

pub use request::Request;
pub use row::{Input, Outcome, Row, TableReport};
pub use setting::{AUDIENCE, LEEWAY, NOW, Setting, compact, encode, trusting};

// Compiles the README's examples as tests, here where all frameworks are at hand.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

// Compiles the examples of that page as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/token-exchange.md")]
struct TokenExchange;

// Runs the examples of that page as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/issuing.md")]
struct Issuing;

// Compiles the examples of that page as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/outgoing.md")]
struct Outgoing;

// Compiles the examples of both frameworks as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sessions.md")]
struct Sessions;

// Compiles the recipe's example as a test.
#[cfg(all(doctest, feature = "interop"))]
#[doc = include_str!("../../docs/mcp.md")]
struct Recipe;
