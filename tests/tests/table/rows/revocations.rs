//! Tokens that were revoked or used before, and stores that do not answer.

use conformance::trusting;
use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{
        Changes, Position, ReplayStore, Revocation, RevocationStore, Revocations, StoreError,
        StoreErrorKind, Use,
    },
};
use portcullis_testkit::TokenBuilder;

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::{READINESS_PATH, Request},
    setup::{Configuration, Setup},
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [strict(world), not_loaded(world), one_time(world)].concat()
}

/// Answers by the `jti`: `revoked`, `used`, or `down` for a store that does not answer. It has nothing to load.
#[derive(Debug)]
struct Scripted;

impl Scripted {
    fn answer(jti: &str) -> Result<bool, StoreError> {
        match jti {
            "down" => Err(StoreError::new(StoreErrorKind::Unavailable, "connection refused")),
            jti => Ok(matches!(jti, "revoked" | "used")),
        }
    }
}

impl RevocationStore for Scripted {
    fn label(&self) -> &str {
        "scripted"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn add<'a>(&'a self, _: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn read<'a>(&'a self, _: Option<&'a Position>) -> BoxFuture<'a, Result<Changes, StoreError>> {
        let error = StoreError::new(StoreErrorKind::Unavailable, "connection refused");
        Box::pin(async { Err(error) })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async {
            // Another task first, as a real store would.
            tokio::task::yield_now().await;
            let mut found = Vec::new();
            for entry in wanted.iter().filter(|entry| entry.revoked.kind() == "token") {
                if Self::answer(entry.revoked.id())? {
                    found.push(entry.clone());
                }
            }
            Ok(found)
        })
    }

    fn delete_expired(&self, _: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}

impl ReplayStore for Scripted {
    fn label(&self) -> &str {
        "scripted"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn consume<'a>(
        &'a self,
        _: &'a str,
        jti: &'a str,
        _: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            Self::answer(jti).map(|used| if used { Use::Replayed } else { Use::First })
        })
    }

    fn delete_expired(&self, _: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}

fn token(world: &World, jti: &str) -> TokenBuilder {
    world.token().claim("jti", jti)
}

fn strict(world: &World) -> Vec<Case> {
    let configuration = world.configuration("revocations, asked at each request", |builder| {
        built(builder.revocations(Revocations::new(Scripted).strict()))
    });
    let with = |jti: &str| Request::new().bearer(&token(world, jti).build());
    cases(
        &configuration,
        [
            ("a good token", with("1"), Answer::accepted(caller("alice"))),
            ("a revoked token", with("revoked"), Answer::rejected("token_revoked")),
            (
                "HEAD with a revoked token",
                with("revoked").method("HEAD"),
                Answer::rejected("token_revoked").for_method("HEAD"),
            ),
            ("a store that is down", with("down"), Answer::rejected("store_unavailable")),
            (
                "no id",
                Request::new().bearer(&world.token_of("alice")),
                Answer::rejected("missing_claim"),
            ),
            (
                "a bad signature, whatever the store says",
                Request::new().bearer(&token(world, "down").wrong_signature().build()),
                Answer::rejected("signature_mismatch"),
            ),
            ("nothing", Request::new(), Answer::rejected("no_credentials")),
        ],
    )
}

/// In local mode, with a store that cannot be read.
fn not_loaded(world: &World) -> Vec<Case> {
    let setup = |issuer: portcullis::Issuer| {
        built(trusting(issuer).revocations(Revocations::new(Scripted)))
    };
    let configuration = |name: &str, change: fn(Setup) -> Setup| {
        let issuer = world.setting.issuer.clone();
        Configuration::new(name, move || change(setup(issuer.trusted())))
    };
    let plain = configuration("revocations that are not loaded", |setup| setup);
    let optional = configuration("the same, optional", Setup::optional);
    let good = Request::new().bearer(&token(world, "1").build());
    let expired = Request::new().bearer(&token(world, "1").expired().build());
    let unavailable = || Answer::rejected("store_unavailable");
    let mut all = cases(
        &plain,
        [
            ("a good token", good.clone(), unavailable()),
            ("an expired token", expired, Answer::rejected("token_expired")),
            ("nothing", Request::new(), Answer::rejected("no_credentials")),
            ("a probe", Request::new().path(READINESS_PATH), Answer::probe(503, "not ready")),
        ],
    );
    all.extend(cases(
        &optional,
        [("a good token", good, unavailable()), ("nothing", Request::new(), Answer::anonymous())],
    ));
    all
}

fn one_time(world: &World) -> Vec<Case> {
    let issuer = world.setting.issuer.clone();
    let configuration = Configuration::new("tokens that may be used once", move || {
        built(trusting(issuer.trusted().one_time()).replay_store(Scripted))
    });
    let with = |jti: &str| Request::new().bearer(&token(world, jti).build());
    cases(
        &configuration,
        [
            ("the first use", with("1"), Answer::accepted(caller("alice"))),
            ("the second use", with("used"), Answer::rejected("token_replayed")),
            ("a store that is down", with("down"), Answer::rejected("store_unavailable")),
            (
                "no id",
                Request::new().bearer(&world.token_of("alice")),
                Answer::rejected("missing_claim"),
            ),
        ],
    )
}
