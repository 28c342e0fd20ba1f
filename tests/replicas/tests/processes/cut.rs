//! The connection of one replica is cut while another one revokes.

use std::{
    env, thread,
    time::{Duration, Instant},
};

use crate::{
    propagation::millis,
    proxy::{Cut, Proxy},
    replica::{Mode, Replica, Tokens},
    shared::Shared,
};

const STALENESS: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(20);
const REVOCATIONS: usize = 20;

/// How long a long cut lasts in all, unless `PORTCULLIS_TEST_CUT` is a number of seconds.
const LONG_CUT: Duration = Duration::from_secs(5);

#[test]
fn a_cut_from_postgres_is_bounded_and_its_gap_is_read() {
    cut_and_heal(&Shared::postgres());
}

#[test]
fn a_cut_from_redis_is_bounded_and_its_gap_is_read() {
    cut_and_heal(&Shared::redis());
}

fn cut_and_heal(store: &Shared) {
    for cut in [Cut::Closed, Cut::Silent] {
        let tokens = Tokens::new();
        let (port, url): (u16, Box<dyn Fn(u16) -> String + '_>) = match store {
            Shared::Postgres(server) => (server.port(), Box::new(|port| server.url_at(port))),
            Shared::Redis(server) => {
                (server.port(), Box::new(|port| format!("redis://127.0.0.1:{port}")))
            }
            Shared::Sqlite(_) => return,
        };
        let proxy = Proxy::start(port);
        let mut near = Replica::start(&tokens, &store.url(), Mode::Local);
        let mut far = Replica::start_with(&tokens, &url(proxy.port()), Mode::Local, STALENESS);
        short_cut(store, cut, &proxy, &mut near, &mut far, &tokens);
        long_cut(store, cut, &proxy, &mut near, &mut far, &tokens);
    }
}

/// Shorter than the largest staleness: the replica goes on, and reads what it missed.
fn short_cut(
    store: &Shared,
    cut: Cut,
    proxy: &Proxy,
    near: &mut Replica,
    far: &mut Replica,
    tokens: &Tokens,
) {
    proxy.cut(cut);
    let revoked = revoke(near, tokens, &format!("short {cut:?}"));
    thread::sleep(Duration::from_millis(500));
    assert_eq!(far.check(&tokens.mint("good")), "ok");
    proxy.heal();
    let healed = Instant::now();
    for token in &revoked {
        far.watch(token);
        assert_eq!(far.reply(), "token_revoked");
    }
    report(store, cut, "a short cut", healed.elapsed());
}

/// Longer: the replica rejects every token, and when it accepts again it knows everything.
fn long_cut(
    store: &Shared,
    cut: Cut,
    proxy: &Proxy,
    near: &mut Replica,
    far: &mut Replica,
    tokens: &Tokens,
) {
    let good = tokens.mint("good");
    assert_eq!(far.check(&good), "ok");
    proxy.cut(cut);
    let start = Instant::now();
    let revoked = revoke(near, tokens, &format!("long {cut:?}"));
    while far.check(&good) != "store_unavailable" {
        assert!(start.elapsed() < STALENESS + Duration::from_secs(2), "stale and accepted");
        thread::sleep(Duration::from_millis(10));
    }
    report(store, cut, "a long cut is bounded", start.elapsed());
    for token in &revoked {
        assert_eq!(far.check(token), "store_unavailable");
    }
    while start.elapsed() < long_cut_length() {
        thread::sleep(Duration::from_millis(500));
        assert_eq!(far.check(&good), "store_unavailable");
    }
    println!("replicas: {}: {cut:?} cut of {:.0} ms", store.name(), millis(start.elapsed()));
    proxy.heal();
    let healed = Instant::now();
    while far.check(&good) != "ok" {
        assert!(healed.elapsed() < PATIENCE, "the replica does not recover");
        // Nothing that was revoked is accepted, before or after.
        assert_ne!(far.check(revoked.first().unwrap()), "ok");
        thread::sleep(Duration::from_millis(5));
    }
    for token in &revoked {
        assert_eq!(far.check(token), "token_revoked");
    }
    report(store, cut, "a long cut", healed.elapsed());
}

fn long_cut_length() -> Duration {
    let seconds = env::var("PORTCULLIS_TEST_CUT").ok();
    seconds.map_or(LONG_CUT, |seconds| Duration::from_secs(seconds.parse().unwrap()))
}

fn revoke(replica: &mut Replica, tokens: &Tokens, prefix: &str) -> Vec<String> {
    let jtis = (0..REVOCATIONS).map(|number| format!("{prefix} {number}"));
    jtis.map(|jti| {
        assert!(replica.revoke(&jti));
        tokens.mint(&jti)
    })
    .collect()
}

fn report(store: &Shared, cut: Cut, what: &str, time: Duration) {
    let (store, time) = (store.name(), millis(time));
    match what {
        "a long cut is bounded" => println!(
            "replicas: {store}: {cut:?} cut: every token rejected after {time:.0} ms (staleness {} ms)",
            STALENESS.as_millis()
        ),
        _ => println!(
            "replicas: {store}: {cut:?} cut: gap closed {time:.0} ms after {what} is healed"
        ),
    }
}
