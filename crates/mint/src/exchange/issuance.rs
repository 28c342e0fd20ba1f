//! From a decision to the token.

use std::time::Duration;

use portcullis::{NumericDate, Principal, grant::Scope};
use serde_json::{Map, Number, Value};

use super::{
    EXCHANGED, ExchangeRefusal, ExchangedClaims, MIN_LIFETIME, Settings,
    delegation::{self, ActingParty},
    parameters::is_scope,
    refusal::Failed,
};

/// The tokens of a request, which are valid.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) subject: Principal,
    pub(super) actor: Option<Principal>,
}

/// The claims of a token that is about to be issued, without those that the minter adds.
#[derive(Debug)]
pub(super) struct Prepared {
    claims: Map<String, Value>,
    audiences: Vec<String>,
    scope: Scope,
    lifetime: Duration,
}

/// A token that was issued.
pub(super) struct Issued {
    pub(super) token: String,
    pub(super) expires_in: u64,
    pub(super) scope: Scope,
    /// The rest is for the log.
    pub(super) audiences: Vec<String>,
    pub(super) token_id: Option<String>,
    pub(super) subject_issuer: String,
    pub(super) has_actor: bool,
}

impl Sources {
    pub(super) fn all(&self) -> Vec<&Principal> {
        std::iter::once(&self.subject).chain(&self.actor).collect()
    }

    /// Checks what the tokens say of each other.
    pub(super) fn check(&self) -> Result<(), Failed> {
        let checked = self.all().into_iter().try_for_each(delegation::check_token);
        checked
            .and_then(|()| delegation::check_actor(&self.subject, self.actor.as_ref()))
            .map_err(Failed::unacceptable)
    }

    /// Returns when the first of the tokens ends, or `latest`.
    fn end(&self, latest: NumericDate) -> NumericDate {
        self.all().into_iter().filter_map(Principal::ends_at).fold(latest, NumericDate::min)
    }

    /// Checks that enough is left of the tokens, before anything else is done for them.
    pub(super) fn check_remaining(&self, now: NumericDate) -> Result<(), Failed> {
        self.remaining(now, Duration::MAX).map(|_| ())
    }

    /// Returns how long a token is valid that ends with these, and after `limit` at the latest. Whole seconds.
    fn remaining(&self, now: NumericDate, limit: Duration) -> Result<Duration, Failed> {
        // Dates of tokens are whole seconds, rounded down: never later than what is left.
        let end = self.end(now.saturating_add(limit)).seconds();
        let seconds = end.saturating_sub(now.seconds());
        let remaining = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let is_long_enough = remaining >= MIN_LIFETIME;
        is_long_enough
            .then_some(remaining)
            .ok_or_else(|| Failed::unacceptable("less than 5 seconds are left of a token"))
    }
}

impl<G: Send + Sync + 'static> Settings<G> {
    /// Creates the claims of the token.
    pub(super) fn prepare(
        &self,
        decision: &ExchangedClaims,
        sources: &Sources,
        client_id: Option<&str>,
        now: NumericDate,
    ) -> Result<Prepared, Failed> {
        check_audiences(&decision.audiences)?;
        let limit = decision.lifetime.map_or(self.lifetime, |own| own.min(self.lifetime));
        let lifetime = sources.remaining(now, limit)?;
        let subject = self.subject(decision, &sources.subject)?;
        let expires_at = now.seconds().saturating_add_unsigned(lifetime.as_secs());
        let session = session(&sources.subject)?;
        let may_act = delegation::may_act(&sources.subject, &self.issuer);
        let may_act = may_act.map_err(Failed::unacceptable)?;

        let authenticated_at = sources.subject.claim::<Value>("auth_time");
        let authenticated_at = authenticated_at.map_err(|error| Failed::from(&error))?;

        let mut claims = decision.own_claims();
        for (name, value) in [("may_act", may_act), ("auth_time", authenticated_at)] {
            if let Some(value) = value {
                claims.entry(name).or_insert(value);
            }
        }
        let scope: Scope = decision.scope.iter().filter(|token| is_scope(token)).collect();
        let scope_text = Some(scope.to_string()).filter(|scope| !scope.is_empty());
        let own = [
            ("sub", Some(subject.into())),
            ("aud", Some(audience(&decision.audiences))),
            ("exp", Some(expires_at.into())),
            ("act", self.act(decision, sources)?),
            ("scope", scope_text.map(Value::from)),
            ("sid", session.map(Value::from)),
            ("client_id", client_id.map(Value::from)),
            ("orig_iat", begun_at(&sources.subject)?.map(Value::from)),
            (EXCHANGED, Some(true.into())),
        ];
        claims.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let audiences = decision.audiences.clone();
        Ok(Prepared { claims, audiences, scope, lifetime })
    }

    /// Returns the subject of the token.
    ///
    /// # Errors
    ///
    /// The subject token could be of one of several issuers, and the application has not said how their subjects are
    /// named.
    fn subject(&self, decision: &ExchangedClaims, source: &Principal) -> Result<String, Failed> {
        // A strategy, such as that of tenants, may speak for many issuers.
        let is_of_only_issuer = || {
            source.verification_key().is_some()
                && source.issuer() == source.trusted_issuer()
                && source.issuer() != self.issuer
                && !self.has_several_issuers()
        };
        let is_unique = || self.is_own(source) || is_of_only_issuer();
        let subject = match &decision.subject {
            Some(own) => own.as_str(),
            None if is_unique() => source.subject(),
            None => {
                let reason = "the engine trusts several issuers, and the decision names no subject";
                return Err(Failed::unacceptable(reason));
            }
        };
        match subject {
            "" => Err(Failed::unacceptable("the subject is empty")),
            subject => Ok(subject.to_owned()),
        }
    }

    /// Returns whether the minter has issued a token.
    fn is_own(&self, token: &Principal) -> bool {
        let (_, keys) = self.minter.identity();
        let is_own_key = |key| keys.are_verified_by(key);
        token.issuer() == self.issuer && token.verification_key().is_some_and(is_own_key)
    }

    fn act(&self, decision: &ExchangedClaims, sources: &Sources) -> Result<Option<Value>, Failed> {
        if decision.actor.as_deref() == Some("") {
            return Err(Failed::unacceptable("the actor is empty"));
        }
        let is_false = |actor: &Principal| actor.issuer() == self.issuer && !self.is_own(actor);
        if sources.actor.as_ref().is_some_and(is_false) {
            return Err(Failed::unacceptable("the actor token is not of the minter that it names"));
        }
        delegation::check_former_actors(&sources.subject, &self.issuer)
            .map_err(Failed::unacceptable)?;
        let named = decision.actor.as_deref();
        let named = named.map(|subject| ActingParty { subject, issuer: &self.issuer });
        let actor = sources.actor.as_ref();
        let actor =
            actor.map(|actor| ActingParty { subject: actor.subject(), issuer: actor.issuer() });
        let act = delegation::act(&sources.subject, named.or(actor), &self.issuer);
        act.map_err(Failed::unacceptable)
    }

    /// Signs the token.
    pub(super) async fn issue(
        &self,
        prepared: Prepared,
        sources: &Sources,
    ) -> Result<Issued, Failed> {
        let Prepared { claims, audiences, scope, lifetime } = prepared;
        let has_actor = claims.contains_key("act");
        let minted = self.minter.mint_off_thread(claims).await.map_err(|error| {
            let reason = format!("the token cannot be signed: {error}");
            Failed::fault(ExchangeRefusal::Unavailable, reason)
        })?;
        Ok(Issued {
            expires_in: lifetime.as_secs(),
            token_id: minted.token_id().map(ToOwned::to_owned),
            token: minted.into_token(),
            scope,
            audiences,
            subject_issuer: sources.subject.issuer().to_owned(),
            has_actor,
        })
    }

    /// Returns whether the engine trusts more than one issuer, apart from that of the exchanged tokens.
    pub(super) fn has_several_issuers(&self) -> bool {
        let issuers = self.auth.issuers().into_iter().chain(self.auth.strategies());
        issuers.filter(|name| *name != self.issuer).count() > 1
    }
}

/// Checks the audiences: a token without one would be for every service.
fn check_audiences(audiences: &[String]) -> Result<(), Failed> {
    if audiences.is_empty() || audiences.iter().any(String::is_empty) {
        return Err(Failed::new(ExchangeRefusal::InvalidTarget, "the decision has no audience"));
    }
    Ok(())
}

/// Returns when the first token of a session was issued, so that a cut-off of its subject ends what was exchanged
/// later, too.
fn begun_at(subject: &Principal) -> Result<Option<i64>, Failed> {
    let Some(issued_at) = subject.issued_at() else { return Ok(None) };
    let first = subject.claim::<Number>("orig_iat").map_err(|error| Failed::from(&error))?;
    let Some(first) = first else { return Ok(Some(issued_at.seconds())) };
    let first = NumericDate::from_json_number(&first.to_string());
    let first = first.ok_or_else(|| Failed::unacceptable("`orig_iat` is not a date"))?;
    Ok(Some(issued_at.min(first).seconds()))
}

fn audience(audiences: &[String]) -> Value {
    match audiences {
        [only] => only.as_str().into(),
        several => several.into(),
    }
}

/// Returns the session of a token, so that a revocation of the session ends what was exchanged for it. A token without
/// one begins a session, which is named as the token is.
fn session(subject: &Principal) -> Result<Option<String>, Failed> {
    let session = subject.claim::<String>("sid").map_err(|error| Failed::from(&error))?;
    let own = subject.token_id().map(ToOwned::to_owned);
    Ok(session.filter(|session| !session.is_empty()).or(own).filter(|session| !session.is_empty()))
}
