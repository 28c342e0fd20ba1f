//! Tokens that name a subject and who acts for it: both are looked up, and each rejects in its own way.

#![expect(clippy::unwrap_used, reason = "short helpers of tests")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    AuthError, AuthErrorKind, Authenticator, NumericDate,
    grant::{Account, AccountStatus, DelegationResolver, ResolverConfig},
};
use portcullis_testkit::{ManualClock, TestIssuer};
use serde_json::{Value, json};

const ISSUER: &str = "https://idp.test";

/// Roles of parties, and who was asked about.
#[derive(Clone, Debug, Default)]
struct Accounts {
    asked: Arc<Mutex<Vec<String>>>,
    promoted: Arc<AtomicBool>,
}

impl Accounts {
    async fn look_up(self, party: Account) -> Result<AccountStatus<&'static str>, AuthError> {
        let part = if party.is_actor() { "actor" } else { "subject" };
        let asked = format!("{part} {} of {}", party.subject(), party.issuer());
        self.asked.lock().unwrap().push(asked);
        assert_eq!(party.principal().trusted_issuer(), ISSUER);
        tokio::task::yield_now().await;
        let is_promoted = self.promoted.load(Ordering::SeqCst);
        match (party.issuer(), party.subject()) {
            (ISSUER, "owner") => Ok(AccountStatus::Active("owner")),
            (ISSUER, "agent") if is_promoted => Ok(AccountStatus::Active("admin")),
            (ISSUER, "agent") => Ok(AccountStatus::Active("member")),
            ("https://other.test", "owner") => Ok(AccountStatus::Active("stranger")),
            (ISSUER, "former") => Ok(AccountStatus::Disabled),
            (ISSUER, "outage") => Err(AuthErrorKind::ResolverUnavailable.into()),
            _ => Ok(AccountStatus::Unknown),
        }
    }
}

struct World {
    issuer: TestIssuer,
    accounts: Accounts,
    auth: Authenticator<&'static str>,
}

/// What an unknown actor means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unknown {
    Rejects,
    LetsTheSubjectAct,
}

impl World {
    fn new(unknown: Unknown) -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let accounts = Accounts::default();
        let by_party = DelegationResolver::new({
            let accounts = accounts.clone();
            move |party| accounts.clone().look_up(party)
        });
        let by_party = match unknown {
            Unknown::Rejects => by_party,
            Unknown::LetsTheSubjectAct => by_party.dangerous_unknown_actor_is_subject(),
        };
        let auth = Authenticator::builder()
            .issuer(issuer.trusted().dangerous_optional_subject())
            .audience(AUDIENCE)
            .clock(clock)
            .with_resolver(ResolverConfig::new(by_party))
            .build()
            .unwrap();
        Self { issuer, accounts, auth }
    }

    async fn outcome(&self, subject: &str, act: &Value) -> &'static str {
        let token = self.issuer.token().audience(AUDIENCE).subject(subject);
        let token = if act.is_null() { token } else { token.claim("act", act) };
        let request = Request::new().bearer(&token.build());
        let verdict = self.auth.authenticate(&request).await;
        match verdict.result {
            Ok(caller) => *caller.grant().as_ref(),
            Err(error) => error.kind().code(),
        }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.accounts.asked.lock().unwrap())
    }
}

#[tokio::test]
async fn subject_and_actor_are_looked_up_apart_and_the_actor_decides_what_may_be_done() {
    let act = |subject: &str| json!({ "sub": subject });
    let unknown = "actor_disabled";
    let rows = [
        // Without an actor the subject acts.
        ("owner", Value::Null, "owner", "owner"),
        ("nobody", Value::Null, "subject_unknown", "subject_unknown"),
        ("former", Value::Null, "subject_disabled", "subject_disabled"),
        ("outage", Value::Null, "resolver_unavailable", "resolver_unavailable"),
        ("owner", act("agent"), "member", "member"),
        ("agent", act("owner"), "owner", "owner"),
        ("owner", act("former"), "actor_disabled", "actor_disabled"),
        ("owner", act("outage"), "resolver_unavailable", "resolver_unavailable"),
        ("owner", act("nobody"), unknown, "owner"),
        ("agent", act("nobody"), unknown, "member"),
        ("owner", act(""), unknown, "owner"),
        // Whoever acts, the subject must be there.
        ("nobody", act("agent"), "subject_unknown", "subject_unknown"),
        ("former", act("agent"), "subject_disabled", "subject_disabled"),
        ("former", act("nobody"), "subject_disabled", "subject_disabled"),
        ("outage", act("agent"), "resolver_unavailable", "resolver_unavailable"),
        ("", act("agent"), "subject_unknown", "subject_unknown"),
        ("", Value::Null, "subject_unknown", "subject_unknown"),
        // The name of an actor belongs to the issuer that the token tells.
        ("agent", json!({"sub": "owner", "iss": "https://other.test"}), "stranger", "stranger"),
        ("agent", json!({"sub": "owner", "iss": ISSUER}), "owner", "owner"),
        ("owner", json!({"sub": "agent", "iss": "https://other.test"}), unknown, "owner"),
        // Those who acted before do not count, whatever they are.
        ("owner", json!({"sub": "agent", "act": {"sub": "former"}}), "member", "member"),
        ("owner", json!({"sub": "agent", "act": {"sub": "nobody"}}), "member", "member"),
        ("owner", json!({"sub": "nobody", "act": {"sub": "agent"}}), unknown, "owner"),
        (
            "owner",
            json!({"sub": "former", "act": {"sub": "agent"}}),
            "actor_disabled",
            "actor_disabled",
        ),
    ];
    let (safe, compatible) = (World::new(Unknown::Rejects), World::new(Unknown::LetsTheSubjectAct));
    for (subject, act, by_default, where_named) in rows {
        assert_eq!(safe.outcome(subject, &act).await, by_default, "{subject} {act}");
        assert_eq!(compatible.outcome(subject, &act).await, where_named, "{subject} {act}");
    }
}

#[tokio::test]
async fn each_party_is_asked_about_once_and_nobody_who_does_not_decide() {
    let world = World::new(Unknown::Rejects);
    let chain = json!({"sub": "agent", "act": {"sub": "former"}});
    for (subject, act, expected) in [
        ("owner", &Value::Null, &["subject owner of https://idp.test"][..]),
        (
            "owner",
            &chain,
            &["subject owner of https://idp.test", "actor agent of https://idp.test"],
        ),
        ("nobody", &chain, &["subject nobody of https://idp.test"]),
        ("", &chain, &[]),
    ] {
        world.outcome(subject, act).await;
        assert_eq!(world.asked(), expected, "{subject} {act}");
    }
}

#[tokio::test]
async fn a_role_of_the_actor_that_changes_holds_from_the_next_request() {
    let world = World::new(Unknown::Rejects);
    let act = json!({"sub": "agent"});
    assert_eq!(world.outcome("owner", &act).await, "member");
    world.accounts.promoted.store(true, Ordering::SeqCst);
    assert_eq!(world.outcome("owner", &act).await, "admin");
}
