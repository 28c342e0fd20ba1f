//! Measures the way of a request against the bare signature check and against a peer, and the cache
//! of keys in a flood, a rotation and a cold start.
//!
//! - `cargo run --release -p portcullis-benches` prints times as ratios of minima of interleaved
//!   rounds, and instructions where `valgrind` is there.
//! - `cargo test -p portcullis-benches` counts allocations, apart, because counting takes time.
//! - `--smoke` runs few rounds and fails where a count is over its budget: counts repeat exactly,
//!   times on a shared machine do not.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::expect_used, reason = "a measurement that cannot be made stops there")]

mod budget;
mod instructions;
mod keys;
mod timing;

use std::{env, process::ExitCode, time::Instant};

use portcullis_benches::{Case, all_cases};

fn main() -> ExitCode {
    let start = Instant::now();
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => run(timing::Effort::Full),
        ["--smoke"] => run(timing::Effort::Smoke),
        // What the instruction counter starts: one case, so many times, and nothing else.
        ["--case", name, iterations] => repeat(name, iterations),
        // What the measurement of a cold start starts.
        [keys::COLD_START, issuer, token] => keys::cold_start(issuer, token, start),
        _ => {
            eprintln!("usage: portcullis-benches [--smoke]");
            ExitCode::from(2)
        }
    }
}

fn run(effort: timing::Effort) -> ExitCode {
    let cases = all_cases();
    let times = timing::measure(&cases, effort);
    let instructions = instructions::measure(&cases);
    let within = budget::report(&times, instructions.as_ref());
    let keys_within = keys::report(effort);
    if effort == timing::Effort::Smoke {
        println!("(few rounds: the times above are not figures)");
    }
    if within && keys_within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn repeat(name: &str, iterations: &str) -> ExitCode {
    let cases = all_cases();
    let case = cases.iter().find(|case| case.name == name);
    match (case, iterations.parse::<u32>()) {
        (Some(Case { run, .. }), Ok(iterations)) => {
            // Once before, so that what is made on first use is not counted.
            run();
            counted(run, iterations);
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("no case `{name}`, or `{iterations}` is no number");
            ExitCode::from(2)
        }
    }
}

/// Where the counter is set to zero, because the signature checks before have moved it.
#[inline(never)]
fn counted(run: &dyn Fn(), iterations: u32) {
    measured(run, iterations);
}

/// The part of the program that instructions are counted in.
#[inline(never)]
fn measured(run: &dyn Fn(), iterations: u32) {
    for _ in 0..iterations {
        run();
    }
}
