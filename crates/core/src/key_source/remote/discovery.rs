//! The metadata that an issuer publishes: OpenID Connect Discovery 1.0 §4 and [RFC 8414].
//!
//! [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414

use serde::Deserialize;

use super::{FetchResponse, KeySourceError, location::Location, unexpected_status};
use crate::json::Object;

/// What counts of the metadata: the issuer, and where something is.
pub(super) trait Metadata: for<'de> Deserialize<'de> {
    fn issuer(&self) -> &str;

    /// Returns the URL that is looked for.
    fn place(&self) -> &str;
}

#[derive(Debug, Deserialize)]
pub(super) struct KeyMetadata {
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
}

impl Metadata for KeyMetadata {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn place(&self) -> &str {
        &self.jwks_uri
    }
}

/// Finds the metadata of an issuer in one of the standard places, and checks that they are its own.
pub(super) async fn discover<
    M: Metadata,
    F: Future<Output = Result<FetchResponse, KeySourceError>>,
>(
    location: &Location,
    get: impl Fn(String) -> F,
) -> Result<M, KeySourceError> {
    let mut first_error = None;
    for url in location.metadata_urls()? {
        match get(url).await.and_then(|response| {
            let metadata = read(&response)?;
            location.check(&metadata)?;
            Ok(metadata)
        }) {
            Ok(metadata) => return Ok(metadata),
            // The other places are on the same server.
            Err(error) if error.has_retry_after() => return Err(error),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| KeySourceError::new("no place to look for metadata")))
}

fn read<M: Metadata>(response: &FetchResponse) -> Result<M, KeySourceError> {
    if response.status != 200 {
        return Err(unexpected_status(response).of_source("metadata"));
    }
    let unreadable =
        |reason: String| KeySourceError::new(format!("metadata cannot be read: {reason}"));
    let text = std::str::from_utf8(&response.body).map_err(|_| unreadable("no UTF-8".into()))?;
    // Readers disagree on which of two members with one name counts.
    Object::parse(text).map_err(|error| unreadable(error.reason().to_owned()))?;
    serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_repeat_a_member_are_rejected() {
        let parse = |text: &str| {
            let body = text.as_bytes().to_vec();
            read::<KeyMetadata>(&FetchResponse { status: 200, body, ..FetchResponse::default() })
        };
        let good = r#"{"issuer":"https://idp.test","jwks_uri":"https://idp.test/k","a":1"#;
        assert!(parse(&format!("{good}}}")).is_ok());
        for repeated in [
            r#""issuer":"https://evil.test""#,
            r#""jwks_uri":"https://evil.test/k""#,
            r#""jwks\u005furi":"https://evil.test/k""#,
            r#""a":1"#,
        ] {
            assert!(parse(&format!("{good},{repeated}}}")).is_err(), "{repeated}");
        }
    }
}
