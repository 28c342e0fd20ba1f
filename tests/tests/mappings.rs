//! From claims to rights, as five systems do it, each sentence of their rules a row.
//!
//! Where a system does what weakens a check, ours does it by a setting that says `dangerous`, or by the
//! application's own function; the rows say what comes of it without.

#![expect(clippy::unwrap_used, reason = "short helpers of tests")]

#[path = "mappings/airflow.rs"]
mod airflow;
#[path = "mappings/krishiv.rs"]
mod krishiv;
#[path = "mappings/n8n.rs"]
mod n8n;
#[path = "mappings/several_issuers.rs"]
mod several_issuers;
#[path = "mappings/temporal.rs"]
mod temporal;
#[path = "mappings/windmill.rs"]
mod windmill;

use std::{fmt::Debug, sync::Arc};

use conformance::{AUDIENCE, NOW};
use portcullis::{
    AuthError, Authenticator, AuthenticatorBuilder, Grant, GrantMapping, NumericDate, Policy,
    adapter::Authenticated,
};
use portcullis_testkit::{ManualClock, TestIssuer};
use serde_json::Value;

/// The issuer of a system, and an engine that trusts it.
struct System<G> {
    issuer: TestIssuer,
    auth: Authenticator<G>,
}

impl<G: Send + Sync + 'static> System<G> {
    fn new(
        mapping: GrantMapping,
        finish: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder<G>,
    ) -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
        let builder = Authenticator::builder()
            .issuer(issuer.trusted().grant_mapping(mapping))
            .audience(AUDIENCE)
            .clock(clock);
        Self { auth: finish(builder).build().unwrap(), issuer }
    }

    /// Returns a token with these claims, beside those of every token.
    fn token(&self, claims: &Value) -> String {
        let members = claims.as_object().unwrap();
        let token = self.issuer.token().audience(AUDIENCE);
        members.iter().fold(token, |token, (name, value)| token.claim(name, value)).build()
    }

    fn caller(&self, claims: &Value) -> Result<Authenticated<G>, AuthError> {
        self.auth.authenticate_token_now(&self.token(claims))
    }

    fn grant(&self, claims: &Value) -> Result<Arc<G>, &'static str> {
        match self.caller(claims) {
            Ok(caller) => Ok(Arc::clone(caller.grant())),
            Err(error) => Err(error.kind().code()),
        }
    }

    /// Judges a policy: `ok`, or the code of the rejection.
    fn decision(&self, claims: &Value, policy: &Policy<G>) -> &'static str {
        let decision =
            self.caller(claims).and_then(|caller| policy.check(caller.principal(), caller.grant()));
        decision.err().map_or("ok", |error| error.kind().code())
    }
}

impl System<Grant> {
    fn by_data(mapping: GrantMapping) -> Self {
        Self::new(mapping, |builder| builder)
    }
}

/// Says of a row that the grant is this one.
fn assert_row<G: Debug + PartialEq>(
    sentence: &str,
    claims: &Value,
    found: &Result<Arc<G>, &'static str>,
    expected: &Result<G, &'static str>,
) {
    let found = found.as_ref().map(AsRef::as_ref);
    assert_eq!(found, expected.as_ref(), "{sentence}: {claims}");
}
