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
  test   Run every test: Rust tests, doctests, and those with other people's libraries,
         provider and browser
  try    Run the quickstart example and each curl line that it prints";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match names.as_slice() {
        ["test"] => Workspace::find().and_then(|workspace| test::run(&workspace)),
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
