//! P8: looking up a token among a million revoked ones, loading these, and what a request notices while the
//! table grows.

use std::{
    cell::Cell,
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

/// How many tokens one run of a case looks up, so that the loop around it does not count.
const LOOKUPS: u16 = 64;

/// Prints all figures. Times are judged by the reader, and memory by a test.
pub(crate) fn report(effort: Effort) {
    println!("P8: a token among 1,000,000 revoked ones (most: 80 ns)");
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_time().build().expect("a runtime");
    load(&runtime, MILLION);
    lookups(&runtime, effort);
    growth(&runtime, MILLION);
}

/// Loads a snapshot.
fn load(runtime: &Runtime, entries: u64) {
    let generation = Instant::now();
    for page in 0..entries / PAGE {
        black_box(page_of(page));
    }
    let generation = generation.elapsed();
    let start = Instant::now();
    let auth = loaded(runtime, entries);
    let load = start.elapsed();
    println!(
        "snapshot of {entries}: loaded in {:.0} ms, {:.0} ms of it to make the entries",
        load.as_secs_f64() * 1e3,
        generation.as_secs_f64() * 1e3,
    );
    drop(auth);
}

/// Looks up ids that are written anew each time: a list of many ids would take the room of the table in the
/// processor's caches. The time to write them is measured apart, and subtracted.
fn lookups(runtime: &Runtime, effort: Effort) {
    const WRITING: &str = "writing the ids";
    let lookups = |name: String, entries: u64, first: u64, is_found: bool| {
        let auth = loaded(runtime, entries);
        let find = auth.revocation_finder(ISSUER).expect("revocations");
        let (next, is_baseline) = (Cell::new(0), name == WRITING);
        let run = move || {
            for _ in 0..LOOKUPS {
                next.set(next.get() + 7_919);
                let mut id = JTI;
                let id = write_jti(first + next.get() % entries.max(1), &mut id);
                assert!(is_baseline || find(black_box(id)) == is_found);
            }
        };
        Case::new(name, move || Box::new(run))
    };
    let mut cases = vec![lookups(WRITING.to_owned(), 0, 0, true)];
    for (name, entries) in [("none is revoked", 0), ("1,000", 1_000), ("1,000,000", MILLION)] {
        for (outcome, first) in [("found", 0), ("not found", MILLION * 2)] {
            if (entries, first) != (0, 0) {
                cases.push(lookups(format!("{name}, {outcome}"), entries, first, first == 0));
            }
        }
    }
    let times = timing::measure_warm(&cases, effort);
    let time_of =
        |case: &Case| times.get(case.name()).copied().unwrap_or(f64::NAN) / f64::from(LOOKUPS);
    let (writing, cases) =
        cases.split_first().map(|(first, cases)| (time_of(first), cases)).expect("cases");
    for case in cases {
        println!("{:<30} {:>6.1} ns", case.name(), time_of(case) - writing);
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
    loop {
        for id in &ids {
            let start = Instant::now();
            assert!(find(black_box(id)));
            waits.push(start.elapsed());
        }
        if !goes_on() || waits.len() + ids.len() > waits.capacity() {
            return waits;
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

/// An id without its number.
const JTI: [u8; 36] = *b"0000000000000000-4f7a-9c21-000000000";

/// Ids as issuers make them: of one length, and unlike each other.
fn jti(number: u64) -> String {
    write_jti(number, &mut JTI.clone()).to_owned()
}

/// Writes an id into a place for it.
fn write_jti(number: u64, id: &mut [u8; 36]) -> &str {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    write_hex(mixed, &mut id[..16]);
    write_hex(number, &mut id[28..]);
    std::str::from_utf8(id).expect("ASCII")
}

fn write_hex(number: u64, digits: &mut [u8]) {
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        let value = u8::try_from(number >> (place * 4) & 0xf).unwrap_or_default();
        *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
    }
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
