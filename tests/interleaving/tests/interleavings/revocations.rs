//! Revocations that are written while requests are checked.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use interleaving::{Run, explore};
use portcullis::{
    Algorithm, Authenticator, Grant, NumericDate, Principal, ReloadableAuthenticator,
    clock::Clock,
    future::BoxFuture,
    grant::ResolverConfig,
    interleave::point,
    revocation::{
        Changes, MemoryStore, Position, Revocation, RevocationStore, Revocations, Revoked,
        StoreError, StoreErrorKind,
    },
};
use portcullis_testkit::{ManualClock, TestIssuer};

use super::{AUDIENCE, ISSUER, Moment, judge};

/// A store that takes a while, and that may lose what it has.
#[derive(Clone, Debug)]
struct Store {
    memory: Arc<Mutex<Arc<MemoryStore>>>,
    is_lost: Arc<AtomicBool>,
    clock: ManualClock,
}

impl Store {
    fn new(run: &Run) -> Self {
        let memory = Arc::new(Mutex::new(Arc::new(MemoryStore::new())));
        Self { memory, is_lost: Arc::default(), clock: run.clock() }
    }

    /// Loses all entries, as a store that is restored from a backup of before.
    fn lose(&self) {
        *self.memory.lock().unwrap() = Arc::new(MemoryStore::new());
        self.is_lost.store(true, Ordering::SeqCst);
    }

    fn memory(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.memory.lock().unwrap())
    }

    async fn pause(&self, name: &'static str) {
        point(name);
        self.clock.sleep(Duration::from_millis(1)).await;
    }
}

impl RevocationStore for Store {
    fn label(&self) -> &str {
        "store"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            self.pause("store: adds").await;
            let added = self.memory().add(entries).await;
            self.pause("store: added").await;
            added
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move {
            if after.is_some() && self.is_lost.swap(false, Ordering::SeqCst) {
                return Err(StoreError::new(StoreErrorKind::PositionLost, "restored"));
            }
            let read = self.memory().read(after).await;
            self.pause("store: read").await;
            read
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async {
            self.pause("store: looks").await;
            let found = self.memory().find(wanted).await;
            point("store: found");
            found
        })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { self.memory().delete_expired(before).await })
    }
}

fn token(run: &Run, issuer: &TestIssuer) -> String {
    let token = issuer.clone().clock(run.clock()).token().algorithm(Algorithm::EdDSA);
    let token = token.claim("jti", "1").audience(AUDIENCE);
    token.expires_in(Duration::from_secs(1_000_000)).build()
}

fn revoked() -> Revocation {
    Revocation::new(ISSUER, Revoked::Token("1".into()))
}

/// An engine that looks rights up, which takes a while.
fn engine(run: &Run, issuer: &TestIssuer, revocations: &Revocations) -> Authenticator {
    let clock = run.clock();
    let resolver = ResolverConfig::new(move |_: Principal| {
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_millis(1)).await;
            point("rights: read");
            Ok(Grant::default())
        }
    });
    let builder = Authenticator::builder().issuer(issuer.trusted()).audience(AUDIENCE);
    let builder = builder.clock(run.clock()).revocations(revocations.clone());
    builder.with_resolver(resolver).build().unwrap()
}

/// Adds tasks that judge a token again and again.
fn requests(run: &mut Run, auth: &Authenticator, token: &str, revoked: &Moment) {
    for name in ["first request", "second request"] {
        let (auth, token, revoked) = (auth.clone(), token.to_owned(), revoked.clone());
        run.task(name, async move {
            for _ in 0..6 {
                point("request");
                let _ = revoked.judge_after(&auth, &token).await;
                revoked.pause().await;
            }
        });
    }
}

#[test]
fn a_token_whose_revocation_was_acknowledged_is_not_accepted_by_this_replica() {
    let issuer = TestIssuer::new(ISSUER);
    explore(|run| {
        run.spawns();
        let auth = engine(run, &issuer, &Revocations::new(Store::new(run)));
        let (token, moment) = (token(run, &issuer), Moment::new(run.steps(), run.clock()));
        requests(run, &auth, &token, &moment);
        run.task("administrator", async move {
            while judge(&auth, &token).await.is_err() {
                moment.pause().await;
            }
            auth.revoke(&[revoked()]).await.unwrap();
            moment.is_now();
        });
        run.run();
    });
}

#[test]
fn a_token_that_another_replica_has_revoked_is_not_accepted_in_strict_mode() {
    let issuer = TestIssuer::new(ISSUER);
    explore(|run| {
        run.spawns();
        let store = Store::new(run);
        let auth = engine(run, &issuer, &Revocations::new(store.clone()).strict());
        let (token, moment) = (token(run, &issuer), Moment::new(run.steps(), run.clock()));
        for name in ["first request", "second request"] {
            let (auth, token, moment) = (auth.clone(), token.clone(), moment.clone());
            run.task(name, async move {
                for _ in 0..4 {
                    point("request");
                    moment.judge_begun_after(&auth, &token).await;
                }
            });
        }
        run.task("another replica", async move {
            moment.pause().await;
            store.add(&[revoked()]).await.unwrap();
            moment.is_now();
        });
        run.run();
    });
}

#[test]
fn a_revocation_outlives_a_store_that_loses_it_and_an_engine_that_is_replaced() {
    let issuer = TestIssuer::new(ISSUER);
    explore(|run| {
        run.spawns();
        let store = Store::new(run);
        let first = engine(run, &issuer, &Revocations::new(store.clone()));
        let next = engine(run, &issuer, &Revocations::new(store.clone()));
        let reloadable = ReloadableAuthenticator::new(first);
        let auth = reloadable.authenticator();
        let (token, moment) = (token(run, &issuer), Moment::new(run.steps(), run.clock()));
        requests(run, &auth, &token, &moment);
        run.task("store", async move {
            for _ in 0..3 {
                store.pause("store: goes on").await;
            }
            store.lose();
        });
        run.task("operator", async move {
            point("operator: starts");
            reloadable.replace(next).await.unwrap();
        });
        run.task("administrator", async move {
            while judge(&auth, &token).await.is_err() {
                moment.pause().await;
            }
            auth.revoke(&[revoked()]).await.unwrap();
            moment.is_now();
        });
        run.run();
    });
}
