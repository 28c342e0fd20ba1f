//! Whether the issuer has signed the token: the stages lookup and verify.

use super::{
    Reached, Selected, Story,
    step::{ok, refused, skipped, with_reason},
};
use crate::{
    AuthError, AuthErrorKind,
    explain::{
        Outcome, Step, mend, shape,
        words::{any_of, quoted},
    },
};

impl Story {
    pub(super) fn lookup(&self, error: Option<&AuthError>) -> Step {
        match (self.outcome(Reached::Lookup, error), &self.issuer, error) {
            (Outcome::Ok, Some(_), _) => {
                let keys = if self.candidates == 1 { "key fits" } else { "keys fit" };
                ok("lookup", vec![format!("{} {keys} key id and algorithm", self.candidates)])
            }
            (Outcome::Refused, Some(issuer), Some(error)) => {
                let fact = self.why_no_key(issuer, error);
                refused("lookup", vec![fact], &mend::of(self, error))
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
            AuthErrorKind::UnknownKey => format!("{named}; the issuer's keys are {known}"),
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
            (Outcome::Refused, Some(error)) => {
                let fact = match error.kind() {
                    AuthErrorKind::SignatureMismatch => {
                        let key_id = self.peeked.as_ref().and_then(|p| p.key_id.as_deref());
                        let named = key_id.map(|id| format!(" {}", quoted(id))).unwrap_or_default();
                        format!("the signature is not that of the issuer's key{named}")
                    }
                    _ => {
                        let shape = shape::of(token, max_len);
                        if shape.is_specific {
                            return refused("verify", vec![shape.what], shape.mend);
                        }
                        with_reason("the rest of the token cannot be read", error)
                    }
                };
                refused("verify", vec![fact], &mend::of(self, error))
            }
            _ => skipped("verify", self.why_skipped()),
        }
    }
}
