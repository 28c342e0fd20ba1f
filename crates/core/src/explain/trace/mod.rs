//! Looks on while a token is proven, and tells of it afterwards.

mod caller;
mod form;
mod issuer;
mod signature;
mod step;

pub(super) use self::step::reason;
use self::step::{ok, skipped};
use super::{
    Explanation, Outcome, Step,
    claims::{self, Fact},
};
use crate::{
    Algorithm, AuthError, AuthErrorKind, Authenticated, Challenge, NumericDate,
    issuer::IssuerConfig,
    json::Value,
    keys::{Candidates, Keys},
    pipeline::{Observer, PeekedJwt, VerifiedJws},
};

/// What was seen of one token.
#[derive(Default)]
pub(crate) struct Trace {
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
    /// How many more keys fit, and are not tried.
    pub(super) left_out: usize,
    pub(super) facts: Vec<Fact>,
    /// What is checked outside of the token.
    checks: Vec<String>,
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

impl Observer for Trace {
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

    fn located(&mut self, candidates: &Candidates<'_>) {
        self.reached = Reached::Verify;
        (self.candidates, self.left_out) = (candidates.tried(), candidates.left_out());
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

impl Trace {
    pub(crate) fn new(
        issuers: Vec<String>,
        places: Vec<String>,
        allowed: Vec<&'static str>,
    ) -> Self {
        Self { issuers, places, allowed, ..Self::default() }
    }

    pub(crate) fn with_checks(self, checks: Vec<String>) -> Self {
        Self { checks, ..self }
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
            Some(_) if stage == self.reached => Outcome::Rejected,
            None if stage == self.reached => Outcome::Ok,
            _ => Outcome::Skipped,
        }
    }

    /// No issuer of JWTs had a look at it.
    fn nothing_known(&self) -> bool {
        self.peeked.is_none()
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
