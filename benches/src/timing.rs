//! Time: minima of interleaved rounds, which repeat where medians wander.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use portcullis_benches::Case;

/// How long to measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Effort {
    Full,
    Smoke,
}

/// The least time of one run of each case, in nanoseconds.
pub(crate) type Times = HashMap<String, f64>;

pub(crate) fn measure(cases: &[Case], effort: Effort) -> Times {
    let (rounds, slice) = match effort {
        Effort::Full => (300, Duration::from_millis(2)),
        Effort::Smoke => (5, Duration::from_micros(500)),
    };
    measure_in(cases, rounds, slice)
}

/// As [`measure`], with slices that are long enough for the caches of the processor to hold what a case uses: in
/// a short one, most of a large table is read for the first time since another case ran.
pub(crate) fn measure_warm(cases: &[Case], effort: Effort) -> Times {
    let (rounds, slice) = match effort {
        Effort::Full => (40, Duration::from_millis(40)),
        Effort::Smoke => (5, Duration::from_micros(500)),
    };
    measure_in(cases, rounds, slice)
}

fn measure_in(cases: &[Case], rounds: u32, slice: Duration) -> Times {
    let batches: Vec<u32> = cases.iter().map(|case| batch(case, slice)).collect();
    let mut times: Times = HashMap::new();
    for _ in 0..rounds {
        for (case, &batch) in cases.iter().zip(&batches) {
            let start = Instant::now();
            for _ in 0..batch {
                case.run();
            }
            let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(batch);
            let least = times.entry(case.name().to_owned()).or_insert(f64::INFINITY);
            *least = least.min(each);
        }
    }
    times
}

/// Finds how many runs fill a slice of time.
fn batch(case: &Case, slice: Duration) -> u32 {
    // Once before, because that sets the case up.
    case.run();
    let mut runs: u32 = 1;
    loop {
        let start = Instant::now();
        for _ in 0..runs {
            case.run();
        }
        if start.elapsed() >= slice || runs >= 1 << 20 {
            return runs;
        }
        runs = runs.saturating_mul(2);
    }
}
