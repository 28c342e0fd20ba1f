//! The story of one token: what each stage made of it, what was compared with what, and what to change.
//!
//! It is told by the run of the real pipeline itself, which lets the story look on; so it cannot say
//! anything else than what a request would meet. See [`Authenticator::explain_token`].
//!
//! [`Authenticator::explain_token`]: crate::Authenticator::explain_token

mod claims;
mod mend;
mod shape;
mod story;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use story::Story;
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
    mend: Option<String>,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The token passed.
    Ok,
    /// The token was refused here.
    Refused,
    /// The token did not get here, or there was nothing to do.
    Skipped,
}

impl Outcome {
    /// Returns the outcome as a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
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

    /// Returns the stage that refused the token; `None` for a good one.
    #[must_use]
    pub fn refused(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.outcome == Outcome::Refused)
    }

    /// Returns the verdict.
    ///
    /// # Errors
    ///
    /// Why the token is refused.
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

    /// Returns what was compared with what, a line each. Where the stage refused the token, the last one
    /// says why.
    #[must_use]
    pub fn facts(&self) -> &[String] {
        &self.facts
    }

    /// Returns what to change, where the stage refused the token.
    #[must_use]
    pub fn mend(&self) -> Option<&str> {
        self.mend.as_deref()
    }
}
