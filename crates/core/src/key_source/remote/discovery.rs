//! The metadata that an issuer publishes: OpenID Connect Discovery 1.0 §4 and [RFC 8414].
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use serde::Deserialize;

use super::{FetchResponse, KeySourceError, unexpected_status};
use crate::json::Object;

/// What counts of the metadata.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
}

impl Metadata {
    pub(super) fn read(response: &FetchResponse) -> Result<Self, KeySourceError> {
        if response.status != 200 {
            return Err(unexpected_status(response).of_source("metadata"));
        }
        let unreadable =
            |reason: String| KeySourceError::new(format!("metadata cannot be read: {reason}"));
        let text =
            std::str::from_utf8(&response.body).map_err(|_| unreadable("no UTF-8".into()))?;
        // Readers disagree on which of two members with one name counts.
        Object::parse(text).map_err(|error| unreadable(error.reason().to_owned()))?;
        serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_repeat_a_member_are_rejected() {
        let read = |text: &str| {
            let body = text.as_bytes().to_vec();
            Metadata::read(&FetchResponse { status: 200, body, ..FetchResponse::default() })
        };
        let good = r#"{"issuer":"https://idp.test","jwks_uri":"https://idp.test/k","a":1"#;
        assert!(read(&format!("{good}}}")).is_ok());
        for repeated in [
            r#""issuer":"https://evil.test""#,
            r#""jwks_uri":"https://evil.test/k""#,
            r#""jwks\u005furi":"https://evil.test/k""#,
            r#""a":1"#,
        ] {
            assert!(read(&format!("{good},{repeated}}}")).is_err(), "{repeated}");
        }
    }
}
