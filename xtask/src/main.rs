//! The workspace's own commands, run as `cargo xtask <command>`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod browser;
mod conformance;
mod interop;
mod node;
mod provider;
mod python;
mod quickstart;
mod report;
mod server;
mod stores;
mod system;
mod test;
mod tokens;
mod transcript;
mod workspace;

use std::{env, process::ExitCode};

use workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <command>

Commands:
  test [--install] [--full]
             Run every test: Rust tests, doctests, those with private PostgreSQL and Redis servers,
             and those with other people's libraries, provider and browser
  histories [--install]
             Run 1,000 random histories of revocations on each store
  rotation [--install]
             Change the signing keys of five replicas each 5 s for a minute on each store, and each 90 s before
             a verifier over HTTP
  try        Run the quickstart example and each curl line that it prints

Options:
  --full     Also install Apache Airflow, 300 MB, and run the Airflow example beside it
  --install  Install PostgreSQL and Redis if they are missing: on Debian, as root. The same as CI=true";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match names.as_slice() {
        ["test", options @ ..] => with_options(options, test::run),
        ["histories", options @ ..] => with_options(options, test::run_histories),
        ["rotation", options @ ..] => with_options(options, test::run_rotation),
        ["try"] => Workspace::find().and_then(|workspace| quickstart::run(&workspace)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The options of a command.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    /// Whether to install servers that are missing.
    may_install: bool,
    /// Whether to run the tests beside Airflow too.
    is_full: bool,
}

/// Runs a command with its options.
fn with_options(
    words: &[&str],
    run: fn(&Workspace, Options) -> Result<(), String>,
) -> Result<(), String> {
    let mut options = Options::default();
    for word in words {
        match *word {
            "--install" => options.may_install = true,
            "--full" => options.is_full = true,
            _ => return Err(USAGE.to_owned()),
        }
    }
    run(&Workspace::find()?, options)
}
