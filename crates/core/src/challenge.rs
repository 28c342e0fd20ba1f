//! The challenge sent to a rejected client, as plain data.

use std::{sync::Arc, time::Duration};

use crate::{ConfigError, Principal, error::StepUp};

/// How long a parameter's value may get, in bytes.
const MAX_VALUE_LEN: usize = 256;

/// What a rejected client may see: status, `WWW-Authenticate`, retry hint and code.
///
/// It is made from an [`AuthError`](crate::AuthError), and has nothing of the token or of the
/// configuration that the client did not know. A [`Rejection`](crate::Rejection) has the rest.
///
/// # Examples
///
/// ```
/// use portcullis::{AuthError, AuthErrorKind, adapter::Challenge};
///
/// let challenge = Challenge::from(&AuthError::from(AuthErrorKind::TokenExpired));
/// assert_eq!(challenge.status(), 401);
/// assert_eq!(
///     challenge.www_authenticate().unwrap(),
///     r#"Bearer error="invalid_token", error_description="the token has expired""#
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Challenge {
    pub(crate) code: &'static str,
    pub(crate) status: u16,
    /// The error code of RFC 6750, if the rejection has one.
    pub(crate) error: Option<&'static str>,
    pub(crate) description: Option<&'static str>,
    /// Whether the caller is asked to authenticate.
    pub(crate) asks: bool,
    pub(crate) scope: Option<Arc<str>>,
    pub(crate) step_up: Option<Arc<StepUp>>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) settings: Arc<ChallengeSettings>,
    /// Where it is not the one that goes with the status.
    pub(crate) grpc_status: Option<u8>,
}

/// What challenges name of the service itself.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ChallengeSettings {
    pub(crate) realm: Option<String>,
    pub(crate) resource_metadata: Option<String>,
}

impl ChallengeSettings {
    /// Checks that nothing would be cut or dropped on the way out.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let texts = [("realm", &self.realm), ("resource_metadata", &self.resource_metadata)];
        for (setting, text) in texts {
            let arrives = |text: &String| {
                text.len() <= MAX_VALUE_LEN && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            };
            if !text.as_ref().is_none_or(arrives) {
                return Err(ConfigError::InvalidChallengeText { setting });
            }
        }
        Ok(())
    }
}

impl Challenge {
    /// Answers with another HTTP status. One that is none of an error becomes 500: a rejection never looks
    /// like success.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        let status = if (400..600).contains(&status) { status } else { 500 };
        Self { status, ..self }
    }

    /// Answers with another HTTP status where the client is at fault (4xx), so that all of its faults
    /// look the same; where the service is (5xx) nothing changes. A status that is not 4xx becomes 401.
    #[must_use]
    pub fn with_client_status(self, status: u16) -> Self {
        if self.status >= 500 {
            return self;
        }
        let status = if (400..500).contains(&status) { status } else { 401 };
        Self { status, ..self }
    }

    /// Answers with another gRPC status code. Default: the one that goes with the HTTP status. Zero,
    /// which means success, becomes 2 (`UNKNOWN`).
    #[must_use]
    pub fn with_grpc_status(self, code: u8) -> Self {
        Self { grpc_status: Some(if code == 0 { 2 } else { code }), ..self }
    }

    /// Answers without `WWW-Authenticate`.
    #[must_use]
    pub fn without_www_authenticate(self) -> Self {
        Self { asks: false, ..self }
    }

    /// Returns the gRPC status code: 16 for 401, 3 for 400, 7 for 403, 14 for 503, 13 for 500, and 2 for
    /// others.
    #[must_use]
    pub fn grpc_status(&self) -> u8 {
        self.grpc_status.unwrap_or(match self.status {
            400 => 3,
            401 => 16,
            403 => 7,
            500 => 13,
            503 => 14,
            _ => 2,
        })
    }

    /// Returns the stable code of the rejection, such as `token_expired`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the HTTP status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the error code of [RFC 6750 §3.1] or [RFC 9470 §3], if there is one: none if no
    /// credentials came, none for a token that was not judged, and none for a fault of the service.
    ///
    /// [RFC 6750 §3.1]: https://www.rfc-editor.org/rfc/rfc6750#section-3.1
    /// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        self.error
    }

    /// Returns after what time a retry makes sense, in the `Retry-After` header.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the value of the `WWW-Authenticate` header ([RFC 6750 §3], [RFC 9470 §3]): visible
    /// ASCII and spaces. `None` where the rejection is no matter of credentials.
    ///
    /// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
    /// [RFC 6750 §3]: https://www.rfc-editor.org/rfc/rfc6750#section-3
    #[must_use]
    pub fn www_authenticate(&self) -> Option<String> {
        if !self.asks {
            return None;
        }
        let mut value = String::from("Bearer");
        let acr_values = self.step_up.as_ref().and_then(|step_up| step_up.acr_values.as_deref());
        let max_age = self.step_up.as_ref().and_then(|step_up| step_up.max_age);
        let max_age = max_age.map(|max_age| max_age.as_secs().to_string());
        let parameters = [
            ("realm", self.settings.realm.as_deref()),
            ("error", self.error),
            ("error_description", self.description),
            ("scope", self.scope.as_deref().and_then(whole_tokens)),
            ("acr_values", acr_values.and_then(whole_tokens)),
            ("max_age", max_age.as_deref()),
            ("resource_metadata", self.settings.resource_metadata.as_deref()),
        ];
        let mut separator = " ";
        for (name, parameter) in parameters {
            if let Some(parameter) = parameter {
                value.push_str(separator);
                value.push_str(name);
                value.push('=');
                push_quoted(&mut value, parameter);
                separator = ", ";
            }
        }
        Some(value)
    }

    /// Returns a body of type `application/problem+json` ([RFC 9457 §3]): `type`, `title`,
    /// `status`, and our member `code`.
    ///
    /// [RFC 9457 §3]: https://www.rfc-editor.org/rfc/rfc9457#section-3
    #[must_use]
    pub fn problem_json(&self) -> String {
        format!(
            r#"{{"type":"about:blank","title":"{}","status":{},"code":"{}"}}"#,
            title(self.status),
            self.status,
            self.code
        )
    }
}

/// Cuts a list with spaces between that is too long, between two of its tokens. `None` if nothing
/// is left.
fn whole_tokens(list: &str) -> Option<&str> {
    if list.len() <= MAX_VALUE_LEN {
        return Some(list).filter(|list| !list.is_empty());
    }
    let fits = list.char_indices().take_while(|(at, _)| *at <= MAX_VALUE_LEN);
    let cut = fits.filter(|(_, c)| *c == ' ').last().map_or(0, |(at, _)| at);
    list.get(..cut).filter(|list| !list.is_empty())
}

/// Adds a quoted string ([RFC 9110 §5.6.4]). Control and non-ASCII characters are dropped, and what
/// is too long is cut, so that no configured text and no claim can add a parameter or a line.
///
/// [RFC 9110 §5.6.4]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.4
fn push_quoted(out: &mut String, value: &str) {
    out.push('"');
    for character in value.chars().filter(|c| matches!(c, ' '..='~')).take(MAX_VALUE_LEN) {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

impl Principal {
    /// Returns the realm and the metadata URL of the engine that made this caller.
    #[must_use]
    pub fn challenge_settings(&self) -> &Arc<ChallengeSettings> {
        &self.origin().engine().challenge
    }

    /// Tells whether this engine makes grants of this type.
    #[must_use]
    pub fn is_grant_type<G: 'static>(&self) -> bool {
        self.origin().engine().grant_type_id == std::any::TypeId::of::<G>()
    }

    /// Returns the name of the type of grants that this engine makes, for messages.
    #[must_use]
    pub fn grant_type_name(&self) -> &'static str {
        self.origin().engine().grant_type
    }
}

/// The phrase of a status that a rejection may have ([RFC 9110 §15]).
///
/// [RFC 9110 §15]: https://www.rfc-editor.org/rfc/rfc9110#section-15
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        other if other < 500 => "Client Error",
        _ => "Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthError, AuthErrorKind};

    #[test]
    fn values_cannot_break_out_of_their_quotes() {
        let settings = ChallengeSettings {
            realm: Some("a\"b\\c\r\nSet-Cookie: x=1, realm=\"z\"ä".to_owned()),
            resource_metadata: Some("https://x/".repeat(100)),
        };
        let error = AuthError::insufficient_scope("a b");
        let challenge = Challenge::new(&error, Arc::new(settings));
        let expected = format!(
            r#"Bearer realm="a\"b\\cSet-Cookie: x=1, realm=\"z\"", error="insufficient_scope", error_description="a scope is missing", scope="a b", resource_metadata="{}""#,
            "https://x/".repeat(100).get(..MAX_VALUE_LEN).unwrap()
        );
        assert_eq!(challenge.www_authenticate().unwrap(), expected);
    }

    #[test]
    fn a_status_for_faults_of_clients_leaves_faults_of_the_service_as_they_are() {
        for (kind, status, expected) in [
            (AuthErrorKind::MalformedRequest, 401, 401),
            (AuthErrorKind::NotPermitted, 404, 404),
            (AuthErrorKind::TokenExpired, 200, 401),
            (AuthErrorKind::TokenExpired, 503, 401),
            (AuthErrorKind::KeysUnavailable, 401, 503),
            (AuthErrorKind::InternalError, 401, 500),
        ] {
            let challenge = Challenge::from(&AuthError::from(kind)).with_client_status(status);
            assert_eq!(challenge.status(), expected, "{kind:?} {status}");
        }
    }

    #[test]
    fn every_kind_has_a_challenge_that_tells_no_more_than_its_code() {
        for &kind in AuthErrorKind::ALL {
            let challenge = Challenge::from(&AuthError::from(kind));
            let body = challenge.problem_json();
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body["status"], challenge.status());
            assert_eq!(body["code"], kind.code());
            assert_eq!(body.as_object().unwrap().len(), 4);
            match challenge.status() {
                400 => assert_eq!(challenge.error(), Some("invalid_request")),
                401 if matches!(
                    kind,
                    AuthErrorKind::NoCredentials | AuthErrorKind::IssuerNotLookedUp
                ) =>
                {
                    assert_eq!(challenge.www_authenticate().as_deref(), Some("Bearer"));
                }
                401 => assert!(challenge.error().is_some()),
                403 if matches!(
                    kind,
                    AuthErrorKind::ClaimNotIncluded | AuthErrorKind::CrossSiteRequest
                ) =>
                {
                    assert_eq!((challenge.error(), challenge.www_authenticate()), (None, None));
                }
                403 => assert_eq!(challenge.error(), Some("insufficient_scope")),
                503 => {
                    assert!(challenge.retry_after().is_some());
                    assert_eq!(challenge.www_authenticate(), None);
                }
                500 => {
                    assert_eq!(kind, AuthErrorKind::InternalError);
                    assert_eq!(challenge.www_authenticate(), None);
                    assert_eq!(challenge.retry_after(), None);
                }
                other => panic!("{kind:?} has status {other}"),
            }
        }
    }
}
