//! Five replicas share signing keys, which change all the time: no valid token is rejected.
//!
//! `PORTCULLIS_TEST_ROTATION` is how many seconds a drill takes, 20 by default. `cargo xtask rotation` runs 60 s.

mod fleet;
mod http_verifier;
mod program;

use std::{
    env, fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use fleet::{Fleet, Timing};

use crate::shared::Shared;

/// A key change every 5 s.
const FAST: Timing =
    Timing { rotate_every: Duration::from_secs(5), max_age: Duration::from_millis(500) };

/// The clock of one replica is 30 s off.
const OFFSETS: [i64; 5] = [0, 0, 30, 0, 0];

#[test]
fn no_valid_token_is_rejected_while_keys_on_sqlite_change() {
    change_keys(&Shared::sqlite("rotation"));
}

#[test]
fn no_valid_token_is_rejected_while_keys_on_postgres_change() {
    change_keys(&Shared::postgres());
}

#[test]
fn replicas_without_sqlite_sign_until_their_key_is_due_to_retire() {
    let store = Shared::sqlite("rotation-away");
    let folder = PathBuf::from(store.url()).parent().unwrap().to_owned();
    let elsewhere = folder.with_extension("away");
    let take_away = || fs::rename(&folder, &elsewhere).unwrap();
    away(&store.url(), "SQLite", take_away, || fs::rename(&elsewhere, &folder).unwrap());
}

#[test]
fn replicas_without_postgres_sign_until_their_key_is_due_to_retire() {
    let store = std::cell::RefCell::new(Shared::postgres());
    let url = store.borrow().url();
    let take_away = || store.borrow_mut().kill();
    away(&url, "PostgreSQL", take_away, || store.borrow_mut().start_again());
}

fn change_keys(store: &Shared) {
    let length = env::var("PORTCULLIS_TEST_ROTATION").ok().and_then(|it| it.parse().ok());
    let length = Duration::from_secs(length.unwrap_or(20));
    let mut fleet = Fleet::start(&store.url(), FAST, &OFFSETS);
    let (mut keys, mut kills) = (1, 0);
    let start = Instant::now();
    fleet.run(length, |fleet, _| {
        // A replica has just found that it must make the next key.
        if fleet.outcome.headers.len() > keys {
            keys = fleet.outcome.headers.len();
            fleet.kill(kills);
            kills += 1;
        }
    });
    let (seconds, outcome) = (start.elapsed().as_secs_f64(), &fleet.outcome);
    println!(
        "replicas: {}: rotation: 5 processes, {keys} keys in {seconds:.0} s, {kills} kills, one clock 30 s ahead: \
         {} tokens minted and {} checked, {:.0} of each a second; rejected: {:?}",
        store.name(),
        outcome.minted,
        outcome.checked,
        rate(outcome.minted, seconds),
        outcome.rejected,
    );
    assert!(outcome.rejected.is_empty(), "valid tokens are rejected");
    assert!(outcome.not_minted.is_empty(), "{:?}", outcome.not_minted);
    let expected = length.as_secs() / FAST.rotate_every.as_secs();
    assert!(keys + 2 >= usize::try_from(expected).unwrap(), "keys change every 5 s");
}

#[expect(clippy::as_conversions, reason = "a figure for people")]
fn rate(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// The store is away for a short time, and then for longer than a key signs.
fn away(url: &str, name: &str, take_away: impl Fn(), bring_back: impl Fn()) {
    let mut fleet = Fleet::start(url, FAST, &OFFSETS);
    fleet.run(Duration::from_secs(2), |_, _| {});
    take_away();
    fleet.run(Duration::from_secs(1), |_, _| {});
    assert!(fleet.outcome.not_minted.is_empty(), "{:?}", fleet.outcome.not_minted);
    bring_back();
    fleet.run(Duration::from_secs(4), |_, _| {});
    assert!(fleet.outcome.not_minted.is_empty(), "{:?}", fleet.outcome.not_minted);
    assert!(fleet.outcome.headers.len() > 1, "keys change again");

    take_away();
    let start = Instant::now();
    let limit = FAST.rotate_every * 3;
    while fleet.outcome.not_minted.len() < OFFSETS.len() && start.elapsed() < limit {
        fleet.run(Duration::from_millis(100), |_, _| {});
    }
    let stopped = start.elapsed();
    assert_eq!(fleet.outcome.not_minted.len(), OFFSETS.len(), "a replica signs with a retired key");
    for error in fleet.outcome.not_minted.values() {
        assert!(error.contains("due to retire"), "{error}");
    }
    thread::sleep(Duration::from_secs(1));
    bring_back();
    let start = Instant::now();
    while !fleet.outcome.not_minted.is_empty() && start.elapsed() < limit {
        fleet.run(Duration::from_millis(100), |_, _| {});
    }
    let outcome = &fleet.outcome;
    println!(
        "replicas: {name}: rotation: store away: all sign for {:.1} s more at most, and again {:.1} s after it is \
         back; {} tokens checked, rejected: {:?}",
        stopped.as_secs_f64(),
        start.elapsed().as_secs_f64(),
        outcome.checked,
        outcome.rejected,
    );
    assert!(outcome.not_minted.is_empty(), "{:?}", outcome.not_minted);
    assert!(outcome.rejected.is_empty(), "valid tokens are rejected");
}
