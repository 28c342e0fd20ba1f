//! What the token is by its form: the stages extract and peek.

use super::{
    Reached, Trace,
    step::{ok, rejected, skipped, with_reason},
};
use crate::{
    AuthError, AuthErrorKind,
    explain::{
        Outcome, Step, help, shape,
        words::{any_of, quoted},
    },
};

impl Trace {
    pub(super) fn extract(&self, error: Option<&AuthError>) -> Step {
        let is_empty = error.is_some_and(|error| error.kind() == AuthErrorKind::NoCredentials)
            && self.abstained.is_empty()
            && self.nothing_known();
        let looked = format!("a request's token is looked for in {}", self.places.join(", then "));
        if is_empty {
            let facts = vec![looked, "there is no token: the text is empty".to_owned()];
            return rejected(
                "extract",
                facts,
                "send one; a client often has none yet, or sends it in another place",
            );
        }
        let fact = format!("the token was given by itself; {looked}");
        skipped("extract", &fact)
    }

    pub(super) fn peek(&self, token: &str, max_len: usize, error: Option<&AuthError>) -> Step {
        let outcome = self.outcome(Reached::Peek, error);
        match (outcome, &self.peeked, error) {
            (Outcome::Ok, Some(peeked), _) => {
                let text = |value: &Option<String>| {
                    value.as_ref().map_or("absent".to_owned(), |value| quoted(value))
                };
                let header = format!(
                    "header: algorithm {}, key id (`kid`) {}, type {}",
                    peeked.algorithm,
                    text(&peeked.key_id),
                    text(&peeked.typ)
                );
                let issuer = peeked.issuer.as_deref().unwrap_or("nobody (no `iss`)");
                ok("peek", vec![header, format!("it claims to be from {issuer}; not proven yet")])
            }
            (Outcome::Rejected, _, Some(error)) => self.rejected_at_peek(token, max_len, error),
            _ => skipped("peek", "the token is not a JWT of a trusted issuer"),
        }
    }

    fn rejected_at_peek(&self, token: &str, max_len: usize, error: &AuthError) -> Step {
        let mut facts = self.strangers();
        let help = match error.kind() {
            AuthErrorKind::AlgorithmNotAllowed => {
                let alg = shape::header_member(token, "alg").unwrap_or_default();
                let allowed = any_of(self.allowed.iter().copied());
                facts.push(format!("algorithm is {alg}; this service allows {allowed}"));
                help::algorithm(&alg)
            }
            AuthErrorKind::UnsupportedCriticalHeader => {
                let names = shape::header_member(token, "crit").unwrap_or_default();
                facts.push(format!(
                    "the header insists on extensions (`crit`): {names}; none is known"
                ));
                "ask the issuer to leave `crit` out: a token that insists on it must be rejected"
                    .to_owned()
            }
            _ => {
                let shape = shape::of(token, max_len);
                let is_told = shape.is_specific;
                facts.push(if is_told { shape.what } else { with_reason(&shape.what, error) });
                shape.help.to_owned()
            }
        };
        rejected("peek", facts, &help)
    }
}
