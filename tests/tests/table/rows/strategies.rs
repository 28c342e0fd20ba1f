//! Credentials that are no JWTs, and rights that are looked up: each at once, and after a wait.

use portcullis::{
    Attempt, AuthError, AuthErrorKind, Credential, Grant, Identity, Place, Principal, Resolving,
    Strategy, policy::scope,
};

use super::{World, built, caller, unentitled};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [keys(world), rights(world)].concat()
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
            "revoked" => Attempt::Refuse(AuthErrorKind::TokenRevoked.into()),
            "down" => Attempt::Refuse(AuthErrorKind::StoreUnavailable.into()),
            _ => Attempt::Abstain,
        }
    }
}

fn keys(world: &World) -> Vec<Case> {
    let paved = || Place::header_query_cookie("access_token");
    let configuration = world.configuration("keys beside JWTs", move |builder| {
        built(builder.strategy(Keys).places(paved())).require(scope("orders:read"))
    });
    let optional = world.configuration("keys beside JWTs, optional", move |builder| {
        built(builder.strategy(Keys).places(paved())).optional()
    });
    let bob = || {
        let roles = vec!["clerk".to_owned()];
        Answer::accepted(Caller { issuer: "keys".to_owned(), roles, ..caller("bob") })
    };
    let bearer = |token: &str| Request::new().bearer(token);
    let query = |token: &str| Request::new().query(format!("a=1&access_token={token}"));
    let refused = Answer::refused;
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
            ("a revoked key", bearer("key_revoked"), refused("token_revoked")),
            ("a slow revoked key", bearer("slow_revoked"), refused("token_revoked")),
            (
                "a slow revoked key in the query",
                query("slow_revoked"),
                refused("token_revoked").no_store(),
            ),
            ("a slow store that is down", bearer("slow_down"), refused("store_unavailable")),
            ("a key that nobody knows", bearer("key_eve"), refused("malformed_token")),
            ("a slow key that nobody knows", bearer("slow_eve"), refused("malformed_token")),
            ("neither", bearer("opaque"), refused("malformed_token")),
            (
                "a JWT that has expired",
                bearer(&world.token().expired().build()),
                refused("token_expired"),
            ),
            ("a key and a JWT", bearer("key_bob").bearer(&jwt), refused("multiple_tokens")),
        ],
    );
    all.extend(cases(
        &optional,
        [
            ("a slow key", bearer("slow_bob"), bob()),
            ("a slow revoked key", bearer("slow_revoked"), refused("token_revoked")),
            ("a slow key that nobody knows", bearer("slow_eve"), refused("malformed_token")),
        ],
    ));
    all
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
    let places = || Place::header_query_cookie("access_token");
    let free = world.configuration("rights are looked up", move |builder| {
        built(builder.places(places()).with_resolver(Resolving::new(look_up)))
    });
    let needing = world.configuration("rights are looked up, and a scope", move |builder| {
        built(builder.with_resolver(Resolving::new(look_up))).require(scope("orders:read"))
    });
    let optional = world.configuration("rights are looked up, optional", move |builder| {
        built(builder.with_resolver(Resolving::new(look_up))).optional()
    });
    let of = |subject: &str| Request::new().bearer(&world.token_of(subject));
    let refused = Answer::refused;
    let in_query = Request::new().query(format!("access_token={}", world.token_of("alice")));
    let expired = Request::new().bearer(&world.token().expired().build());
    let mut all = cases(
        &free,
        [
            ("alice", of("alice"), Answer::accepted(caller("alice"))),
            ("bob", of("bob"), Answer::accepted(unentitled("bob"))),
            ("alice in the query", in_query, Answer::accepted(caller("alice")).no_store()),
            ("someone disabled", of("mallory"), refused("subject_disabled")),
            ("someone unknown", of("eve"), refused("subject_unknown")),
            ("an outage", of("outage"), refused("resolver_unavailable")),
            (
                "an outage, HEAD",
                of("outage").method("HEAD"),
                refused("resolver_unavailable").for_method("HEAD"),
            ),
            ("an expired token", expired, refused("token_expired")),
        ],
    );
    let insufficient = refused("insufficient_scope").parameter("scope", "orders:read");
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
            ("an outage", of("outage"), refused("resolver_unavailable")),
            ("someone unknown", of("eve"), refused("subject_unknown")),
        ],
    ));
    all
}
