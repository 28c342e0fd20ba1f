//! Keys that their issuer withdraws, and engines that take keys over.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use interleaving::{Run, explore};
use portcullis::{
    Algorithm, Authenticator, Issuer, ReloadableAuthenticator, VerificationKey,
    clock::Clock,
    future::BoxFuture,
    interleave::point,
    keys::{KeyDocument, KeySource, KeySourceError, Loaded, RefreshPolicy, Validators},
};
use portcullis_testkit::{ManualClock, TestIssuer};

use super::{AUDIENCE, ISSUER, judge};

/// A source of keys, which takes a while to answer.
#[derive(Clone, Debug)]
struct Published {
    keys: Arc<Mutex<Vec<VerificationKey>>>,
    clock: ManualClock,
}

impl Published {
    fn new(run: &Run, issuer: &TestIssuer) -> Self {
        let key = key_of(issuer);
        Self { keys: Arc::new(Mutex::new(vec![key])), clock: run.clock() }
    }
}

impl KeySource for Published {
    fn label(&self) -> &str {
        "published"
    }

    fn load<'a>(
        &'a self,
        _: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(async {
            let keys = self.keys.lock().unwrap().clone();
            point("issuer: read");
            self.clock.sleep(Duration::from_millis(1)).await;
            Ok(Loaded::Document(KeyDocument::new(keys).lifetime(Some(Duration::from_secs(1)))))
        })
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        RefreshPolicy::default()
    }
}

fn key_of(issuer: &TestIssuer) -> VerificationKey {
    issuer.key(Algorithm::EdDSA).verification_key().unwrap()
}

fn engine(run: &Run, source: &Published) -> Authenticator {
    let issuer = Issuer::new(ISSUER).key_source(source.clone());
    let builder = Authenticator::builder().issuer(issuer).audience(AUDIENCE);
    builder.clock(run.clock()).build().unwrap()
}

fn token(run: &Run, issuer: &TestIssuer) -> String {
    let token = issuer.clone().clock(run.clock()).token().algorithm(Algorithm::EdDSA);
    token.audience(AUDIENCE).expires_in(Duration::from_secs(1_000_000)).build()
}

/// A key that was rejected because it was withdrawn does not come back, neither by a fetch that ends late
/// nor by an engine that takes keys over.
#[test]
fn a_key_that_was_seen_to_be_withdrawn_does_not_come_back() {
    let (old, new) = (TestIssuer::new(ISSUER), TestIssuer::new(ISSUER));
    explore(|run| {
        run.spawns();
        let source = Published::new(run, &old);
        let reloadable = ReloadableAuthenticator::new(engine(run, &source));
        let (auth, next) = (reloadable.authenticator(), engine(run, &source));
        let (old_token, new_token) = (token(run, &old), token(run, &new));
        let is_withdrawn = Arc::new(AtomicBool::new(false));
        for name in ["first request", "second request"] {
            let (auth, token) = (auth.clone(), old_token.clone());
            let (is_withdrawn, clock) = (Arc::clone(&is_withdrawn), run.clock());
            run.task(name, async move {
                for _ in 0..6 {
                    let was_withdrawn = is_withdrawn.load(Ordering::SeqCst);
                    let judged = judge(&auth, &token).await;
                    assert!(judged.is_err() || !was_withdrawn, "a withdrawn key came back");
                    clock.sleep(Duration::from_secs(1)).await;
                }
            });
        }
        let (of_issuer, new_key) = (source, key_of(&new));
        run.task("issuer", async move {
            point("issuer: starts");
            *of_issuer.keys.lock().unwrap() = vec![new_key];
            // The new key has come, so the old one has gone.
            while judge(&auth, &new_token).await.is_err() {
                of_issuer.clock.sleep(Duration::from_secs(1)).await;
            }
            is_withdrawn.store(true, Ordering::SeqCst);
        });
        run.task("administrator", async move {
            point("administrator: starts");
            reloadable.replace(next).await.unwrap();
        });
        run.run();
    });
}
