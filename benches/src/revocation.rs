//! P8: looking up a token among a million revoked ones, what these take, and what a request notices while
//! the table grows.

use std::{
    fs,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use portcullis::{
    Authenticator,
    future::BoxFuture,
    revocation::{
        Changes, Position, Revocation, RevocationStore, Revocations, Revoked, StoreError,
        StoreErrorKind,
    },
};
use portcullis_benches::Case;
use portcullis_testkit::TestIssuer;
use tokio::runtime::Runtime;

use crate::timing::{self, Effort};

const ISSUER: &str = "https://idp.example.com/realms/orders";
const MILLION: u64 = 1_000_000;
const PAGE: u64 = 10_000;
const MAX_BYTES: u64 = 48;

/// How many tokens one run of a case looks up, so that the loop around it does not count.
const LOOKUPS: u16 = 64;

/// Prints all figures. Returns whether the memory is within its budget.
pub(crate) fn report(effort: Effort) -> bool {
    println!("P8: a token among 1,000,000 revoked ones (most: 80 ns, 48 bytes an entry)");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    let runtime = runtime.expect("a runtime");
    let sizes = match effort {
        Effort::Full => [MILLION, MILLION + MILLION / 3],
        Effort::Smoke => [MILLION / 10, MILLION],
    };
    let within = sizes.map(|size| memory(&runtime, size)).iter().all(|within| *within);
    lookups(&runtime, effort);
    growth(&runtime, sizes[0]);
    within
}

/// Loads a snapshot, and compares the memory of the process before and after.
fn memory(runtime: &Runtime, entries: u64) -> bool {
    let generation = Instant::now();
    for page in 0..entries / PAGE {
        black_box(page_of(page));
    }
    let generation = generation.elapsed();
    let before = resident_bytes();
    let start = Instant::now();
    let auth = loaded(runtime, entries);
    let load = start.elapsed();
    let bytes = resident_bytes().saturating_sub(before) / entries;
    println!(
        "snapshot of {entries:>9}: {bytes} bytes an entry; loaded in {:.0} ms, {:.0} ms of it to make the \
         entries",
        load.as_secs_f64() * 1e3,
        generation.as_secs_f64() * 1e3,
    );
    drop(auth);
    bytes <= MAX_BYTES
}

fn lookups(runtime: &Runtime, effort: Effort) {
    let cases = [("none is revoked", 0), ("1,000", 1_000), ("1,000,000", MILLION)];
    let cases: Vec<Case> = cases
        .into_iter()
        .flat_map(|(name, entries)| {
            let auth = loaded(runtime, entries);
            [("found", 0), ("not found", MILLION * 2)].map(|(outcome, first)| {
                let find = auth.revocation_finder(ISSUER).expect("revocations");
                // More than the caches of a processor have room for.
                let ids: Vec<String> =
                    (0..100_000).map(|id| jti(first + id * 9 % entries.max(1))).collect();
                let (start, is_found) = (std::cell::Cell::new(0), entries > 0 && first == 0);
                let count = usize::from(LOOKUPS);
                let run = move || {
                    start.set((start.get() + count) % (ids.len() - count));
                    for id in ids.iter().skip(start.get()).take(count) {
                        assert_eq!(black_box(find(black_box(id))), is_found);
                    }
                };
                Case::new(format!("{name}, {outcome}"), move || Box::new(run))
            })
        })
        .collect();
    let times = timing::measure(&cases, effort);
    for case in &cases {
        let time = times.get(case.name()).copied().unwrap_or(f64::NAN) / f64::from(LOOKUPS);
        println!("{:<30} {time:>6.1} ns", case.name());
    }
}

/// Looks tokens up while the table grows to its size, and while nothing happens.
fn growth(runtime: &Runtime, entries: u64) {
    let auth = loaded(runtime, PAGE);
    let is_over = AtomicBool::new(false);
    let growing = thread::scope(|scope| {
        let reader = scope.spawn(|| waits(&auth, || !is_over.load(Ordering::Relaxed)));
        for page in 1..entries / PAGE {
            runtime.block_on(auth.revoke(&page_of(page))).expect("room");
        }
        is_over.store(true, Ordering::Relaxed);
        reader.join().expect("a reader")
    });
    let start = Instant::now();
    let still = waits(&auth, || start.elapsed() < Duration::from_secs(1));
    println!("one look-up at a time, with the time to read a clock twice:");
    for (name, mut waits) in [("while the table grows", growing), ("without a writer", still)] {
        waits.sort_unstable();
        let at = |parts: usize| {
            let index = (waits.len() / 10_000).saturating_mul(parts);
            waits.get(index.min(waits.len() - 1)).copied().unwrap_or_default()
        };
        println!(
            "{name:<30} p50 {:?}, p99 {:?}, p99.99 {:?}, most {:?} of {}",
            at(5_000),
            at(9_900),
            at(9_999),
            waits.last().copied().unwrap_or_default(),
            waits.len()
        );
    }
}

fn waits(auth: &Authenticator, goes_on: impl Fn() -> bool) -> Vec<Duration> {
    let find = auth.revocation_finder(ISSUER).expect("revocations");
    let ids: Vec<String> = (0..10_000).map(jti).collect();
    let mut waits = Vec::with_capacity(1 << 24);
    'all: loop {
        for id in &ids {
            let start = Instant::now();
            assert!(find(black_box(id)));
            waits.push(start.elapsed());
        }
        if !goes_on() || waits.len() + ids.len() > waits.capacity() {
            break 'all waits;
        }
    }
}

fn loaded(runtime: &Runtime, entries: u64) -> Authenticator {
    let issuer = TestIssuer::new(ISSUER);
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience("https://api.example.com")
        .revocations(Revocations::new(Generated(entries)))
        .build()
        .expect("an engine");
    runtime.block_on(auth.ready()).expect("revocations");
    auth
}

/// Ids as issuers make them: of one length, and unlike each other.
fn jti(number: u64) -> String {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016x}-4f7a-9c21-{number:08x}")
}

fn page_of(page: u64) -> Vec<Revocation> {
    let ids = page * PAGE..(page + 1) * PAGE;
    ids.map(|id| Revocation::new(ISSUER, Revoked::Token(jti(id).into()))).collect()
}

/// A store that makes its entries when they are read, so that only the set keeps them.
#[derive(Debug)]
struct Generated(u64);

impl RevocationStore for Generated {
    fn label(&self) -> &str {
        "generated"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn add<'a>(&'a self, _: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move {
            let page = after.map_or(Ok(0), |position| position.as_str().parse());
            let page: u64 =
                page.map_err(|_| StoreError::new(StoreErrorKind::PositionLost, "not a page"))?;
            if page * PAGE >= self.0 {
                return Ok(Changes::new(Vec::new(), Position::new(page.to_string())));
            }
            let mut entries = page_of(page);
            entries.truncate(usize::try_from(self.0 - page * PAGE).unwrap_or(usize::MAX));
            Ok(Changes::new(entries, Position::new((page + 1).to_string())).with_more())
        })
    }

    fn find<'a>(
        &'a self,
        _: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn delete_expired(&self, _: portcullis::NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}

/// Returns the memory of this process that is not swapped out.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}
