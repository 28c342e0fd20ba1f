//! How long it takes until a revocation holds on the other replicas.

use std::time::{Duration, Instant};

use crate::{
    replica::{Mode, Replica, Tokens},
    shared::Shared,
};

const REVOCATIONS: usize = 200;
const STRICT_REVOCATIONS: usize = 50;
const LONGEST: Duration = Duration::from_secs(1);

#[test]
fn a_revocation_on_sqlite_holds_on_all_replicas_within_a_second() {
    measure(&Shared::sqlite("propagation"));
}

#[test]
fn a_revocation_on_postgres_holds_on_all_replicas_within_a_second() {
    measure(&Shared::postgres());
}

#[test]
fn a_revocation_on_redis_holds_on_all_replicas_within_a_second() {
    measure(&Shared::redis());
}

#[test]
fn a_strict_replica_rejects_at_once_on_sqlite() {
    revoke_and_check(&Shared::sqlite("strict"));
}

#[test]
fn a_strict_replica_rejects_at_once_on_postgres() {
    revoke_and_check(&Shared::postgres());
}

#[test]
fn a_strict_replica_rejects_at_once_on_redis() {
    revoke_and_check(&Shared::redis());
}

fn measure(store: &Shared) {
    for count in [2, 5] {
        let tokens = Tokens::new();
        let mut replicas: Vec<Replica> =
            (0..count).map(|_| Replica::start(&tokens, &store.url(), Mode::Local)).collect();
        let mut times = Vec::new();
        for number in 0..REVOCATIONS {
            let jti = format!("{count} replicas {number}");
            times.extend(revoke_and_watch(&mut replicas, number % count, &tokens.mint(&jti), &jti));
        }
        times.sort();
        let (p50, p99) = (percentile(&times, 50), percentile(&times, 99));
        println!(
            "replicas: {}: {count} processes, {REVOCATIONS} revocations: rejected by the others \
             after p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
            store.name(),
            millis(p50),
            millis(p99),
            millis(percentile(&times, 100)),
        );
        assert!(p99 < LONGEST, "p99 is {p99:?}");
    }
}

/// Revokes a token on one replica while the others check it. Returns the time from the beginning of the call
/// to the first rejection on each of the others.
fn revoke_and_watch(
    replicas: &mut [Replica],
    revoker: usize,
    token: &str,
    jti: &str,
) -> Vec<Duration> {
    for (_, other) in others(replicas, revoker) {
        assert_eq!(other.check(token), "ok");
        other.watch(token);
    }
    let start = Instant::now();
    let replica = replicas.get_mut(revoker).unwrap();
    assert!(replica.revoke(jti));
    // On the replica that revokes, it holds when the call returns.
    assert_eq!(replica.check(token), "token_revoked");
    let wait = |(_, other): (usize, &mut Replica)| {
        assert_eq!(other.reply(), "token_revoked");
        start.elapsed()
    };
    others(replicas, revoker).map(wait).collect()
}

fn others(replicas: &mut [Replica], revoker: usize) -> impl Iterator<Item = (usize, &mut Replica)> {
    replicas.iter_mut().enumerate().filter(move |(number, _)| *number != revoker)
}

fn revoke_and_check(store: &Shared) {
    let tokens = Tokens::new();
    let mut one = Replica::start(&tokens, &store.url(), Mode::Strict);
    let mut other = Replica::start(&tokens, &store.url(), Mode::Strict);
    for number in 0..STRICT_REVOCATIONS {
        let jti = format!("strict {number}");
        let token = tokens.mint(&jti);
        assert_eq!(other.check(&token), "ok");
        assert!(one.revoke(&jti));
        assert_eq!(other.check(&token), "token_revoked", "{jti}");
        assert_eq!(one.check(&token), "token_revoked", "{jti}");
    }
    println!(
        "replicas: {}: strict, {STRICT_REVOCATIONS} revocations: rejected by the other at once",
        store.name()
    );
}

pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    *sorted.get(last * percent / 100).unwrap()
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
