//! The form in the body of a request ([RFC 6749 §3.2], WHATWG URL §5.1).
//!
//! [RFC 6749 §3.2]: https://www.rfc-editor.org/rfc/rfc6749#section-3.2

use std::{borrow::Cow, collections::HashSet, fmt};

use percent_encoding::percent_decode;

use super::response::{EndpointResponse, TOO_LARGE};

/// The longest form that an endpoint reads, in bytes.
const MAX_LEN: usize = 64 * 1024;

const MEDIA_TYPE: &[u8] = b"application/x-www-form-urlencoded";

/// Returns whether the values of `Content-Type` are those of a form: one field, with or without parameters.
pub(super) fn is_form(content_types: &[&[u8]]) -> bool {
    let [content_type] = content_types else { return false };
    let media_type = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(MEDIA_TYPE)
}

/// The bytes of a form, while an adapter reads them.
#[derive(Default)]
pub(super) struct FormBytes(Vec<u8>);

impl FormBytes {
    /// Adds the next piece. Never keeps more bytes than a form may have.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), EndpointResponse> {
        if self.0.len().saturating_add(piece.len()) > MAX_LEN {
            self.0 = Vec::new();
            return Err(TOO_LARGE.into());
        }
        self.0.extend_from_slice(piece);
        Ok(())
    }

    /// Returns the parameters; `None` if the form is malformed.
    pub(super) fn decode(self) -> Option<Form> {
        let pairs = self.0.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(|pair| {
            let mut parts = pair.splitn(2, |&byte| byte == b'=');
            let mut part = || decode(parts.next().unwrap_or_default());
            Some((part()?, part()?))
        });
        Some(Form { parameters: parameters.collect::<Option<_>>()? })
    }
}

/// The parameters in the body of a request to an [endpoint](super::Endpoint). `Debug` does not show them.
///
/// A parameter without a value counts as missing ([RFC 6749 §3.2]).
///
/// [RFC 6749 §3.2]: https://www.rfc-editor.org/rfc/rfc6749#section-3.2
pub struct Form {
    parameters: Vec<(String, String)>,
}

impl Form {
    /// Checks that no parameter is there twice, apart from those that may be repeated.
    ///
    /// # Errors
    ///
    /// The response: 400 with the error `invalid_request` ([RFC 6749 §5.2]).
    ///
    /// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    pub fn check_unique(&self, repeatable: &[&str]) -> Result<(), EndpointResponse> {
        let mut names = HashSet::new();
        let mut names_once =
            self.parameters.iter().filter(|(name, _)| !repeatable.contains(&name.as_str()));
        match names_once.all(|(name, _)| names.insert(name)) {
            true => Ok(()),
            false => Err(EndpointResponse::invalid_request()),
        }
    }

    /// Returns the first value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all values of a parameter.
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let found = self.parameters.iter().filter(move |(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Returns a parameter of a form that has no parameter twice.
    ///
    /// # Errors
    ///
    /// The response, as [`check_unique`](Self::check_unique), also if the parameter is missing.
    pub fn required(&self, name: &str) -> Result<&str, EndpointResponse> {
        self.check_unique(&[])?;
        self.get(name).ok_or_else(EndpointResponse::invalid_request)
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").finish_non_exhaustive()
    }
}

/// Decodes a name or a value; `None` if an escape is incomplete or the text is not UTF-8. A lenient reader
/// would keep such an escape as it is, and two readers of one form would disagree about its parameters.
fn decode(encoded: &[u8]) -> Option<String> {
    let is_escape =
        |rest: &[u8]| matches!(rest, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !encoded.split(|&byte| byte == b'%').skip(1).all(is_escape) {
        return None;
    }
    let spaced: Cow<'_, [u8]> = if encoded.contains(&b'+') {
        encoded
            .iter()
            .map(|&byte| if byte == b'+' { b' ' } else { byte })
            .collect::<Vec<_>>()
            .into()
    } else {
        encoded.into()
    };
    percent_decode(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_of(form: &str) -> Option<String> {
        let mut bytes = FormBytes::default();
        bytes.push(form.as_bytes()).unwrap();
        bytes.decode()?.required("token").ok().map(ToOwned::to_owned)
    }

    #[test]
    fn a_form_is_decoded_as_browsers_encode_it() {
        for (form, token) in [
            ("token=abc", "abc"),
            ("token=abc&token_type_hint=access_token", "abc"),
            ("other=&&token=a%2Eb+c%20d=e&", "a.b c d=e"),
            ("%74oken=x", "x"),
            ("token=gr%C3%BC%c3%9fe", "grüße"),
        ] {
            assert_eq!(token_of(form).as_deref(), Some(token), "{form}");
        }
    }

    #[test]
    fn a_form_that_two_readers_could_read_differently_is_rejected() {
        for form in [
            "",
            "token",
            "token=",
            "Token=abc",
            "other=abc",
            "token=a&token=b",
            "token=a&token=a",
            "token=a&%74oken=b",
            "token=a&token",
            "token=a&x=1&x=2",
            "token=a&x&x",
            "token=%",
            "token=%4",
            "token=%zz",
            "token=a&x=%",
            "token=%ff",
            "token=a&%ff=1",
            r#"{"token":"abc"}"#,
        ] {
            assert_eq!(token_of(form), None, "{form}");
        }
    }

    #[test]
    fn a_parameter_that_may_be_repeated_has_all_its_values() {
        let mut bytes = FormBytes::default();
        bytes.push(b"audience=a&audience=&audience=b&scope=x").unwrap();
        let form = bytes.decode().unwrap();
        assert_eq!(form.all("audience").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((form.get("scope"), form.get("resource")), (Some("x"), None));
        assert!(form.check_unique(&["audience"]).is_ok());
        assert!(form.check_unique(&["scope"]).is_err());
        assert!(form.required("scope").is_err());
    }

    #[test]
    fn a_form_of_64_kib_is_read_and_a_longer_one_is_not() {
        let mut bytes = FormBytes::default();
        bytes.push(b"token=").unwrap();
        bytes.push(&vec![b'a'; MAX_LEN - 6]).unwrap();
        let Err(EndpointResponse::Plain { status, .. }) = bytes.push(b"a") else { panic!() };
        assert_eq!(status, 413);
        let mut bytes = FormBytes::default();
        bytes.push(&[b"token=".as_slice(), &vec![b'a'; MAX_LEN - 6]].concat()).unwrap();
        assert_eq!(bytes.decode().unwrap().required("token").unwrap().len(), MAX_LEN - 6);
        let mut bytes = FormBytes::default();
        bytes.push(&vec![b'a'; MAX_LEN + 1]).unwrap_err();
    }

    #[test]
    fn only_one_content_type_that_is_that_of_a_form_is_one() {
        for value in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-Urlencoded;charset=UTF-8",
            "application/x-www-form-urlencoded ; charset=utf-8",
        ] {
            assert!(is_form(&[value.as_bytes()]), "{value}");
            assert!(!is_form(&[value.as_bytes(), value.as_bytes()]), "{value}");
        }
        for value in
            ["", ";", "application/json", "text/plain", "application/x-www-form-urlencoded2"]
        {
            assert!(!is_form(&[value.as_bytes()]), "{value}");
        }
        assert!(!is_form(&[]));
    }
}
