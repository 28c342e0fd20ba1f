//! A protected API and the issuer that it trusts, in one program: run it and try the lines that it
//! prints.

#![expect(clippy::print_stderr, reason = "a program for the terminal")]

mod options;

use std::{env, error::Error, io::Write, process::ExitCode, time::Duration};

use example_program::{announce, with_grace};
use options::{Options, USAGE};
use portcullis_axum::Algorithm;
use portcullis_testkit::{KeyServer, TestIssuer};
use quickstart::{app, authenticator, rotate_key, tokens, transcript};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("quickstart: {problem}; {USAGE}");
            return ExitCode::from(2);
        }
    };
    match with_grace(serve(options)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    // The issuer: its metadata and keys over HTTP, on a port of its own.
    let server = KeyServer::start();
    let issuer = server.issuer();

    // The service knows the issuer's name, and nothing else of it.
    let auth = authenticator(issuer.name())?;
    auth.ready().await?;

    let listener = TcpListener::bind(options.listen).await?;
    let stop = announce(&listener)?;
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{}", transcript(listener.local_addr()?, &tokens(&issuer)))?;
    stdout.flush()?;
    drop(stdout);

    let service = axum::serve(listener, app(auth.clone())).with_graceful_shutdown(stop);
    match options.rotate_every {
        None => service.await?,
        Some(every) => tokio::select! {
            served = service => served?,
            () = rotate(every, &server, &issuer) => {}
        },
    }
    auth.shutdown().await;
    Ok(())
}

/// Replaces the issuer's key again and again.
async fn rotate(every: Duration, server: &KeyServer, issuer: &TestIssuer) {
    loop {
        tokio::time::sleep(every).await;
        rotate_key(server, issuer);
        eprintln!("the issuer signs with key {} now", issuer.key(Algorithm::ES256).key_id());
        eprintln!("READER={}", tokens(issuer).reader);
    }
}
