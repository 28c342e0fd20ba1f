//! Airflow's two APIs behind Portcullis: their settings, tokens and responses.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::{
    env,
    error::Error,
    io,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use airflow::{Airflow, Variables};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};
use tracing::Level;
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How long requests in progress may take after the signal to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long the start waits for keys and revocations.
const READY: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("airflow: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let variables = Variables::of_process()?;
    // Without a log: an error in a setting is the only line then, and no warning comes before it.
    Airflow::new(&variables)?;
    let address = listen_address()?;
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let stop_signal = stop_signal()?;
    tracing_subscriber::registry()
        .with(fmt::layer().with_writer(io::stderr))
        .with(Targets::new().with_default(Level::INFO).with_target("portcullis", Level::DEBUG))
        .init();
    let airflow = Airflow::new(&variables)?;
    airflow.core.start();
    airflow.execution.start();
    // Keys or a database that are away must not keep the program from its start: until then it answers 503.
    drop(
        timeout(READY, async { tokio::join!(airflow.core.ready(), airflow.execution.ready()) })
            .await,
    );
    println!("listening on http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let server =
        axum::serve(listener, airflow.app()).with_graceful_shutdown(async { drop(stopped.await) });
    let server = tokio::spawn(server.into_future());
    stop_signal.await;
    drop(stop);
    // A client that has sent half a request must not delay the end.
    if let Ok(served) = timeout(GRACE, server).await {
        served??;
    }
    airflow.core.shutdown().await;
    airflow.execution.shutdown().await;
    Ok(())
}

fn listen_address() -> Result<SocketAddr, String> {
    match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => Ok((Ipv4Addr::LOCALHOST, 0).into()),
        [option, address] if option == "--listen" => address
            .parse()
            .map_err(|_| format!("--listen needs an address like 127.0.0.1:80, not `{address}`")),
        _ => Err("the only option is --listen ADDR".to_owned()),
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
