//! Measures the way of a request against the bare signature check and against a peer, what adapters
//! add to a request in process and over the loopback, and the cache of keys in a flood, a rotation
//! and a cold start, and revocations. Counts what guesses at a static token cost.
//!
//! - `cargo run --release -p portcullis-benches` prints times as ratios of minima of interleaved
//!   rounds, and instructions where `valgrind` is there.
//! - `cargo test -p portcullis-benches` counts allocations, apart, because counting takes time.
//! - `--smoke` runs few rounds and fails where a count is over its budget: counts repeat exactly,
//!   times on a shared machine do not. `--guesses` does so for the guesses alone, and `--revocation`
//!   measures the revocations alone.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::expect_used, reason = "a measurement that cannot be made stops there")]

mod budget;
mod guesses;
mod http;
mod in_process;
mod instructions;
mod keys;
mod revocation;
mod timing;

use std::{env, process::ExitCode, time::Instant};

use portcullis_benches::{Case, GUESSED, adapters::adapter_cases, all_cases, guess_cases};

fn main() -> ExitCode {
    let start = Instant::now();
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => run(timing::Effort::Full),
        ["--smoke"] => run(timing::Effort::Smoke),
        ["--guesses"] => exit_code(guesses::report()),
        ["--revocation"] => exit_code(revocation::report(timing::Effort::Full)),
        [instructions::ARGUMENT, iterations, names @ ..] => repeat(iterations, names),
        // What the measurement of a cold start starts.
        [keys::COLD_START, issuer, token] => keys::cold_start(issuer, token, start),
        _ => {
            eprintln!("usage: portcullis-benches [--smoke | --guesses | --revocation]");
            ExitCode::from(2)
        }
    }
}

fn run(effort: timing::Effort) -> ExitCode {
    let cases = all_cases();
    let times = timing::measure(&cases, effort);
    // Those of the others vary with the signature.
    let of_ours = |name: &str| name.ends_with("ours") || name.starts_with("rejected");
    let counted = cases.iter().filter(|case| of_ours(case.name()));
    let within = budget::report(&times, instructions::measure(counted).as_ref());
    in_process::report(effort);
    http::report(effort);
    let guesses_alike = guesses::report();
    let keys_within = keys::report(effort);
    let revocation_within = revocation::report(effort);
    if effort == timing::Effort::Smoke {
        println!("(few rounds: the times above are not figures)");
    }
    exit_code(within && guesses_alike && keys_within && revocation_within)
}

fn exit_code(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the instruction counter starts: some cases, each so many times, and nothing else.
fn repeat(iterations: &str, names: &[&str]) -> ExitCode {
    let iterations = iterations.parse().expect("a number");
    let guesses = GUESSED.into_iter().flat_map(guess_cases).map(|(_, case)| case);
    let cases: Vec<Case> = all_cases().into_iter().chain(adapter_cases()).chain(guesses).collect();
    for name in names {
        let case = cases.iter().find(|case| case.name() == *name).expect("a case of this name");
        // Once before, so that what is made on first use is not counted.
        case.run();
        counted(case, iterations);
    }
    ExitCode::SUCCESS
}

/// Where the counter is set to zero, because the signature checks before have moved it.
#[inline(never)]
fn counted(case: &Case, iterations: u32) {
    measured(case, iterations);
}

/// The part of the program that instructions are counted in.
#[inline(never)]
fn measured(case: &Case, iterations: u32) {
    for _ in 0..iterations {
        case.run();
    }
}
