//! Names of JSON Web Signature ([RFC 7515]): algorithms and token types.
//!
//! [RFC 7515]: https://www.rfc-editor.org/rfc/rfc7515

mod algorithm;
mod token_type;

pub(crate) use algorithm::AlgorithmSet;
pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use token_type::{TokenProfile, TokenType};
