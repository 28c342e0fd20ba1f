//! The program of a replica: an engine on a store, with commands on standard input.
//!
//! It is a test of this binary, which [`Replica`](crate::replica::Replica) starts as a process.

use std::{
    env, io,
    time::{Duration, Instant},
};

use portcullis::{
    Authenticator, Issuer, JwkSet, NumericDate,
    revocation::{Revocation, Revocations, Revoked},
};
use portcullis_redis::RedisStore;
use portcullis_sql::{PostgresStore, SqliteStore};
use tokio::runtime::Builder;

pub(crate) const ISSUER: &str = "https://idp.test";
pub(crate) const AUDIENCE: &str = "orders";

pub(crate) const STORE: &str = "PORTCULLIS_REPLICA_STORE";
pub(crate) const KEYS: &str = "PORTCULLIS_REPLICA_KEYS";
pub(crate) const MODE: &str = "PORTCULLIS_REPLICA_MODE";
pub(crate) const STALENESS: &str = "PORTCULLIS_REPLICA_STALENESS";

/// What each line of output begins with, apart from those of the test harness.
pub(crate) const REPLY: &str = "reply ";

const LONGEST_WATCH: Duration = Duration::from_secs(20);

#[test]
#[ignore = "the program of a replica, which other tests start"]
fn replica() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let auth = runtime.block_on(async {
        let auth = engine();
        ready(&auth).await.map(|()| auth)
    });
    let auth = match auth {
        Ok(auth) => auth,
        Err(error) => return println!("{REPLY}not ready: {error}"),
    };
    println!("{REPLY}ready");
    for line in io::stdin().lines() {
        let line = line.unwrap();
        let (command, argument) = line.split_once(' ').unwrap();
        let reply = runtime.block_on(answer(&auth, command, argument));
        println!("{REPLY}{reply}");
    }
}

/// Waits until the revocations are loaded. The first attempt may meet a server that is just starting.
async fn ready(auth: &Authenticator) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match auth.ready().await {
            Ok(()) => return Ok(()),
            Err(error) if start.elapsed() > LONGEST_WATCH => return Err(error.to_string()),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn engine() -> Authenticator {
    let keys = JwkSet::from_json(&env::var(KEYS).unwrap()).unwrap();
    Authenticator::builder()
        .issuer(Issuer::new(ISSUER).jwk_set(&keys))
        .audience(AUDIENCE)
        .revocations(revocations())
        .build()
        .unwrap()
}

fn revocations() -> Revocations {
    let url = env::var(STORE).unwrap();
    let revocations = if url.starts_with("redis:") {
        Revocations::new(RedisStore::open(&url).unwrap())
    } else if url.starts_with("postgres:") {
        Revocations::new(PostgresStore::open(&url).unwrap())
    } else {
        Revocations::new(SqliteStore::open(&url))
    };
    let staleness = Duration::from_millis(env::var(STALENESS).unwrap().parse().unwrap());
    let revocations = revocations.max_staleness(staleness);
    match env::var(MODE).unwrap().as_str() {
        // The time limit is not what is tested, and the machine may be busy.
        "strict" => revocations.strict().timeout(Duration::from_secs(5)),
        _ => revocations,
    }
}

async fn answer(auth: &Authenticator, command: &str, argument: &str) -> String {
    match command {
        "check" => check(auth, argument).await.to_owned(),
        "watch" => watch(auth, argument).await,
        "revoke" => {
            let until = NumericDate::from_seconds(4_102_444_800);
            let entry = Revocation::new(ISSUER, Revoked::Token(argument.into())).until(until);
            match auth.revoke(&[entry]).await {
                Ok(()) => "revoked".to_owned(),
                Err(error) => format!("failed: {error}"),
            }
        }
        _ => format!("unknown command {command}"),
    }
}

async fn check(auth: &Authenticator, token: &str) -> &'static str {
    let checked = auth.authenticate_token(token).await;
    checked.map_or_else(|error| error.kind().code(), |_| "ok")
}

/// Checks the token until it is rejected as revoked, and returns the last verdict.
async fn watch(auth: &Authenticator, token: &str) -> String {
    let start = Instant::now();
    loop {
        let verdict = check(auth, token).await;
        if verdict == "token_revoked" || start.elapsed() > LONGEST_WATCH {
            return verdict.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
