//! The metadata that an issuer publishes: OpenID Connect Discovery 1.0 §4 and [RFC 8414].
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use serde::Deserialize;

use super::{FetchResponse, KeySourceError};

/// What counts of the metadata.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
}

impl Metadata {
    pub(super) fn read(response: &FetchResponse) -> Result<Self, KeySourceError> {
        if response.status != 200 {
            let message = format!("metadata: status {} instead of 200", response.status);
            return Err(KeySourceError::new(message));
        }
        serde_json::from_slice(&response.body)
            .map_err(|error| KeySourceError::with_source("metadata cannot be read", error))
    }
}
