//! The parameters of a request ([RFC 8693 §2.1], [RFC 8707 §2]).
//!
//! [RFC 8693 §2.1]: https://www.rfc-editor.org/rfc/rfc8693#section-2.1
//! [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2

use portcullis::{adapter::Form, grant::Scope};

use super::{ExchangeRefusal, refusal::Failure};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The parameters that may be there more than once (RFC 8693 §2.1).
const REPEATABLE: [&str; 2] = ["audience", "resource"];

/// How many targets a request may name.
const MAX_TARGETS: usize = 16;

/// The parameters of one request, whose syntax is right.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    pub(super) subject_token: &'a str,
    pub(super) actor_token: Option<&'a str>,
    /// The type that the client wants, and gets.
    pub(super) issued_token_type: &'static str,
    pub(super) requested: Requested,
}

/// What a client requests of the token that it gets.
#[derive(Clone, Debug, Default)]
pub(super) struct Requested {
    pub(super) scope: Option<Scope>,
    pub(super) audiences: Vec<String>,
    pub(super) resources: Vec<String>,
}

/// Checks that no parameter is there twice that must not be ([RFC 6749 §3.2]).
///
/// [RFC 6749 §3.2]: https://www.rfc-editor.org/rfc/rfc6749#section-3.2
pub(super) fn check_unique(form: &Form) -> Result<(), Failure> {
    form.check_unique(&REPEATABLE).map_err(|_| Failure::InvalidRequest("a parameter is repeated"))
}

impl<'a> Parameters<'a> {
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// What [RFC 6749 §5.2], [RFC 8693 §2.2.2] and [RFC 8707 §2] say.
    ///
    /// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    /// [RFC 8693 §2.2.2]: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2
    /// [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
    pub(super) fn read(form: &'a Form) -> Result<Self, Failure> {
        match form.get("grant_type") {
            Some(GRANT_TYPE) => {}
            Some(_) => return Err(Failure::UnsupportedGrantType),
            None => return Err(Failure::InvalidRequest("`grant_type` is missing")),
        }
        let subject_token = form
            .get("subject_token")
            .ok_or(Failure::InvalidRequest("`subject_token` is missing"))?;
        let subject_type = form
            .get("subject_token_type")
            .ok_or(Failure::InvalidRequest("`subject_token_type` is missing"))?;
        supported(subject_type)
            .ok_or(Failure::InvalidRequest("`subject_token_type` is not supported"))?;
        Ok(Self {
            subject_token,
            actor_token: actor_token(form)?,
            issued_token_type: issued_token_type(form)?,
            requested: Requested {
                scope: scope(form)?,
                audiences: targets(form.all("audience"))?,
                resources: resources(form)?,
            },
        })
    }
}

fn supported(token_type: &str) -> Option<&'static str> {
    [ACCESS_TOKEN, JWT].into_iter().find(|own| *own == token_type)
}

fn actor_token(form: &Form) -> Result<Option<&str>, Failure> {
    match (form.get("actor_token"), form.get("actor_token_type")) {
        (None, None) => Ok(None),
        (Some(token), Some(token_type)) => match supported(token_type) {
            Some(_) => Ok(Some(token)),
            None => Err(Failure::InvalidRequest("`actor_token_type` is not supported")),
        },
        (Some(_), None) => Err(Failure::InvalidRequest("`actor_token_type` is missing")),
        (None, Some(_)) => {
            Err(Failure::InvalidRequest("`actor_token_type` is there without `actor_token`"))
        }
    }
}

fn issued_token_type(form: &Form) -> Result<&'static str, Failure> {
    let Some(requested) = form.get("requested_token_type") else { return Ok(ACCESS_TOKEN) };
    supported(requested).ok_or(Failure::InvalidRequest("`requested_token_type` is not supported"))
}

fn scope(form: &Form) -> Result<Option<Scope>, Failure> {
    let Some(text) = form.get("scope") else { return Ok(None) };
    if is_scope(text) { Ok(Some(text.into())) } else { Err(ExchangeRefusal::InvalidScope.into()) }
}

/// Returns whether a text is a `scope` ([RFC 6749 §3.3]): scope tokens with one space between them.
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
pub(super) fn is_scope(text: &str) -> bool {
    let is_token_byte = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    text.split(' ').all(|token| !token.is_empty() && token.bytes().all(is_token_byte))
}

fn resources(form: &Form) -> Result<Vec<String>, Failure> {
    let resources = targets(form.all("resource"))?;
    if resources.iter().all(|resource| is_absolute_uri(resource)) {
        Ok(resources)
    } else {
        Err(ExchangeRefusal::InvalidTarget.into())
    }
}

fn targets<'a>(values: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Failure> {
    let targets: Vec<_> = values.map(ToOwned::to_owned).collect();
    if targets.len() > MAX_TARGETS {
        Err(ExchangeRefusal::InvalidTarget.into())
    } else {
        Ok(targets)
    }
}

/// Returns whether a text is an `absolute-URI` ([RFC 3986 §4.3]), which has no fragment. Its parts are not
/// looked at: targets are compared as texts.
///
/// [RFC 3986 §4.3]: https://www.rfc-editor.org/rfc/rfc3986#section-4.3
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_uri_byte = |byte: u8| byte.is_ascii_graphic() && !br##""#<>\^`{|}"##.contains(&byte);
    is_scheme && !rest.is_empty() && rest.bytes().all(is_uri_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_an_absolute_uri_without_a_fragment() {
        for good in
            ["https://api.example.com", "https://a/b?c=d", "urn:example:orders", "a+b-c.1:x"]
        {
            assert!(is_absolute_uri(good), "{good}");
        }
        for bad in [
            "",
            "orders",
            "/orders",
            "//a/b",
            ":x",
            "1a:x",
            "https:",
            "https://a#",
            "https://a#b",
            "https://a b",
            "https://ä",
            "https://a\"",
            "a b:c",
            "https://a\n",
        ] {
            assert!(!is_absolute_uri(bad), "{bad}");
        }
    }

    #[test]
    fn a_scope_is_tokens_with_one_space_between_them() {
        for good in ["a", "a b", "orders:read !#[]~"] {
            assert!(is_scope(good), "{good}");
        }
        for bad in ["", " ", " a", "a ", "a  b", "a\tb", "a\"", "a\\b", "ä", "a\n"] {
            assert!(!is_scope(bad), "{bad:?}");
        }
    }
}
