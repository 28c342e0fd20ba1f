//! The client's side: a key, its public half for the server, and tokens.

use std::{
    env,
    error::Error,
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use axum::{Router, http::header, routing::get};
use portcullis_tonic::{Algorithm, keys::SigningKey, mint::Minter};
use serde_json::json;
use temporal::process;

type Outcome = Result<(), Box<dyn Error>>;

const USAGE: &str =
    "say `gen-and-serve [--listen ADDR]` or `cli-system-token`, and perhaps `--key FILE`";
const KEY_FILE: &str = "key.priv.pem";
const SUBJECT: &str = "temporal-samples-go";
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::main]
async fn main() -> ExitCode {
    process::exit("temporal-token", run(env::args().skip(1).collect()).await)
}

async fn run(mut args: Vec<String>) -> Outcome {
    let file = key_file(&mut args)?;
    match args.split_first() {
        Some((command, options)) if command == "gen-and-serve" => serve(&file, options).await,
        Some((command, [])) if command == "cli-system-token" => print_system_token(&file),
        _ => Err(USAGE.into()),
    }
}

/// Takes `--key FILE` out of the command line.
fn key_file(args: &mut Vec<String>) -> Result<PathBuf, &'static str> {
    let Some(at) = args.iter().position(|arg| arg == "--key") else { return Ok(KEY_FILE.into()) };
    let taken: Vec<_> = args.drain(at..args.len().min(at + 2)).collect();
    taken.get(1).map(PathBuf::from).ok_or(USAGE)
}

async fn serve(file: &Path, options: &[String]) -> Outcome {
    if !file.exists() {
        generate(file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let jwk = SigningKey::from_pem_file(file)?.public_jwk().ok_or("the key has no public half")?;
    let keys = format!("{{\"keys\":[{jwk}]}}");
    let listener = process::listen(options).await?;
    let endpoint = format!("http://{}/jwks.json", listener.local_addr()?);
    let answer = get(async || ([(header::CONTENT_TYPE, "application/json")], keys));
    let app = Router::new().route("/jwks.json", answer);
    process::serve(listener, app, &format!("Started JWKS server. Endpoint: {endpoint}\n")).await
}

/// Makes a key that nobody but the owner can read. The file must not be there.
fn generate(file: &Path) -> Outcome {
    let pem = SigningKey::generate(Algorithm::ES256)?.to_pem()?.ok_or("the key has no PEM")?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(file)?.write_all(pem.as_bytes())?)
}

fn print_system_token(file: &Path) -> Outcome {
    let minter = Minter::new(SigningKey::from_pem_file(file)?).lifetime(HOUR);
    let claims = json!({"sub": SUBJECT, "permissions": ["temporal-system:admin"]});
    let token = minter.mint(&claims)?.into_token();
    Ok(writeln!(io::stdout(), "TEMPORAL_CLI_AUTH=Bearer {token}")?)
}
