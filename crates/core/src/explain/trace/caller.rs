//! What the token says, and who calls by it: the stages validate, check and map.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Reached, Trace,
    step::{ok, reason, rejected, skipped, with_reason},
};
use crate::{
    AuthError, AuthErrorKind, Authenticated, Principal,
    explain::{Outcome, Step, help, words::quoted},
};

impl Trace {
    pub(super) fn validate(&self, error: Option<&AuthError>) -> Step {
        match (self.outcome(Reached::Validate, error), error) {
            (Outcome::Ok, _) => ok("validate", self.facts.iter().map(|f| f.text.clone()).collect()),
            (Outcome::Rejected, Some(error)) => {
                rejected("validate", self.facts_up_to(error), &help::of(self, error))
            }
            _ => skipped("validate", self.why_skipped()),
        }
    }

    /// Returns the comparisons before the one that failed, and that one.
    fn facts_up_to(&self, error: &AuthError) -> Vec<String> {
        let failed = self.facts.iter().position(|fact| fact.kind == error.kind());
        let is_of_one =
            !matches!(error.kind(), AuthErrorKind::MissingClaim | AuthErrorKind::MalformedClaim);
        match failed {
            Some(failed) if is_of_one => {
                let up_to = self.facts.iter().take(failed.saturating_add(1));
                up_to.map(|fact| fact.text.clone()).collect()
            }
            _ => {
                let missing = self.facts.iter().filter(|fact| fact.text.ends_with("is missing"));
                let missing: Vec<_> = missing.map(|fact| fact.text.clone()).collect();
                let reason = reason(error).unwrap_or_default();
                if reason.contains("rules require") && !missing.is_empty() {
                    return missing;
                }
                vec![reason]
            }
        }
    }

    pub(super) fn check(&self, error: Option<&AuthError>) -> Step {
        match (self.outcome(Reached::Check, error), error) {
            (Outcome::Ok, _) if !self.checks.is_empty() => ok("check", self.checks.clone()),
            (Outcome::Ok, _) => {
                ok("check", vec!["nothing outside of the token speaks against it".to_owned()])
            }
            (Outcome::Rejected, Some(error)) => {
                let fact = match error.kind() {
                    AuthErrorKind::WrongBinding => {
                        "the token is bound to a key of its client (`cnf`); no proof of that key is read here".to_owned()
                    }
                    _ => with_reason(error.kind().description(), error),
                };
                rejected("check", vec![fact], &help::of(self, error))
            }
            _ => skipped("check", self.why_skipped()),
        }
    }

    pub(super) fn map<G>(&self, verdict: Result<&Authenticated<G>, &AuthError>) -> Step {
        match verdict {
            Ok(caller) => {
                let principal = caller.principal();
                let mut facts = vec![format!("the caller is {}", quoted(principal.subject()))];
                if let Some(client) = principal.client_id() {
                    facts.push(format!("by the client {}", quoted(client)));
                }
                let actors = principal.actors().iter();
                facts.extend(
                    actors.map(|actor| format!("acted for by {}", quoted(actor.subject()))),
                );
                facts.extend(not_included(principal));
                ok("map", facts)
            }
            Err(error) if self.outcome(Reached::Map, Some(error)) == Outcome::Rejected => {
                let fact = with_reason("the caller cannot be read from the claims", error);
                rejected("map", vec![fact], &help::of(self, error))
            }
            Err(_) => skipped("map", "not reached"),
        }
    }
}

/// Names the claims that the token does not include.
fn not_included(principal: &Principal) -> Option<String> {
    let names = principal.claim::<Map<String, Value>>("_claim_names").ok()?.unwrap_or_default();
    let has_groups = principal.claim::<Value>("hasgroups").ok()?;
    let groups = has_groups.filter(|value| !matches!(value, Value::Null | Value::Bool(false)));
    let mut names: BTreeSet<String> = names.into_iter().map(|(name, _)| name).collect();
    names.extend(groups.map(|_| "groups".to_owned()));
    if names.is_empty() {
        return None;
    }
    let names: Vec<_> = names.iter().take(MAX_NAMES).map(|name| quoted(name)).collect();
    let names = names.join(", ");
    Some(format!("not included in the token, so that rules about it reject: {names}"))
}

/// How many claims are listed by name.
const MAX_NAMES: usize = 8;
