//! Windmill's API behind Portcullis: its settings, its tokens, its answers.

#![expect(clippy::print_stderr, reason = "a program for the terminal")]

use std::{
    env,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use tokio::net::TcpListener;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    prelude::*,
};
use windmill::{Settings, app, authenticator};

#[tokio::main]
async fn main() -> ExitCode {
    // Why a request was refused stands in the log, and nowhere else.
    let levels = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("portcullis::rejection", LevelFilter::DEBUG);
    tracing_subscriber::registry().with(fmt::layer().with_writer(io::stderr)).with(levels).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("windmill: {problem}");
            ExitCode::from(2)
        }
    }
}

async fn serve() -> Result<(), String> {
    let listen = listen_address(env::args().skip(1))?;
    let auth = authenticator(&Settings::from_variables(|name| env::var(name).ok()))?;
    let told = |error: io::Error| format!("cannot listen on {listen}: {error}");
    let listener = TcpListener::bind(listen).await.map_err(told)?;
    let address = listener.local_addr().map_err(told)?;
    let eager = auth.clone();
    tokio::spawn(async move {
        if let Err(error) = eager.ready().await {
            tracing::warn!("{error}");
        }
    });
    let stop = stop_signal().map_err(told)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on http://{address}")
        .and_then(|()| stdout.flush())
        .map_err(told)?;
    let service = axum::serve(listener, app(auth.clone())).with_graceful_shutdown(stop);
    service.await.map_err(told)?;
    auth.shutdown().await;
    Ok(())
}

fn listen_address(mut args: impl Iterator<Item = String>) -> Result<SocketAddr, String> {
    let mut address = (Ipv4Addr::LOCALHOST, 0).into();
    while let Some(option) = args.next() {
        if option != "--listen" {
            return Err(format!("unknown option `{option}`; usage: windmill [--listen ADDR]"));
        }
        let value = args.next().unwrap_or_default();
        let problem = |_| format!("--listen needs an address like 127.0.0.1:8000, not `{value}`");
        address = value.parse().map_err(problem)?;
    }
    Ok(address)
}

/// Listens to Ctrl-C and SIGTERM from now on, and returns what waits for one of them.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
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
