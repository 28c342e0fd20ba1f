//! P12: from the start of a program to its first verdict.

use std::{
    env,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use portcullis::{Algorithm, Authenticator, Issuer};
use portcullis_testkit::KeyServer;
use tokio::runtime::Builder;

use super::AUDIENCE;
use crate::timing::Effort;

/// What the program starts itself with.
pub(crate) const ARGUMENT: &str = "--cold-start";

pub(super) fn run(effort: Effort) {
    let starts = match effort {
        Effort::Full => 20,
        Effort::Smoke => 2,
    };
    let server = KeyServer::start();
    let issuer = server.issuer();
    let token = issuer.token().algorithm(Algorithm::RS256).audience(AUDIENCE).build();
    let program = env::current_exe().expect("the path of this program");
    let mut times: Vec<f64> = (0..starts)
        .map(|_| {
            let mut command = Command::new(&program);
            let output = command.args([ARGUMENT, issuer.name(), &token]).output();
            let output = String::from_utf8(output.expect("it to run").stdout).expect("text");
            output.trim().parse().expect("a number of milliseconds")
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let middle = times.get(times.len() / 2).copied().unwrap_or(f64::NAN);
    let [first, .., last] = times.as_slice() else { return };
    println!("P12: cold start to first verdict, with discovery from a local key server");
    println!(
        "least {first:.1} ms, median {middle:.1} ms, most {last:.1} ms of {starts}   (most: 50 ms)"
    );
}

/// Builds an engine, fetches its keys and judges a token: prints how many milliseconds that took.
pub(crate) fn in_this_process(issuer: &str, token: &str, start: Instant) -> ExitCode {
    let auth = Authenticator::builder()
        .issuer(Issuer::discover(issuer))
        .audience(AUDIENCE)
        .build()
        .expect("an engine");
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        auth.ready().await.expect("keys");
        auth.authenticate_token_now(token).expect("a good token");
        let elapsed: Duration = start.elapsed();
        println!("{}", elapsed.as_secs_f64() * 1e3);
    });
    ExitCode::SUCCESS
}
