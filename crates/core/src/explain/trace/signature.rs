//! Whether the issuer has signed the token: the stages lookup and verify.

use super::{
    Reached, Selected, Trace,
    step::{ok, reason, rejected, skipped, with_reason},
};
use crate::{
    AuthError, AuthErrorKind,
    explain::{
        Outcome, Step, help, shape,
        words::{any_of, quoted},
    },
};

impl Trace {
    pub(super) fn lookup(&self, error: Option<&AuthError>) -> Step {
        match (self.outcome(Reached::Lookup, error), &self.issuer, error) {
            (Outcome::Ok, Some(_), _) => {
                let fitting = self.candidates.saturating_add(self.left_out);
                let keys = if fitting == 1 { "key fits" } else { "keys fit" };
                let fact = format!("{fitting} {keys} key id and algorithm");
                let tried = format!("{fact}; no more than {} are tried", self.candidates);
                ok("lookup", vec![if self.left_out == 0 { fact } else { tried }])
            }
            (Outcome::Rejected, Some(issuer), Some(error)) => {
                let fact = self.why_no_key(issuer, error);
                rejected("lookup", vec![fact], &help::of(self, error))
            }
            _ => skipped("lookup", self.why_skipped()),
        }
    }

    fn why_no_key(&self, issuer: &Selected, error: &AuthError) -> String {
        let key_id = self.peeked.as_ref().and_then(|peeked| peeked.key_id.as_deref());
        let named =
            key_id.map_or("no key id (`kid`)".to_owned(), |id| format!("key id is {}", quoted(id)));
        let known = any_of(issuer.key_ids.iter().map(String::as_str));
        match error.kind() {
            AuthErrorKind::AlgorithmNotAllowed => {
                let alg = self.peeked.as_ref().map_or("", |peeked| peeked.algorithm.name());
                let allowed = any_of(issuer.algorithms.iter().copied());
                let fact = format!("algorithm is `{alg}`; this issuer may use {allowed}");
                with_reason(&fact, error)
            }
            AuthErrorKind::UnknownKey => match reason(error) {
                Some(reason) => format!("{named}, which the issuer publishes; {reason}"),
                None => format!("{named}; the issuer's keys are {known}"),
            },
            AuthErrorKind::AmbiguousKey => {
                let count = issuer.key_ids.len().saturating_add(issuer.unnamed_keys);
                format!("{named}, and more than one of the issuer's {count} keys fits")
            }
            _ => with_reason("the issuer's keys are not at hand", error),
        }
    }

    pub(super) fn verify(&self, token: &str, max_len: usize, error: Option<&AuthError>) -> Step {
        match (self.outcome(Reached::Verify, error), error) {
            (Outcome::Ok, _) => ok("verify", vec!["the signature is the issuer's".to_owned()]),
            (Outcome::Rejected, Some(error)) => {
                let fact = match error.kind() {
                    AuthErrorKind::SignatureMismatch => {
                        let key_id = self.peeked.as_ref().and_then(|p| p.key_id.as_deref());
                        let named = key_id.map(|id| format!(" {}", quoted(id))).unwrap_or_default();
                        format!("the signature is not that of the issuer's key{named}")
                    }
                    AuthErrorKind::AmbiguousKey => {
                        let (tried, left_out) = (self.candidates, self.left_out);
                        format!(
                            "the signature is not that of the {tried} keys that were tried; {left_out} more fit and were not"
                        )
                    }
                    _ => {
                        let shape = shape::of(token, max_len);
                        if shape.is_specific {
                            return rejected("verify", vec![shape.what], shape.help);
                        }
                        with_reason("the rest of the token cannot be read", error)
                    }
                };
                rejected("verify", vec![fact], &help::of(self, error))
            }
            _ => skipped("verify", self.why_skipped()),
        }
    }
}
