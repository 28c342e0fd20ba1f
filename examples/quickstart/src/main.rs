//! A protected API and the issuer that it trusts, in one program: run it and try the lines that it
//! prints.

#![expect(clippy::print_stderr, reason = "a program for the terminal")]

use std::{env, error::Error, io::Write, net::SocketAddr, process::ExitCode};

use portcullis_testkit::TestIssuer;
use quickstart::{ISSUER, app, tokens, transcript};
use tokio::net::TcpListener;

const USAGE: &str = "usage: quickstart [--listen ADDR]   (default 127.0.0.1:0, a free port)";

#[tokio::main]
async fn main() -> ExitCode {
    let listen = match listen_address(env::args().skip(1)) {
        Ok(listen) => listen,
        Err(problem) => {
            eprintln!("quickstart: {problem}; {USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(listen: SocketAddr) -> Result<(), Box<dyn Error>> {
    let issuer = TestIssuer::new(ISSUER);
    let app = app(&issuer)?;
    let listener = TcpListener::bind(listen).await?;
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{}", transcript(listener.local_addr()?, &tokens(&issuer)))?;
    stdout.flush()?;
    drop(stdout);
    axum::serve(listener, app).with_graceful_shutdown(stop_signal()).await?;
    Ok(())
}

/// Reads the only option there is.
fn listen_address(mut args: impl Iterator<Item = String>) -> Result<SocketAddr, String> {
    let address = match (args.next().as_deref(), args.next()) {
        (None, _) => "127.0.0.1:0".to_owned(),
        (Some("--listen"), Some(address)) => address,
        (Some("--listen"), None) => return Err("--listen needs an address".to_owned()),
        (Some(other), _) => return Err(format!("unknown option `{other}`")),
    };
    if let Some(extra) = args.next() {
        return Err(format!("unexpected argument `{extra}`"));
    }
    address.parse().map_err(|_| format!("`{address}` is no address; give one like 127.0.0.1:8080"))
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
