//! A protected API and the issuer that it trusts, in one program: run it and try the lines that it
//! prints.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod options;

use std::{env, error::Error, io, process::ExitCode, time::Duration};

use options::{Options, USAGE};
use portcullis_axum::Algorithm;
use portcullis_testkit::{KeyServer, TestIssuer};
use quickstart::{app, authenticator, rotate_key, tokens, transcript};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

/// How long requests in progress may take after the signal to stop.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("quickstart: {problem}; {USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(options).await {
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
    let stop_signal = stop_signal()?;
    let address = listener.local_addr()?;
    print!("listening on http://{address}\n{}", transcript(address, &tokens(&issuer)));

    let (stop, stopped) = oneshot::channel::<()>();
    let service = axum::serve(listener, app(auth.clone()))
        .with_graceful_shutdown(async { drop(stopped.await) });
    let service = tokio::spawn(service.into_future());
    tokio::select! {
        () = stop_signal => {}
        () = rotate(options.rotate_every, &server, &issuer) => {}
    }
    drop(stop);
    // A client that has sent half a request must not delay the end.
    if let Ok(served) = timeout(GRACE, service).await {
        served??;
    }
    auth.shutdown().await;
    Ok(())
}

/// Replaces the issuer's key again and again, if an interval is set.
async fn rotate(every: Option<Duration>, server: &KeyServer, issuer: &TestIssuer) {
    let Some(every) = every else { return std::future::pending().await };
    loop {
        tokio::time::sleep(every).await;
        rotate_key(server, issuer);
        eprintln!("the issuer signs with key {} now", issuer.key(Algorithm::ES256).key_id());
        eprintln!("READER={}", tokens(issuer).reader);
    }
}

/// Waits for SIGTERM or Ctrl-C. Signals are noticed from the call of this function on.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
