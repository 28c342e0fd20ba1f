//! Tenants that are forgotten while they are looked up.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use interleaving::{Run, explore};
use portcullis::{
    Algorithm, Authenticator, Issuer, clock::Clock, interleave::point, strategy::Tenants,
};
use portcullis_testkit::TestIssuer;

use super::{AUDIENCE, ISSUER, Moment, judge};

/// The tenant as the application's database has it.
#[derive(Clone, Debug)]
struct Database(Arc<Mutex<Option<Issuer>>>);

impl Database {
    fn new(issuer: &TestIssuer) -> Self {
        Self(Arc::new(Mutex::new(Some(of_tenant(issuer)))))
    }

    fn set(&self, issuer: Option<Issuer>) {
        *self.0.lock().unwrap() = issuer;
    }

    /// Tenants that read this database, which takes a while to answer.
    fn tenants(&self, run: &Run) -> Tenants {
        let (database, clock) = (self.0.clone(), run.clock());
        let tenants = Tenants::new("tenants", move |_: String| {
            let (database, clock) = (database.clone(), clock.clone());
            async move {
                let found = database.lock().unwrap().clone();
                point("database: read");
                clock.sleep(Duration::from_millis(1)).await;
                Ok(found)
            }
        });
        tenants.clock(run.clock())
    }
}

fn of_tenant(issuer: &TestIssuer) -> Issuer {
    issuer.trusted().audience(AUDIENCE)
}

fn engine(run: &Run, tenants: &Tenants) -> Authenticator {
    let builder = Authenticator::builder().clock(run.clock()).strategy(tenants.clone());
    builder.build().unwrap()
}

fn token(issuer: &TestIssuer, run: &Run) -> String {
    issuer.clone().clock(run.clock()).token().algorithm(Algorithm::EdDSA).audience(AUDIENCE).build()
}

#[test]
fn a_tenant_that_was_removed_and_forgotten_is_not_accepted_afterwards() {
    let issuer = TestIssuer::new(ISSUER);
    explore(|run| {
        let database = Database::new(&issuer);
        let tenants = database.tenants(run);
        let (auth, token) = (engine(run, &tenants), token(&issuer, run));
        let forgotten = Moment::new(run.steps(), run.clock());
        for name in ["first request", "second request"] {
            let (auth, token, forgotten) = (auth.clone(), token.clone(), forgotten.clone());
            run.task(name, async move {
                for _ in 0..3 {
                    let _ = forgotten.judge_after(&auth, &token).await;
                }
            });
        }
        let moment = forgotten;
        run.task("administrator", async move {
            point("administrator: starts");
            database.set(None);
            point("administrator: removed");
            tenants.forget(ISSUER);
            moment.is_now();
        });
        run.run();
    });
}

#[test]
fn a_tenant_that_got_another_key_is_accepted_by_that_key_alone() {
    let (old, new) = (TestIssuer::new(ISSUER), TestIssuer::new(ISSUER));
    explore(|run| {
        let database = Database::new(&old);
        let tenants = database.tenants(run);
        let auth = engine(run, &tenants);
        let (old_token, new_token) = (token(&old, run), token(&new, run));
        let replaced = Moment::new(run.steps(), run.clock());
        for name in ["first request", "second request"] {
            let (auth, token, replaced) = (auth.clone(), old_token.clone(), replaced.clone());
            run.task(name, async move {
                for _ in 0..3 {
                    let _ = replaced.judge_after(&auth, &token).await;
                }
            });
        }
        let (moment, of_admin, trusted) = (replaced, auth, of_tenant(&new));
        run.task("administrator", async move {
            point("administrator: starts");
            database.set(Some(trusted));
            point("administrator: replaced");
            tenants.forget(ISSUER);
            moment.is_now();
            assert_eq!(judge(&of_admin, &new_token).await, Ok(()), "the new key");
        });
        run.run();
    });
}
