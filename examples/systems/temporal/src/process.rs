//! What both programs do around their service: the option `--listen`, the first line, the end.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "for programs of the terminal")]

use std::{
    error::Error,
    io, iter,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

/// How long requests in progress may take after the signal to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Prints an error and its causes as one line. The exit status is 2 then.
#[must_use]
pub fn exit(name: &str, outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    let causes = iter::successors(Some(&*error), |&error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    eprintln!("{name}: {}", causes.join(": "));
    ExitCode::from(2)
}

/// Listens at the address of `--listen`, or at a free port of this machine.
///
/// # Errors
///
/// The arguments are not understood, or the address cannot be used.
pub async fn listen(args: &[String]) -> Result<TcpListener, Box<dyn Error>> {
    let address = listen_address(args)?;
    let listener = TcpListener::bind(address).await;
    Ok(listener.map_err(|error| format!("cannot listen on {address}: {error}"))?)
}

fn listen_address(args: &[String]) -> Result<SocketAddr, String> {
    match args {
        [] => Ok((Ipv4Addr::LOCALHOST, 0).into()),
        [option, address] if option == "--listen" => address
            .parse()
            .map_err(|_| format!("--listen needs an address like 127.0.0.1:80, not `{address}`")),
        _ => Err("the only option is --listen ADDR".to_owned()),
    }
}

/// Prints the address and then `more`, and serves until SIGTERM or Ctrl-C.
///
/// # Errors
///
/// The system does not allow it.
pub async fn serve(listener: TcpListener, app: Router, more: &str) -> Result<(), Box<dyn Error>> {
    let stop_signal = stop_signal()?;
    print!("listening on http://{}\n{more}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
    let server = tokio::spawn(server.into_future());
    stop_signal.await;
    drop(stop);
    // A client that has sent half a request must not delay the end.
    if let Ok(served) = timeout(GRACE, server).await {
        served??;
    }
    Ok(())
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
