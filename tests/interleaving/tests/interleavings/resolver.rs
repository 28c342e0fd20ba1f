//! Rights that change while they are looked up.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use interleaving::{Run, explore};
use portcullis::{
    Algorithm, Authenticator, Grant, Principal, clock::Clock, grant::ResolverConfig,
    interleave::point, strategy::Tenants,
};
use portcullis_testkit::TestIssuer;

use super::{AUDIENCE, ISSUER};

/// The role that everyone has, and the look-ups of it that have begun and ended.
#[derive(Clone, Debug, Default)]
struct Database {
    role: Arc<Mutex<&'static str>>,
    under_way: Arc<AtomicU64>,
}

impl Database {
    fn set(&self, role: &'static str) {
        *self.role.lock().unwrap() = role;
    }

    fn resolver(&self, run: &Run) -> ResolverConfig<Grant> {
        let (database, clock) = (self.clone(), run.clock());
        ResolverConfig::new(move |_: Principal| {
            let (database, clock) = (database.clone(), clock.clone());
            async move {
                database.under_way.fetch_add(1, Ordering::SeqCst);
                let role = *database.role.lock().unwrap();
                point("database: read");
                clock.sleep(Duration::from_millis(1)).await;
                database.under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(Grant::builder().roles([role]).build())
            }
        })
    }
}

async fn has_role(auth: &Authenticator, token: &str, role: &str) -> bool {
    auth.authenticate_token(token).await.is_ok_and(|caller| caller.grant().has_role(role))
}

fn token(run: &Run, issuer: &TestIssuer) -> String {
    let token = issuer.clone().clock(run.clock()).token().algorithm(Algorithm::EdDSA);
    token.claim("jti", "1").audience(AUDIENCE).expires_in(Duration::from_secs(1_000_000)).build()
}

#[test]
fn a_request_that_begins_when_no_look_up_is_under_way_gets_the_rights_of_now() {
    let issuer = TestIssuer::new(ISSUER);
    explore(|run| {
        let database = Database::default();
        database.set("admin");
        let builder = Authenticator::builder().issuer(issuer.trusted()).audience(AUDIENCE);
        let builder = builder.clock(run.clock()).with_resolver(database.resolver(run));
        let (auth, token) = (builder.build().unwrap(), token(run, &issuer));
        for name in ["first request", "second request", "third request"] {
            let (auth, token, database) = (auth.clone(), token.clone(), database.clone());
            run.task(name, async move {
                for _ in 0..3 {
                    point("request");
                    let is_removed = *database.role.lock().unwrap() == "none";
                    let is_asked = database.under_way.load(Ordering::SeqCst) > 0;
                    let is_admin = has_role(&auth, &token, "admin").await;
                    assert!(!is_admin || is_asked || !is_removed, "rights of before");
                }
            });
        }
        run.task("administrator", async move {
            point("administrator: starts");
            database.set("none");
        });
        run.run();
    });
}

#[test]
fn rights_that_are_kept_are_as_old_as_the_question() {
    const KEPT: Duration = Duration::from_secs(2);
    let issuer = TestIssuer::new(ISSUER);
    explore(|run| {
        let database = Database::default();
        database.set("admin");
        let builder = Authenticator::builder().issuer(issuer.trusted()).audience(AUDIENCE);
        let resolver = database.resolver(run).keep_for(KEPT);
        let auth = builder.clock(run.clock()).with_resolver(resolver).build().unwrap();
        let (token, changed) = (token(run, &issuer), Arc::new(Mutex::new(None)));
        for name in ["first request", "second request"] {
            let (auth, token, clock) = (auth.clone(), token.clone(), run.clock());
            let (changed, under_way) = (Arc::clone(&changed), Arc::clone(&database.under_way));
            run.task(name, async move {
                for _ in 0..12 {
                    clock.sleep(Duration::from_millis(400)).await;
                    let (now, change) = (clock.now(), *changed.lock().unwrap());
                    let is_asked = under_way.load(Ordering::SeqCst) > 0;
                    let is_admin = has_role(&auth, &token, "admin").await;
                    let is_old = change.is_some_and(|change| now.saturating_since(change) >= KEPT);
                    assert!(!is_admin || is_asked || !is_old, "kept longer than it may be");
                }
            });
        }
        let clock = run.clock();
        run.task("administrator", async move {
            clock.sleep(Duration::from_secs(1)).await;
            database.set("none");
            *changed.lock().unwrap() = Some(clock.now());
        });
        run.run();
    });
}

#[test]
fn the_rights_of_a_forgotten_tenant_do_not_pass_to_the_one_that_takes_its_name() {
    let (old, new) = (TestIssuer::new(ISSUER), TestIssuer::new(ISSUER));
    explore(|run| {
        let owner = Arc::new(Mutex::new(old.trusted().audience(AUDIENCE)));
        let of_resolver = Arc::clone(&owner);
        let tenants = Tenants::new("tenants", move |_: String| {
            let issuer = of_resolver.lock().unwrap().clone();
            async move {
                point("tenants: read");
                Ok(Some(issuer))
            }
        });
        let tenants = tenants.clock(run.clock());
        let database = Database::default();
        database.set("admin");
        let resolver = database.resolver(run).keep_for(Duration::from_secs(1_000));
        let builder = Authenticator::builder().strategy(tenants.clone()).clock(run.clock());
        let auth = builder.with_resolver(resolver).build().unwrap();
        let (old_token, new_token) = (token(run, &old), token(run, &new));
        let of_old = auth.clone();
        run.task("caller of the old tenant", async move {
            for _ in 0..2 {
                let _ = has_role(&of_old, &old_token, "admin").await;
                point("request");
            }
        });
        let trusted = new.trusted().audience(AUDIENCE);
        run.task("administrator", async move {
            point("administrator: starts");
            // The database knows nothing of the new tenant's caller.
            database.set("none");
            *owner.lock().unwrap() = trusted;
            tenants.forget(ISSUER);
            assert!(!has_role(&auth, &new_token, "admin").await, "the rights of the old tenant");
        });
        run.run();
    });
}
