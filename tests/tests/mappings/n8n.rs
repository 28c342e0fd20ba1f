//! n8n: who acts is looked up now, and the token's own scope counts for nothing (§4.5).

use std::sync::{Arc, Mutex};

use conformance::{AUDIENCE, Request};
use portcullis::{
    AuthError, GrantMapping, Policy, StaticTokens,
    grant::{Account, AccountStatus, DelegationResolver, ResolverConfig},
    policy,
    strategy::Identity,
};
use serde_json::{Value, json};

use super::System;

/// What n8n keeps of a caller: scopes of the role, those of the API, and who acts.
#[derive(Clone, Debug, Eq, PartialEq)]
struct TokenGrant {
    acting: String,
    scopes: &'static [&'static str],
    api_key_scopes: Vec<String>,
}

/// The roles of users, which change.
type Users = Arc<Mutex<Vec<(&'static str, Result<&'static str, Disabled>)>>>;

#[derive(Clone, Copy, Debug)]
struct Disabled;

fn scopes_of(role: &str) -> &'static [&'static str] {
    match role {
        "owner" => &["workflow:read", "workflow:delete", "user:create"],
        "member" => &["workflow:read"],
        _ => &[],
    }
}

async fn look_up(users: Users, party: Account) -> Result<AccountStatus<TokenGrant>, AuthError> {
    let user = users.lock().unwrap().iter().find(|(id, _)| *id == party.subject()).copied();
    let Some((id, role)) = user else { return Ok(AccountStatus::Unknown) };
    let Ok(role) = role else { return Ok(AccountStatus::Disabled) };
    // A key has a list of its own; other callers have that of their role, and users of chats none.
    let own_list = party.principal().claim("api_key_scopes")?;
    let of_role = || scopes_of(role).iter().map(|&scope| scope.to_owned()).collect();
    let api_key_scopes = own_list.unwrap_or_else(of_role);
    Ok(AccountStatus::Active(TokenGrant {
        acting: id.to_owned(),
        scopes: scopes_of(role),
        api_key_scopes,
    }))
}

struct World {
    users: Users,
    system: System<TokenGrant>,
}

impl World {
    fn new(
        unknown_actor: fn(DelegationResolver<Box<LookUp>>) -> DelegationResolver<Box<LookUp>>,
    ) -> Self {
        let users: Users = Arc::new(Mutex::new(vec![
            ("olga", Ok("owner")),
            ("mia", Ok("member")),
            ("chat", Ok("chat")),
            ("dora", Err(Disabled)),
        ]));
        let keys = StaticTokens::builder("n8n-keys")
            .token("key-of-olga", Identity::new("olga").claim("api_key_scopes", ["workflow:read"]))
            .token("key-of-dora", Identity::new("dora").claim("api_key_scopes", ["workflow:read"]))
            .build()
            .unwrap();
        let look_up: Box<LookUp> = {
            let users = Arc::clone(&users);
            Box::new(move |party| Box::pin(look_up(Arc::clone(&users), party)))
        };
        let rights = unknown_actor(DelegationResolver::new(look_up));
        let system = System::new(GrantMapping::default(), move |builder| {
            builder.strategy(keys).with_resolver(ResolverConfig::new(rights))
        });
        Self { users, system }
    }

    /// Waits for who acts with which scopes of the API, or for the code of the rejection.
    async fn judge(&self, token: &str) -> Result<TokenGrant, &'static str> {
        let verdict = self.system.auth.authenticate(&Request::new().bearer(token)).await;
        let caller = verdict.result.map_err(|error| error.kind().code())?;
        // The policy of a route asks for a scope of the API.
        let policy: Policy<TokenGrant> = policy::grant(|grant: &TokenGrant| {
            grant.api_key_scopes.iter().any(|scope| scope == "workflow:read")
        });
        policy.check(caller.principal(), caller.grant()).map_err(|error| error.kind().code())?;
        Ok(TokenGrant::clone(caller.grant()))
    }

    fn token(&self, subject: &str, act: &Value) -> String {
        let claims = match act {
            // The scope that the token claims is not looked at.
            Value::Null => json!({ "sub": subject, "scope": "user:create" }),
            _ => json!({ "sub": subject, "scope": "user:create", "act": act }),
        };
        self.system.token(&claims)
    }
}

type LookUp = dyn Fn(
        Account,
    ) -> portcullis::future::BoxFuture<'static, Result<AccountStatus<TokenGrant>, AuthError>>
    + Send
    + Sync;

#[tokio::test]
async fn the_grant_is_that_of_the_role_of_who_acts() {
    let act = |subject: &str| json!({ "sub": subject });
    let safe = World::new(|rights| rights);
    let compatible = World::new(DelegationResolver::dangerous_unknown_actor_is_subject);
    // Sentence, subject, actor, n8n's answer, and ours where it differs.
    for (sentence, subject, act, theirs, ours) in [
        ("the subject acts", "olga", Value::Null, Ok("olga"), None),
        ("1. missing", "nobody", Value::Null, Err("subject_unknown"), None),
        ("1. disabled", "dora", Value::Null, Err("subject_disabled"), None),
        ("1. missing, whoever acts", "nobody", act("mia"), Err("subject_unknown"), None),
        ("2. the actor acts", "olga", act("mia"), Ok("mia"), None),
        ("2. even if it may do more", "mia", act("olga"), Ok("olga"), None),
        ("2. found and disabled", "olga", act("dora"), Err("actor_disabled"), None),
        ("2. not found", "olga", act("nobody"), Ok("olga"), Some("actor_disabled")),
        (
            "2. one level only",
            "olga",
            json!({"sub": "mia", "act": {"sub": "dora"}}),
            Ok("mia"),
            None,
        ),
        ("an empty list of scopes", "chat", Value::Null, Err("not_permitted"), None),
    ] {
        let (of_theirs, of_ours) = (compatible.token(subject, &act), safe.token(subject, &act));
        let acting = |found: Result<TokenGrant, &'static str>| found.map(|grant| grant.acting);
        let theirs = theirs.map(str::to_owned);
        assert_eq!(acting(compatible.judge(&of_theirs).await), theirs, "{sentence}");
        let ours = ours.map_or(theirs, Err);
        assert_eq!(acting(safe.judge(&of_ours).await), ours, "{sentence}");
    }
}

#[tokio::test]
async fn scopes_come_from_the_role_now_and_not_from_the_token() {
    let world = World::new(|rights| rights);
    let token = world.token("olga", &json!({ "sub": "mia" }));
    assert_eq!(world.judge(&token).await.unwrap().scopes, scopes_of("member"));
    let promote = |role| {
        for user in world.users.lock().unwrap().iter_mut().filter(|(id, _)| *id == "mia") {
            user.1 = role;
        }
    };
    promote(Ok("owner"));
    assert_eq!(world.judge(&token).await.unwrap().scopes, scopes_of("owner"));
    promote(Err(Disabled));
    assert_eq!(world.judge(&token).await, Err("actor_disabled"));
}

#[tokio::test]
async fn a_key_has_the_scopes_of_its_role_and_a_list_of_its_own() {
    let world = World::new(|rights| rights);
    let grant = world.judge("key-of-olga").await.unwrap();
    assert_eq!(grant.scopes, scopes_of("owner"));
    assert_eq!(grant.api_key_scopes, ["workflow:read"]);
    assert_eq!(world.judge("key-of-dora").await, Err("subject_disabled"));
    // A token has no list of its own, and so the whole list of the role.
    let token = world.system.issuer.token().audience(AUDIENCE).subject("olga").build();
    let grant = world.judge(&token).await.unwrap();
    assert_eq!(grant.api_key_scopes, scopes_of("owner"));
}
