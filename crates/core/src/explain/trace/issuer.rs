//! Whose the token is: the stage select.

use super::{
    Reached, Trace,
    step::{ok, rejected, skipped, with_reason},
};
use crate::{
    AuthError, AuthErrorKind,
    explain::{
        Outcome, Step, help,
        words::{any_of, quoted},
    },
};

impl Trace {
    pub(super) fn select(&self, error: Option<&AuthError>) -> Step {
        if let Some(name) = &self.known_to {
            let facts = vec![format!("{} knows the token", quoted(name))];
            return match error {
                None => ok("select", facts),
                Some(error) => {
                    let facts = vec![with_reason(&format!("{} rejects it", quoted(name)), error)];
                    rejected("select", facts, "ask whoever gave the credential out for a new one")
                }
            };
        }
        if error.is_some_and(|error| error.kind() == AuthErrorKind::NoCredentials)
            && !self.abstained.is_empty()
        {
            return rejected(
                "select",
                self.strangers(),
                "check that it was copied as a whole, and that the file of tokens holds it",
            );
        }
        match (self.outcome(Reached::Select, error), &self.issuer, error) {
            (Outcome::Ok, Some(issuer), _) => {
                let mut facts = self.strangers();
                facts.push(format!("issuer {} is trusted", quoted(&issuer.name)));
                ok("select", facts)
            }
            (Outcome::Rejected, _, Some(error)) => {
                let mut facts = self.strangers();
                let claimed = self.peeked.as_ref().and_then(|peeked| peeked.issuer.as_deref());
                let trusted = any_of(self.issuers.iter().map(String::as_str));
                facts.push(match claimed {
                    None => format!("no issuer (`iss`) is named; this service trusts {trusted}"),
                    Some(claimed) => format!("issuer is {claimed}; this service trusts {trusted}"),
                });
                rejected("select", facts, &help::of(self, error))
            }
            _ => skipped("select", "not reached"),
        }
    }

    /// The strategies that do not know the token.
    pub(super) fn strangers(&self) -> Vec<String> {
        let names = self.abstained.iter();
        names.map(|name| format!("{} does not know it", quoted(name))).collect()
    }
}
