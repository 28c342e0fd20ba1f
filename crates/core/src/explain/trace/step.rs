//! How a stage ended, in a step of the trace.

use std::error::Error;

use crate::{
    AuthError,
    explain::{Outcome, Step},
};

pub(super) fn ok(stage: &'static str, facts: Vec<String>) -> Step {
    Step { stage, outcome: Outcome::Ok, facts, help: None }
}

pub(super) fn skipped(stage: &'static str, fact: &str) -> Step {
    Step { stage, outcome: Outcome::Skipped, facts: vec![fact.to_owned()], help: None }
}

pub(super) fn rejected(stage: &'static str, facts: Vec<String>, help: &str) -> Step {
    Step { stage, outcome: Outcome::Rejected, facts, help: Some(help.to_owned()) }
}

/// The cause of an error, for operators.
pub(in crate::explain) fn reason(error: &AuthError) -> Option<String> {
    error.source().map(ToString::to_string)
}

pub(super) fn with_reason(fact: &str, error: &AuthError) -> String {
    match reason(error) {
        Some(reason) => format!("{fact}: {reason}"),
        None => fact.to_owned(),
    }
}
