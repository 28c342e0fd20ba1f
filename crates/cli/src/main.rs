//! The `portcullis` command: tells why a token is rejected, checks configurations and key sets, and makes
//! keys and tokens for tests and small systems.
//!
//! `docs/cli.md` describes it; its output and its exit statuses are an interface that stays.

mod args;
mod config;
mod date;
mod duration;
mod engine;
mod explain;
mod failure;
mod generated;
mod input;
mod inspect;
mod jwks;
mod jws;
mod keygen;
mod mint;
mod new_file;
mod output;
mod progress;
mod revoke;
mod revoked;
mod serve;
mod signing_key;
mod store;
mod stream;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command, ConfigCommand, JwksCommand, JwsCommand};
use failure::{Failure, Finding};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(Finding::AllFine) => ExitCode::SUCCESS,
        Ok(Finding::SomethingRejected) => ExitCode::from(1),
        Err(failure) => failure.report(),
    }
}

fn run(Arguments { format, command }: Arguments) -> Result<Finding, Failure> {
    match command {
        Command::Verify(arguments) => verify::run(&arguments, format),
        Command::Explain(arguments) => explain::run(&arguments, format),
        Command::Inspect(arguments) => inspect::run(&arguments, format),
        Command::Jws { command: JwsCommand::Verify(arguments) } => jws::run(&arguments, format),
        Command::Jwks { command: JwksCommand::Check(arguments) } => jwks::run(&arguments, format),
        Command::Keygen(arguments) => keygen::run(&arguments, format),
        Command::Mint(arguments) => mint::run(&arguments, format),
        Command::ServeJwks(arguments) => serve::run(&arguments),
        Command::Revoke(arguments) => revoke::run(&arguments, format),
        Command::Revoked(arguments) => revoked::run(&arguments, format),
        Command::Config { command: ConfigCommand::Check { file } } => config::check(&file, format),
        Command::Config { command: ConfigCommand::Schema } => config::schema(),
        Command::Completions { shell } => generated::completions(shell),
        Command::Man { folder } => generated::man(folder.as_deref()),
    }
}
