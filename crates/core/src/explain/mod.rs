//! The trace of one token: what each stage made of it, what was compared with what, and what to change.
//!
//! It is told by the run of the real pipeline itself, which lets the trace look on; so it cannot say
//! anything else than what a request would meet. See [`Authenticator::explain_token`].
//!
//! [`Authenticator::explain_token`]: crate::Authenticator::explain_token

mod claims;
mod help;
mod shape;
#[cfg(test)]
mod tests;
mod trace;
mod words;

pub(crate) use trace::Trace;
pub use words::{date, printable, quoted, relative, span};

use crate::{AuthError, Authenticated, Grant};

/// What happened to one token, stage by stage. It holds values of the token and of the configuration,
/// and neither the token nor a key: it is for operators, never for those who call.
#[derive(Clone, Debug)]
pub struct Explanation<G = Grant> {
    steps: Vec<Step>,
    verdict: Result<Authenticated<G>, AuthError>,
}

/// What one stage made of the token.
#[derive(Clone, Debug)]
pub struct Step {
    stage: &'static str,
    outcome: Outcome,
    facts: Vec<String>,
    help: Option<String>,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The token passed.
    Ok,
    /// The token was rejected here.
    Rejected,
    /// The token did not get here, or there was nothing to do.
    Skipped,
}

impl Outcome {
    /// Returns the outcome as a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Skipped => "skipped",
        }
    }
}

impl<G> Explanation<G> {
    /// Returns the stages in order, those that were skipped included.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the stage that rejected the token; `None` for a good one.
    #[must_use]
    pub fn rejected(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.outcome == Outcome::Rejected)
    }

    /// Returns the verdict.
    ///
    /// # Errors
    ///
    /// Why the token is rejected.
    pub fn verdict(&self) -> Result<&Authenticated<G>, &AuthError> {
        self.verdict.as_ref()
    }
}

impl Step {
    /// Returns the name of the stage, such as `validate`.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        self.stage
    }

    /// Returns how it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns what was compared with what, a line each. Where the stage rejected the token, the last one
    /// says why.
    #[must_use]
    pub fn facts(&self) -> &[String] {
        &self.facts
    }

    /// Returns what to change, where the stage rejected the token.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}
