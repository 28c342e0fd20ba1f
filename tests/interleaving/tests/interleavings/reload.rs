//! Engines that are replaced while requests wait.

use std::time::Duration;

use interleaving::{Run, explore};
use portcullis::{
    Algorithm, Authenticator, Grant, Principal, ReloadableAuthenticator, clock::Clock,
    grant::ResolverConfig, interleave::point,
};
use portcullis_testkit::TestIssuer;

use super::{AUDIENCE, ISSUER, Moment, judge};

/// An engine that trusts one key, and looks rights up, which takes a while.
fn engine(run: &Run, issuer: &TestIssuer) -> Authenticator {
    let clock = run.clock();
    let resolver = ResolverConfig::new(move |_: Principal| {
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_millis(1)).await;
            Ok(Grant::default())
        }
    });
    let builder = Authenticator::builder().issuer(issuer.trusted()).audience(AUDIENCE);
    builder.clock(run.clock()).with_resolver(resolver).build().unwrap()
}

#[test]
fn a_request_that_waits_is_judged_by_the_engine_that_has_replaced_its_own() {
    let (old, new) = (TestIssuer::new(ISSUER), TestIssuer::new(ISSUER));
    explore(|run| {
        let reloadable = ReloadableAuthenticator::new(engine(run, &old));
        let (auth, next) = (reloadable.authenticator(), engine(run, &new));
        let token = |issuer: &TestIssuer| {
            let token = issuer.clone().clock(run.clock()).token().algorithm(Algorithm::EdDSA);
            token.audience(AUDIENCE).build()
        };
        let (old_token, new_token) = (token(&old), token(&new));
        let replaced = Moment::new(run.steps(), run.clock());
        for name in ["first request", "second request"] {
            let (auth, token, replaced) = (auth.clone(), old_token.clone(), replaced.clone());
            run.task(name, async move {
                for _ in 0..2 {
                    point("request");
                    let _ = replaced.judge_after(&auth, &token).await;
                }
            });
        }
        run.task("administrator", async move {
            point("administrator: starts");
            reloadable.replace(next).await.unwrap();
            replaced.is_now();
            assert_eq!(judge(&auth, &new_token).await, Ok(()), "the new key");
        });
        run.run();
    });
}
