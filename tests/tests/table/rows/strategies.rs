//! Credentials that are no JWTs, and rights that are looked up: each at once, and after a wait.

use portcullis::{
    AuthError, AuthErrorKind, Grant, Principal, StaticTokens, TokenLocation,
    grant::{Account, AccountStatus, DelegationResolver, ResolverConfig},
    policy::scope,
    strategy::{Attempt, Credential, Identity, Strategy},
};
use serde_json::json;

use super::{World, built, caller, unentitled};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [keys(world), chain(world), static_tokens(world), rights(world), parties(world)].concat()
}

/// Keys such as `key_bob`, which are known at once, and `slow_bob`, which take a while.
#[derive(Debug)]
struct Keys;

impl Strategy for Keys {
    fn name(&self) -> &str {
        "keys"
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        if let Some(holder) = credential.token().strip_prefix("key_") {
            return Self::of(holder);
        }
        let Some(holder) = credential.token().strip_prefix("slow_") else {
            return Attempt::Abstain;
        };
        let holder = holder.to_owned();
        Attempt::Later(Box::pin(async move {
            tokio::task::yield_now().await;
            Self::of(&holder)
        }))
    }
}

impl Keys {
    fn of(holder: &str) -> Attempt {
        match holder {
            "bob" => Attempt::Accept(Identity::new("bob").scope("orders:read").roles(["clerk"])),
            "revoked" => Attempt::Reject(AuthErrorKind::TokenRevoked.into()),
            "down" => Attempt::Reject(AuthErrorKind::StoreUnavailable.into()),
            _ => Attempt::Abstain,
        }
    }
}

fn keys(world: &World) -> Vec<Case> {
    let paved = || TokenLocation::header_query_cookie("access_token");
    let configuration = world.configuration("keys beside JWTs", move |builder| {
        built(builder.strategy(Keys).locations(paved())).require(scope("orders:read"))
    });
    let optional = world.configuration("keys beside JWTs, optional", move |builder| {
        built(builder.strategy(Keys).locations(paved())).optional()
    });
    let bob = || {
        let roles = vec!["clerk".to_owned()];
        Answer::accepted(Caller { issuer: "keys".to_owned(), roles, ..caller("bob") })
    };
    let bearer = |token: &str| Request::new().bearer(token);
    let query = |token: &str| Request::new().query(format!("a=1&access_token={token}"));
    let rejected = Answer::rejected;
    let jwt = world.token_of("alice");
    let mut all = cases(
        &configuration,
        [
            ("a JWT", bearer(&jwt), Answer::accepted(caller("alice"))),
            ("a key", bearer("key_bob"), bob()),
            ("a slow key", bearer("slow_bob"), bob()),
            ("a key in the query", query("key_bob"), bob().seeing("a=1").no_store()),
            ("a slow key in the query", query("slow_bob"), bob().seeing("a=1").no_store()),
            ("a slow key, HEAD", bearer("slow_bob").method("HEAD"), bob().for_method("HEAD")),
            ("a revoked key", bearer("key_revoked"), rejected("token_revoked")),
            ("a slow revoked key", bearer("slow_revoked"), rejected("token_revoked")),
            (
                "a slow revoked key in the query",
                query("slow_revoked"),
                rejected("token_revoked").no_store(),
            ),
            ("a slow store that is down", bearer("slow_down"), rejected("store_unavailable")),
            ("a key that nobody knows", bearer("key_eve"), rejected("malformed_token")),
            ("a slow key that nobody knows", bearer("slow_eve"), rejected("malformed_token")),
            ("neither", bearer("opaque"), rejected("malformed_token")),
            (
                "a JWT that has expired",
                bearer(&world.token().expired().build()),
                rejected("token_expired"),
            ),
            ("a key and a JWT", bearer("key_bob").bearer(&jwt), rejected("multiple_tokens")),
        ],
    );
    all.extend(cases(
        &optional,
        [
            ("a slow key", bearer("slow_bob"), bob()),
            ("a slow revoked key", bearer("slow_revoked"), rejected("token_revoked")),
            ("a slow key that nobody knows", bearer("slow_eve"), rejected("malformed_token")),
        ],
    ));
    all
}

/// One of three strategies: its answer is its letter of the token, at once or, in upper case, later.
#[derive(Debug)]
struct Nth(usize);

const NAMES: [&str; 3] = ["first", "second", "third"];

impl Strategy for Nth {
    fn name(&self) -> &str {
        NAMES[self.0]
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        let letter =
            credential.token().strip_prefix("chain-").map(|letters| letters.as_bytes()[self.0]);
        let name = NAMES[self.0];
        let answer =
            move |letter: Option<u8>| match letter.map(|letter| letter.to_ascii_lowercase()) {
                Some(b'a') => Attempt::Accept(Identity::new(name)),
                Some(b'r') => Attempt::Reject(AuthErrorKind::TokenRevoked.into()),
                _ => Attempt::Abstain,
            };
        match letter {
            Some(later) if later.is_ascii_uppercase() => {
                Attempt::Later(Box::pin(async move { answer(letter) }))
            }
            _ => answer(letter),
        }
    }
}

/// Every combination of the answers of three strategies, each at once or later.
fn chain(world: &World) -> Vec<Case> {
    let configuration = world.configuration("a chain of three", |builder| {
        built(builder.strategy(Nth(0)).strategy(Nth(1)).strategy(Nth(2)))
    });
    let letters = ['a', 'r', 'n', 'A', 'R', 'N'];
    let mut rows = Vec::new();
    for first in letters {
        for second in letters {
            for third in letters {
                let answers = [first, second, third];
                // The first that does not abstain; if all do, the issuers say why.
                let decides = answers.iter().position(|answer| !answer.eq_ignore_ascii_case(&'n'));
                let answer = match decides {
                    None => Answer::rejected("malformed_token"),
                    Some(at) if answers[at].eq_ignore_ascii_case(&'r') => {
                        Answer::rejected("token_revoked")
                    }
                    Some(at) => Answer::accepted(Caller {
                        issuer: NAMES[at].to_owned(),
                        ..unentitled(NAMES[at])
                    }),
                };
                let token: String = ["chain-".to_owned(), answers.iter().collect()].concat();
                rows.push((token.clone(), Request::new().bearer(&token), answer));
            }
        }
    }
    cases(&configuration, rows)
}

fn static_tokens(world: &World) -> Vec<Case> {
    let tokens = StaticTokens::builder("services")
        .token("s3cret-of-etl", Identity::new("etl").roles(["writer"]).scope("jobs:run"))
        // The digest of `secret`.
        .text("backup=sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b")
        .build()
        .unwrap();
    let places =
        || [TokenLocation::bearer(), TokenLocation::header("x-api-key").of_issuer("services")];
    let configuration = world.configuration("static tokens beside JWTs", move |builder| {
        built(builder.strategy(tokens.clone()).locations(places()))
    });
    let service = |subject: &str| Caller { issuer: "services".to_owned(), ..unentitled(subject) };
    let etl = || {
        let (roles, scope) = (vec!["writer".to_owned()], vec!["jobs:run".to_owned()]);
        Answer::accepted(Caller { roles, scope, ..service("etl") })
    };
    let backup = || Answer::accepted(service("backup"));
    let bearer = |token: &str| Request::new().bearer(token);
    let key = |value: &str| Request::new().field("x-api-key", value);
    let rejected = Answer::rejected;
    let jwt = world.token_of("alice");
    cases(
        &configuration,
        [
            ("a JWT", bearer(&jwt), Answer::accepted(caller("alice"))),
            ("a JWT where keys belong", key(&jwt), rejected("untrusted_issuer")),
            ("a token", bearer("s3cret-of-etl"), etl()),
            ("a token as a key", key("s3cret-of-etl"), etl()),
            ("a token by its digest", bearer("secret"), backup()),
            ("a prefix of a token", bearer("s3cret-of-et"), rejected("malformed_token")),
            ("a token and more", bearer("s3cret-of-etl2"), rejected("malformed_token")),
            ("a token in another case", bearer("S3cret-of-etl"), rejected("malformed_token")),
            (
                "a digest itself",
                key("sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"),
                rejected("malformed_request"),
            ),
            ("a name", bearer("backup"), rejected("malformed_token")),
            ("two keys", key("secret").field("x-api-key", "secret"), rejected("multiple_tokens")),
            ("a key and a JWT", key("secret").bearer(&jwt), rejected("multiple_tokens")),
        ],
    )
}

/// What the database says of a subject.
async fn look_up(caller: Principal) -> Result<Grant, AuthError> {
    tokio::task::yield_now().await;
    match caller.subject() {
        "alice" => Ok(Grant::builder().scope("orders:read").build()),
        "bob" => Ok(Grant::default()),
        "mallory" => Err(AuthErrorKind::SubjectDisabled.into()),
        "outage" => Err(AuthErrorKind::ResolverUnavailable.into()),
        _ => Err(AuthErrorKind::SubjectUnknown.into()),
    }
}

/// The token's own scope counts for nothing.
fn rights(world: &World) -> Vec<Case> {
    let places = || TokenLocation::header_query_cookie("access_token");
    let free = world.configuration("rights are looked up", move |builder| {
        built(builder.locations(places()).with_resolver(ResolverConfig::new(look_up)))
    });
    let needing = world.configuration("rights are looked up, and a scope", move |builder| {
        built(builder.with_resolver(ResolverConfig::new(look_up))).require(scope("orders:read"))
    });
    let optional = world.configuration("rights are looked up, optional", move |builder| {
        built(builder.with_resolver(ResolverConfig::new(look_up))).optional()
    });
    let of = |subject: &str| Request::new().bearer(&world.token_of(subject));
    let rejected = Answer::rejected;
    let in_query = Request::new().query(format!("access_token={}", world.token_of("alice")));
    let expired = Request::new().bearer(&world.token().expired().build());
    let mut all = cases(
        &free,
        [
            ("alice", of("alice"), Answer::accepted(caller("alice"))),
            ("bob", of("bob"), Answer::accepted(unentitled("bob"))),
            ("alice in the query", in_query, Answer::accepted(caller("alice")).no_store()),
            ("someone disabled", of("mallory"), rejected("subject_disabled")),
            ("someone unknown", of("eve"), rejected("subject_unknown")),
            ("an outage", of("outage"), rejected("resolver_unavailable")),
            (
                "an outage, HEAD",
                of("outage").method("HEAD"),
                rejected("resolver_unavailable").for_method("HEAD"),
            ),
            ("an expired token", expired, rejected("token_expired")),
        ],
    );
    let insufficient = rejected("insufficient_scope").parameter("scope", "orders:read");
    all.extend(cases(
        &needing,
        [
            ("alice", of("alice"), Answer::accepted(caller("alice"))),
            ("bob", of("bob"), insufficient),
        ],
    ));
    all.extend(cases(
        &optional,
        [
            ("nothing", Request::new(), Answer::anonymous()),
            ("an outage", of("outage"), rejected("resolver_unavailable")),
            ("someone unknown", of("eve"), rejected("subject_unknown")),
        ],
    ));
    all
}

/// What the database says of a party. Rights are those of who acts.
async fn look_up_party(party: Account) -> Result<AccountStatus<Grant>, AuthError> {
    tokio::task::yield_now().await;
    Ok(match party.subject() {
        "alice" => AccountStatus::Active(Grant::default()),
        "agent" => AccountStatus::Active(Grant::builder().scope("orders:read").build()),
        "mallory" => AccountStatus::Disabled,
        "outage" => return Err(AuthErrorKind::ResolverUnavailable.into()),
        _ => AccountStatus::Unknown,
    })
}

fn parties(world: &World) -> Vec<Case> {
    let rights = || ResolverConfig::new(DelegationResolver::new(look_up_party));
    let needing = world.configuration("rights of who acts, and a scope", move |builder| {
        built(builder.with_resolver(rights())).require(scope("orders:read"))
    });
    let compatible = world.configuration("the subject for an unknown actor", |builder| {
        let rights = DelegationResolver::new(look_up_party).dangerous_unknown_actor_is_subject();
        built(builder.with_resolver(ResolverConfig::new(rights)))
    });
    let of = |subject: &str, actor: &str| {
        let token = world.token().subject(subject).claim("act", json!({ "sub": actor }));
        Request::new().bearer(&token.build())
    };
    let rejected = Answer::rejected;
    let acted_for = |actor: &str| Caller { actors: vec![actor.to_owned()], ..caller("alice") };
    let insufficient = || rejected("insufficient_scope").parameter("scope", "orders:read");
    let mut all = cases(
        &needing,
        [
            ("alice herself", Request::new().bearer(&world.token_of("alice")), insufficient()),
            ("an agent for alice", of("alice", "agent"), Answer::accepted(acted_for("agent"))),
            ("alice for an agent", of("agent", "alice"), insufficient()),
            ("someone unknown for alice", of("alice", "eve"), rejected("actor_disabled")),
            ("someone disabled for alice", of("alice", "mallory"), rejected("actor_disabled")),
            ("an agent for someone unknown", of("eve", "agent"), rejected("subject_unknown")),
            ("an agent for someone disabled", of("mallory", "agent"), rejected("subject_disabled")),
            ("an outage", of("alice", "outage"), rejected("resolver_unavailable")),
        ],
    );
    let unknown_actor = Caller { scope: Vec::new(), ..acted_for("eve") };
    all.extend(cases(
        &compatible,
        [
            ("someone unknown", of("alice", "eve"), Answer::accepted(unknown_actor)),
            ("someone disabled", of("alice", "mallory"), rejected("actor_disabled")),
        ],
    ));
    all
}
