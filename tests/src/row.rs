//! One row of a table, and the judgement of a whole table.

use std::{
    any::Any,
    collections::HashSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use portcullis::{AuthError, Authenticator, adapter::Authenticated, explain::Explanation};
use portcullis_testkit::TokenBuilder;

use crate::Request;

/// What is put before the engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// A token on its own.
    Token(String),
    /// A request with whatever it carries.
    Request(Request),
}

impl From<String> for Input {
    fn from(token: String) -> Self {
        Self::Token(token)
    }
}

impl From<TokenBuilder> for Input {
    fn from(token: TokenBuilder) -> Self {
        Self::Token(token.build())
    }
}

impl From<Request> for Input {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

/// One row: what is done, what it stands for, and what must come of it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Row {
    name: String,
    stands_for: &'static str,
    authenticator: Authenticator,
    input: Input,
    expected: String,
    divergence: Option<&'static str>,
}

impl Row {
    /// A row that must be rejected with a code.
    pub fn rejected(
        authenticator: &Authenticator,
        name: impl Into<String>,
        stands_for: &'static str,
        input: impl Into<Input>,
        code: &str,
    ) -> Self {
        Self {
            name: name.into(),
            stands_for,
            authenticator: authenticator.clone(),
            input: input.into(),
            expected: code.to_owned(),
            divergence: None,
        }
    }

    /// A row that must be accepted, as this subject's.
    pub fn accepted(
        authenticator: &Authenticator,
        name: impl Into<String>,
        stands_for: &'static str,
        input: impl Into<Input>,
        subject: &str,
    ) -> Self {
        Self::rejected(authenticator, name, stands_for, input, &accepted_as(subject))
    }

    /// The engine is known to do something else: the row fails as soon as that is no longer so.
    pub fn known_to_be(self, actual: &'static str) -> Self {
        Self { divergence: Some(actual), ..self }
    }

    /// Returns the phrase that names the row.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the section of the list of attacks, or the CVE.
    #[must_use]
    pub fn stands_for(&self) -> &str {
        self.stands_for
    }

    /// Returns the code, or for a row to be accepted `accepted as` and the subject.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// Tells whether the engine is known to do something else.
    #[must_use]
    pub fn is_divergence(&self) -> bool {
        self.divergence.is_some()
    }

    /// Has the engine explain the row; `None` if it is a request, and not a token on its own.
    #[must_use]
    pub fn explain(&self) -> Option<Explanation> {
        match &self.input {
            Input::Token(token) => Some(self.authenticator.explain_token(token)),
            Input::Request(_) => None,
        }
    }

    /// Puts the row before the engine.
    #[must_use]
    pub fn judge(&self) -> Outcome {
        let judged = catch_unwind(AssertUnwindSafe(|| match &self.input {
            Input::Token(token) => self.authenticator.authenticate_token_now(token),
            Input::Request(request) => self.authenticator.authenticate_now(request).result,
        }));
        match judged {
            Ok(Ok(caller)) => Outcome::Accepted(Box::new(caller)),
            Ok(Err(error)) => Outcome::Rejected(error),
            Err(payload) => Outcome::Panicked(message_of(&*payload)),
        }
    }
}

/// What came of a row.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A caller.
    Accepted(Box<Authenticated>),
    /// A rejection.
    Rejected(AuthError),
    /// A panic, with its message.
    Panicked(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(caller) => f.write_str(&accepted_as(caller.principal().subject())),
            Self::Rejected(error) => f.write_str(error.kind().code()),
            Self::Panicked(message) => write!(f, "panic: {message}"),
        }
    }
}

/// What came of a whole table.
#[derive(Debug, Default)]
#[must_use]
pub struct TableReport {
    /// How many rows came out as expected.
    pub passed: usize,
    /// The rows that did not, one line each.
    pub failures: Vec<String>,
    /// The rows where the engine is known to do something else, one line each.
    pub divergences: Vec<String>,
}

impl TableReport {
    /// Judges every row.
    pub fn of(rows: &[Row]) -> Self {
        let mut report = Self::default();
        let mut names = HashSet::new();
        for row in rows {
            let Row { name, stands_for, expected, divergence, .. } = row;
            let got = row.judge().to_string();
            let line = format!("{name} [{stands_for}]: expected {expected}, got {got}");
            if !names.insert(name) {
                report.failures.push(format!("{name} [{stands_for}]: the name is there twice"));
            } else if got == *expected && divergence.is_none() {
                report.passed += 1;
            } else if divergence.is_some_and(|known| got == known) {
                report.divergences.push(line);
            } else {
                report.failures.push(line);
            }
        }
        report
    }
}

fn accepted_as(subject: &str) -> String {
    format!("accepted as {subject:?}")
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}
