//! P10: a flood of tokens whose key id nobody knows.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{Algorithm, Authenticator, future::MaybePending};
use portcullis_benches::Request;
use tokio::runtime::Handle;

use super::{AUDIENCE, World, micros};
use crate::timing::Effort;

const AT_LEAST: u64 = 100_000;

/// What goes on beside the good requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Beside {
    Nothing,
    /// As many tokens that are rejected without a look at the keys: what the processor is short of
    /// then, it is short of in the flood as well.
    OtherJunk,
    UnknownKeys,
}

pub(super) fn run(effort: Effort) -> bool {
    let (rounds, slice) = match effort {
        Effort::Full => (10, Duration::from_millis(700)),
        Effort::Smoke => (1, Duration::from_millis(50)),
    };
    // The cache of verified tokens is still to come, so that these are verified each time: with the
    // algorithm beside which all else shows most.
    let world = World::new(|issuer, trusted| {
        let secret = issuer.key(Algorithm::HS256).verification_key().expect("a secret");
        trusted.key(secret)
    });
    let token = world.issuer.token().algorithm(Algorithm::HS256).audience(AUDIENCE).build();
    let good = Request::bearer(&token);
    let mut flood = Flood { count: 0, claims: token, runtime: world.runtime.handle().clone() };
    let start = Instant::now();
    let mut p99 = [Duration::MAX; 3];
    for _ in 0..rounds {
        let beside = [Beside::Nothing, Beside::OtherJunk, Beside::UnknownKeys];
        for (least, beside) in p99.iter_mut().zip(beside) {
            *least = flood.measure(&world.auth, &good, beside, slice).min(*least);
        }
    }
    while flood.count < AT_LEAST {
        flood.send(&world.auth, Beside::UnknownKeys);
    }
    let elapsed = start.elapsed();
    // All that was asked for is there, and no more comes.
    thread::sleep(Duration::from_millis(50));
    report(&flood, world.fetches(), elapsed, p99)
}

fn report(flood: &Flood, fetches: usize, elapsed: Duration, p99: [Duration; 3]) -> bool {
    let most = 3 + elapsed.as_secs() / 10;
    let [quiet, busy, flooded] = p99.map(micros);
    println!("P10: flood of {} unknown kids within {:.1} s", flood.count, elapsed.as_secs_f64());
    println!("key fetches            {fetches:>6}      (most: {most})");
    println!(
        "p99 of good HS256 requests, not cached: quiet {quiet:.2} µs, beside other junk {busy:.2} µs, \
         in the flood {flooded:.2} µs"
    );
    println!(
        "ratio to quiet         {:>6.2}      (most: 1.2); to other junk {:.2}",
        flooded / quiet,
        flooded / busy
    );
    let within = u64::try_from(fetches).is_ok_and(|fetches| fetches <= most);
    if !within {
        println!("OVER BUDGET: P10 fetches: {fetches}, at most {most}");
    }
    within
}

struct Flood {
    count: u64,
    /// A token whose claims and signature the junk has.
    claims: String,
    runtime: Handle,
}

impl Flood {
    /// Returns what 99 of 100 good requests stay below while something goes on beside them.
    fn measure(
        &mut self,
        auth: &Authenticator,
        good: &Request,
        beside: Beside,
        slice: Duration,
    ) -> Duration {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            if beside != Beside::Nothing {
                let over = &over;
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        self.send(auth, beside);
                    }
                });
            }
            let mut times = Vec::new();
            let start = Instant::now();
            let mut before = start;
            while before.duration_since(start) < slice {
                let MaybePending::Ready(verdict) = auth.authenticate(good) else { continue };
                verdict.result.expect("a good token");
                let after = Instant::now();
                times.push(after.duration_since(before));
                before = after;
            }
            over.store(true, Ordering::Relaxed);
            percentile_99(times)
        })
    }

    fn send(&mut self, auth: &Authenticator, beside: Beside) {
        let (algorithm, number) = match beside {
            Beside::UnknownKeys => ("ES256", self.count),
            _ => ("none", 0),
        };
        let header = format!(r#"{{"alg":"{algorithm}","kid":"junk-{number}"}}"#);
        let header = URL_SAFE_NO_PAD.encode_to_string(header);
        let rest = self.claims.split_once('.').map_or("", |(_, rest)| rest);
        let request = Request::bearer(&format!("{header}.{rest}"));
        self.count += u64::from(beside == Beside::UnknownKeys);
        match auth.authenticate(&request) {
            MaybePending::Ready(verdict) => drop(verdict.result.expect_err("junk")),
            // It waits as it would in a service, and holds no one up.
            MaybePending::Pending(waiting) => drop(self.runtime.spawn(waiting)),
        }
    }
}

fn percentile_99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or(Duration::MAX)
}
