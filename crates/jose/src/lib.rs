//! Verifies and signs JSON Web Signatures: from bytes to a verified JWS ([RFC 7515]).
//!
//! It reads and makes keys ([RFC 7517], PEM, secrets, certificates), JWK Sets, thumbprints ([RFC 7638])
//! and dates ([RFC 7519 §2]), and verifies with AWS-LC. A key is parsed once and bound to its algorithms,
//! `alg` must be allowed, and `crit` and unsecured JWS are rejected ([RFC 8725]).
//!
//! What it does not do: it knows no issuer and checks no claim. A service that is given access tokens
//! needs the crate `portcullis`, which is built on this one.
//!
//! # Examples
//!
//! ```
//! use portcullis_jose::{JwkSet, JwsVerifier};
//!
//! let set = JwkSet::from_json(
//!     r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
//! )?;
//! let verifier = JwsVerifier::new(set.keys().iter().cloned())?;
//! // The example of RFC 8037 A.4.
//! let verified = verifier.verify(concat!(
//!     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.",
//!     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
//! ))?;
//! assert_eq!(verified.payload(), b"Example of Ed25519 signing");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `fips` | no | the FIPS-validated module of AWS-LC for all cryptography |
//!
//! Keys of the crate `jsonwebtoken` can be converted: `JwkSet` and `Jwk` of its module `jwk`, its
//! `DecodingKey`, and its `Algorithm`.
//!
//! [RFC 7515]: https://www.rfc-editor.org/rfc/rfc7515
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7519 §2]: https://www.rfc-editor.org/rfc/rfc7519#section-2
//! [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
//! [RFC 8725]: https://www.rfc-editor.org/rfc/rfc8725

mod algorithm;
pub mod json;
mod jwk;
pub mod jws;
mod numeric_date;
mod signing_key;
mod token_type;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use jwk::{FileError, JwkSet, JwkSetError, KeyError, SkippedKey, VerificationKey};
pub use jws::{JwsError, JwsErrorKind, JwsVerifier, VerifiedPayload};
pub use numeric_date::NumericDate;
pub use signing_key::SigningKey;
pub use token_type::TokenType;
