//! Replicas of a service on a Redis server that loses its data.

use std::time::Duration;

use portcullis::{
    Authenticator,
    revocation::{Revocation, RevocationStore, Revocations, Revoked},
};
use portcullis_testkit::TestIssuer;

use crate::{
    ISSUER, seconds,
    server::{DURABLE, IN_MEMORY, Server, until},
    start,
};

const NEEDED: i64 = 4_102_444_800;

struct Service {
    issuer: TestIssuer,
    server: Server,
}

impl Service {
    fn new(server: Server) -> Self {
        Self { issuer: TestIssuer::new(ISSUER), server }
    }

    async fn replica(&self, revocations: Revocations) -> Authenticator {
        // The time limit is not what is tested, and the machine may be busy.
        let auth = Authenticator::builder()
            .issuer(self.issuer.trusted())
            .audience("orders")
            .revocations(revocations.timeout(Duration::from_secs(5)))
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        auth
    }

    fn revocations(&self) -> Revocations {
        Revocations::new(self.server.store())
    }

    fn token(&self, jti: &str) -> String {
        self.issuer.token().subject("alice").audience("orders").claim("jti", jti).build()
    }

    /// Returns the code of the rejection, or `ok`.
    async fn check(&self, auth: &Authenticator, jti: &str) -> &'static str {
        let checked = auth.authenticate_token(&self.token(jti)).await;
        checked.map_or_else(|error| error.kind().code(), |_| "ok")
    }
}

fn revocation(jti: &str) -> Revocation {
    Revocation::new(ISSUER, Revoked::Token(jti.into())).until(seconds(NEEDED))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_write_back_what_redis_lost() {
    let service = Service::new(start!(IN_MEMORY));
    let first = service.replica(service.revocations()).await;
    let second = service.replica(service.revocations()).await;
    first.revoke(&[revocation("x")]).await.unwrap();
    until("the other replica rejects it", async || {
        service.check(&second, "x").await == "token_revoked"
    })
    .await;
    let _: () = service.server.run("FLUSHALL").await;
    let store = service.server.store();
    until("a replica writes it back", async || {
        for auth in [&first, &second] {
            assert_eq!(service.check(auth, "x").await, "token_revoked");
        }
        store.find(&[revocation("x")]).await.is_ok_and(|found| found.len() == 1)
    })
    .await;
    let late = service.replica(service.revocations()).await;
    assert_eq!(service.check(&late, "x").await, "token_revoked");
    assert_eq!(service.check(&late, "y").await, "ok");
}

/// A replica that never knew the entry in memory asks Redis. Lost data must not be an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_replica_never_accepts_a_revoked_token_after_a_restart_of_redis() {
    let mut service = Service::new(start!(DURABLE));
    let strict = service.replica(service.revocations().strict()).await;
    assert_eq!(service.check(&strict, "y").await, "ok");
    for round in ["first", "second"] {
        service.server.store().add(&[revocation(round)]).await.unwrap();
        service.server.kill();
        let while_away = service.check(&strict, round).await;
        assert!(["store_unavailable", "token_revoked"].contains(&while_away), "{while_away}");
        service.server.start_again().await;
        until("good tokens are accepted again", async || {
            let revoked = service.check(&strict, round).await;
            assert!(["store_unavailable", "token_revoked"].contains(&revoked), "{revoked}");
            service.check(&strict, "y").await == "ok"
        })
        .await;
        assert_eq!(service.check(&strict, round).await, "token_revoked");
    }
}
