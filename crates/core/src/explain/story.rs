//! Looks on while a token is proven, and tells of it afterwards.

use std::error::Error;

use super::{
    Explanation, Outcome, Step,
    claims::{self, Fact},
    mend, shape,
    words::{any_of, quoted},
};
use crate::{
    Algorithm, AuthError, AuthErrorKind, Authenticated, Challenge, NumericDate,
    issuer::IssuerConfig,
    json::Value,
    keys::Keys,
    pipeline::{Observer, PeekedJwt, VerifiedJws},
};

/// What was seen of one token.
#[derive(Default)]
pub(crate) struct Story {
    /// The names of all trusted issuers.
    pub(super) issuers: Vec<String>,
    places: Vec<String>,
    /// What some trusted issuer may sign with.
    allowed: Vec<&'static str>,
    /// Strategies that say that the token is none of theirs.
    abstained: Vec<String>,
    /// The strategy that knows it.
    known_to: Option<String>,
    /// How far it came: the stage that it was in at last.
    reached: Reached,
    pub(super) peeked: Option<Peeked>,
    pub(super) issuer: Option<Selected>,
    candidates: usize,
    pub(super) facts: Vec<Fact>,
}

#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Reached {
    #[default]
    Peek,
    Select,
    Lookup,
    Verify,
    Validate,
    Check,
    Map,
}

/// What the token claims to be.
pub(super) struct Peeked {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    typ: Option<String>,
    /// As it is shown.
    pub(super) issuer: Option<String>,
    /// If it is a string.
    pub(super) issuer_text: Option<String>,
}

/// What is known of its issuer.
pub(super) struct Selected {
    pub(super) name: String,
    pub(super) algorithms: Vec<&'static str>,
    pub(super) key_ids: Vec<String>,
    pub(super) unnamed_keys: usize,
}

impl Observer for Story {
    fn abstained(&mut self, name: &str) {
        self.abstained.push(name.to_owned());
    }

    fn known_to(&mut self, name: &str) {
        self.known_to = Some(name.to_owned());
    }

    fn peeked(&mut self, token: &PeekedJwt<'_, '_>) {
        self.reached = Reached::Select;
        let issuer = token.unverified_issuer();
        self.peeked = Some(Peeked {
            algorithm: token.algorithm(),
            key_id: token.unverified_key_id().map(ToOwned::to_owned),
            typ: token.typ().map(ToOwned::to_owned),
            issuer: issuer.map(claims::shown),
            issuer_text: issuer.and_then(Value::as_str).map(std::borrow::Cow::into_owned),
        });
    }

    fn selected(&mut self, issuer: &IssuerConfig, keys: &Keys) {
        self.reached = Reached::Lookup;
        let ids = keys.all().iter().filter_map(|key| key.id().map(ToOwned::to_owned));
        let key_ids: Vec<_> = ids.collect();
        self.issuer = Some(Selected {
            name: issuer.name().to_owned(),
            algorithms: issuer.algorithms.iter().map(Algorithm::name).collect(),
            unnamed_keys: keys.all().len().saturating_sub(key_ids.len()),
            key_ids,
        });
    }

    fn located(&mut self, candidates: usize) {
        self.reached = Reached::Verify;
        self.candidates = candidates;
    }

    fn verified(&mut self, token: &VerifiedJws<'_>, now: NumericDate) {
        self.reached = Reached::Validate;
        self.facts = claims::compare(token, now);
    }

    fn valid(&mut self) {
        self.reached = Reached::Check;
    }

    fn checked(&mut self) {
        self.reached = Reached::Map;
    }
}

impl Story {
    pub(crate) fn new(
        issuers: Vec<String>,
        places: Vec<String>,
        allowed: Vec<&'static str>,
    ) -> Self {
        Self { issuers, places, allowed, ..Self::default() }
    }

    /// Tells it, with the verdict that the pipeline came to.
    pub(crate) fn end<G>(
        self,
        token: &str,
        max_len: usize,
        verdict: Result<Authenticated<G>, AuthError>,
    ) -> Explanation<G> {
        let error = verdict.as_ref().err();
        let mut steps = vec![self.extract(error)];
        steps.push(self.peek(token, max_len, error));
        steps.push(self.select(error));
        steps.push(self.lookup(error));
        steps.push(self.verify(token, max_len, error));
        steps.push(self.validate(error));
        steps.push(self.check(error));
        steps.push(self.map(verdict.as_ref()));
        steps.push(skipped("authorize", "each handler's policy decides; it stands in the code"));
        steps.push(respond(error));
        Explanation { steps, verdict }
    }

    /// Tells how a stage ended.
    fn outcome(&self, stage: Reached, error: Option<&AuthError>) -> Outcome {
        let is_jwt = self.known_to.is_none();
        match error {
            Some(error) if error.kind() == AuthErrorKind::NoCredentials && self.nothing_known() => {
                Outcome::Skipped
            }
            Some(_) if !is_jwt => Outcome::Skipped,
            _ if !is_jwt => Outcome::Skipped,
            _ if stage < self.reached => Outcome::Ok,
            Some(_) if stage == self.reached => Outcome::Refused,
            None if stage == self.reached => Outcome::Ok,
            _ => Outcome::Skipped,
        }
    }

    /// No issuer of JWTs had a look at it.
    fn nothing_known(&self) -> bool {
        self.peeked.is_none()
    }

    fn extract(&self, error: Option<&AuthError>) -> Step {
        let is_empty = error.is_some_and(|error| error.kind() == AuthErrorKind::NoCredentials)
            && self.abstained.is_empty()
            && self.nothing_known();
        let looked = format!("a request's token is looked for in {}", self.places.join(", then "));
        if is_empty {
            let facts = vec![looked, "there is no token: the text is empty".to_owned()];
            return refused(
                "extract",
                facts,
                "send one; a client often has none yet, or sends it in another place",
            );
        }
        let fact = format!("the token was given by itself; {looked}");
        skipped("extract", &fact)
    }

    fn peek(&self, token: &str, max_len: usize, error: Option<&AuthError>) -> Step {
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
            (Outcome::Refused, _, Some(error)) => self.refused_at_peek(token, max_len, error),
            _ => skipped("peek", "the token is not a JWT of a trusted issuer"),
        }
    }

    fn refused_at_peek(&self, token: &str, max_len: usize, error: &AuthError) -> Step {
        let mut facts = self.strangers();
        let mend = match error.kind() {
            AuthErrorKind::AlgorithmNotAllowed => {
                let alg = shape::header_member(token, "alg").unwrap_or_default();
                let allowed = any_of(self.allowed.iter().copied());
                facts.push(format!("algorithm is {alg}; this service allows {allowed}"));
                mend::algorithm(&alg)
            }
            AuthErrorKind::UnsupportedCriticalHeader => {
                let names = shape::header_member(token, "crit").unwrap_or_default();
                facts.push(format!(
                    "the header insists on extensions (`crit`): {names}; none is known"
                ));
                "ask the issuer to leave `crit` out: a token that insists on it must be refused"
                    .to_owned()
            }
            _ => {
                let shape = shape::of(token, max_len);
                let is_told = shape.is_specific;
                facts.push(if is_told { shape.what } else { with_reason(&shape.what, error) });
                shape.mend.to_owned()
            }
        };
        refused("peek", facts, &mend)
    }

    /// The strategies that do not know the token.
    fn strangers(&self) -> Vec<String> {
        let names = self.abstained.iter();
        names.map(|name| format!("{} does not know it", quoted(name))).collect()
    }

    fn select(&self, error: Option<&AuthError>) -> Step {
        if let Some(name) = &self.known_to {
            let facts = vec![format!("{} knows the token", quoted(name))];
            return match error {
                None => ok("select", facts),
                Some(error) => {
                    let facts = vec![with_reason(&format!("{} refuses it", quoted(name)), error)];
                    refused("select", facts, "ask whoever gave the credential out for a new one")
                }
            };
        }
        if error.is_some_and(|error| error.kind() == AuthErrorKind::NoCredentials)
            && !self.abstained.is_empty()
        {
            return refused(
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
            (Outcome::Refused, _, Some(error)) => {
                let mut facts = self.strangers();
                let claimed = self.peeked.as_ref().and_then(|peeked| peeked.issuer.as_deref());
                let trusted = any_of(self.issuers.iter().map(String::as_str));
                facts.push(match claimed {
                    None => format!("no issuer (`iss`) is named; this service trusts {trusted}"),
                    Some(claimed) => format!("issuer is {claimed}; this service trusts {trusted}"),
                });
                refused("select", facts, &mend::of(self, error))
            }
            _ => skipped("select", "not reached"),
        }
    }

    fn lookup(&self, error: Option<&AuthError>) -> Step {
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

    fn verify(&self, token: &str, max_len: usize, error: Option<&AuthError>) -> Step {
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

    fn validate(&self, error: Option<&AuthError>) -> Step {
        match (self.outcome(Reached::Validate, error), error) {
            (Outcome::Ok, _) => ok("validate", self.facts.iter().map(|f| f.text.clone()).collect()),
            (Outcome::Refused, Some(error)) => {
                refused("validate", self.facts_up_to(error), &mend::of(self, error))
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

    fn check(&self, error: Option<&AuthError>) -> Step {
        match (self.outcome(Reached::Check, error), error) {
            (Outcome::Ok, _) => {
                ok("check", vec!["nothing outside of the token speaks against it".to_owned()])
            }
            (Outcome::Refused, Some(error)) => {
                let fact = match error.kind() {
                    AuthErrorKind::WrongBinding => {
                        "the token is bound to a key of its client (`cnf`); no proof of that key is read here".to_owned()
                    }
                    _ => with_reason(error.kind().description(), error),
                };
                refused("check", vec![fact], &mend::of(self, error))
            }
            _ => skipped("check", self.why_skipped()),
        }
    }

    fn map<G>(&self, verdict: Result<&Authenticated<G>, &AuthError>) -> Step {
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
                ok("map", facts)
            }
            Err(error) if self.outcome(Reached::Map, Some(error)) == Outcome::Refused => {
                let fact = with_reason("the caller cannot be read from the claims", error);
                refused("map", vec![fact], &mend::of(self, error))
            }
            Err(_) => skipped("map", "not reached"),
        }
    }

    fn why_skipped(&self) -> &'static str {
        if self.known_to.is_some() { "the token is not a JWT" } else { "not reached" }
    }
}

fn respond(error: Option<&AuthError>) -> Step {
    let Some(error) = error else { return skipped("respond", "the handler answers") };
    let challenge = Challenge::from(error);
    let mut facts = vec![format!("the client gets status {}", challenge.status())];
    if let Some(field) = challenge.www_authenticate() {
        facts.push(format!("WWW-Authenticate: {field}"));
    }
    ok("respond", facts)
}

fn ok(stage: &'static str, facts: Vec<String>) -> Step {
    Step { stage, outcome: Outcome::Ok, facts, mend: None }
}

fn skipped(stage: &'static str, fact: &str) -> Step {
    Step { stage, outcome: Outcome::Skipped, facts: vec![fact.to_owned()], mend: None }
}

fn refused(stage: &'static str, facts: Vec<String>, mend: &str) -> Step {
    Step { stage, outcome: Outcome::Refused, facts, mend: Some(mend.to_owned()) }
}

/// The cause of an error, for operators.
pub(super) fn reason(error: &AuthError) -> Option<String> {
    error.source().map(ToString::to_string)
}

fn with_reason(fact: &str, error: &AuthError) -> String {
    match reason(error) {
        Some(reason) => format!("{fact}: {reason}"),
        None => fact.to_owned(),
    }
}
