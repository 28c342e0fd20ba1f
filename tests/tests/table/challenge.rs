//! Challenges, read by a parser that is not ours.

use http_auth::{ChallengeRef, ParamValue};

/// A challenge ([RFC 9110 §11.3]): its parameters by name, each as often as it is there.
///
/// [RFC 9110 §11.3]: https://www.rfc-editor.org/rfc/rfc9110#section-11.3
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// A challenge of scheme `Bearer` without parameters.
    pub(crate) fn bearer() -> Self {
        Self { scheme: "Bearer".to_owned(), parameters: Vec::new() }
    }

    pub(crate) fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.push((name.to_owned(), value.into()));
        self.parameters.sort();
        self
    }

    /// Reads all challenges in the fields of a response.
    pub(crate) fn read_all<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<Self> {
        values.flat_map(Self::read).collect()
    }

    /// What cannot be read comes back as a challenge that no row expects.
    fn read(value: &[u8]) -> Vec<Self> {
        let unreadable = |why: String| {
            vec![Self { scheme: "unreadable".to_owned(), parameters: vec![(why, String::new())] }]
        };
        let Ok(text) = std::str::from_utf8(value) else {
            return unreadable(format!("{value:?}"));
        };
        match http_auth::parse_challenges(text) {
            Ok(challenges) => challenges.iter().map(Self::of).collect(),
            Err(error) => unreadable(format!("{error}: {text}")),
        }
    }

    fn of(challenge: &ChallengeRef<'_>) -> Self {
        let none = Self { scheme: challenge.scheme.to_owned(), parameters: Vec::new() };
        let add = |read: Self, (name, value): &(&str, ParamValue<'_>)| {
            read.parameter(name, value.to_unescaped())
        };
        challenge.params.iter().fold(none, add)
    }
}
