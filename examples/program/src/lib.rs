//! What every example does around its service: `--listen`, the first line, the log, the end.

#![expect(clippy::print_stderr, reason = "for programs of the terminal")]

mod log;
mod speaking;
mod variables;

use std::{
    env,
    error::Error,
    io::{self, IsTerminal, Write},
    iter,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use axum::Router;
use portcullis::Authenticator;
use tokio::{net::TcpListener, runtime::Runtime, sync::Notify, time::sleep};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use self::log::Log;
pub use speaking::Speaking;
pub use variables::Variables;

/// What a service ends with.
pub type Outcome = Result<(), Box<dyn Error>>;

/// How long those who are being served may take to finish once the program is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Told when the signal to stop has come.
static STOPPING: Notify = Notify::const_new();

/// Runs a service until it ends. What it fails with is one line on standard error, and status 2.
///
/// Once it has been told to stop it has five seconds more: who sends half a request, or nothing at
/// all, would hold it up for ever.
///
/// The log goes to standard error, from when the program runs on. Why a request was rejected stands in it at the level debug; what
/// others, such as those who read frames, have to say at that level does not.
pub fn run<F: Future<Output = Outcome>>(name: &str, service: impl FnOnce() -> F) -> ExitCode {
    let levels = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("portcullis", LevelFilter::DEBUG);
    let log = fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(|| Log);
    tracing_subscriber::registry().with(log).with(levels).init();
    let outcome = Runtime::new()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(async { with_grace(service()).await }));
    let Err(problem) = outcome else { return ExitCode::SUCCESS };
    eprintln!("{name}: {}", told(problem.as_ref()));
    ExitCode::from(2)
}

/// Tells an error and its causes in one line.
#[must_use]
pub fn told(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Runs a service until it ends, and for no more than five seconds after the signal to stop. A client that
/// has sent half a request would otherwise delay the end for as long as it likes.
///
/// # Errors
///
/// What the service fails with.
pub async fn with_grace(service: impl Future<Output = Outcome>) -> Outcome {
    until_over(service, GRACE).await
}

async fn until_over(service: impl Future<Output = Outcome>, grace: Duration) -> Outcome {
    let late = async {
        STOPPING.notified().await;
        sleep(grace).await;
    };
    tokio::select! {
        outcome = service => outcome,
        () = late => {
            eprintln!("connections are still open {grace:?} after the signal to stop: closing them");
            Ok(())
        }
    }
}

/// Serves an API, and fetches the keys of its engine, until the program is told to end.
///
/// # Errors
///
/// What is wrong with the command line or the address.
pub async fn serve<G: Send + Sync + 'static>(app: Router, auth: &Authenticator<G>) -> Outcome {
    let listener = listen().await?;
    let stop = announce(&listener)?;
    auth.start();
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    auth.shutdown().await;
    Ok(())
}

/// Listens where `--listen` says, else on a free port of this machine.
///
/// # Errors
///
/// What is wrong with the command line or the address.
pub async fn listen() -> Result<TcpListener, Box<dyn Error>> {
    listen_as(&env::args().skip(1).collect::<Vec<_>>()).await
}

/// The same, for a program that has taken its own part out of the command line.
///
/// # Errors
///
/// What is wrong with the rest, or the address.
pub async fn listen_as(args: &[String]) -> Result<TcpListener, Box<dyn Error>> {
    let address = listen_address(args)?;
    let told = |error| format!("cannot listen on {address}: {error}");
    Ok(TcpListener::bind(address).await.map_err(told)?)
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

/// Prints the first line, and returns what waits for SIGTERM or Ctrl-C: neither is missed from then on.
///
/// # Errors
///
/// What the system says.
pub fn announce(listener: &TcpListener) -> io::Result<impl Future<Output = ()> + use<>> {
    Log::release()?;
    announce_to(io::stdout(), listener)
}

fn announce_to<W: Write>(
    mut out: W,
    listener: &TcpListener,
) -> io::Result<impl Future<Output = ()> + use<W>> {
    let stop = stop_signal()?;
    writeln!(out, "listening on http://{}", listener.local_addr()?)?;
    out.flush()?;
    Ok(async {
        stop.await;
        STOPPING.notify_one();
    })
}

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

#[cfg(all(test, unix))]
mod tests {
    use std::{
        future::pending,
        process::{self, Command},
    };

    use super::*;

    /// Stops this process as soon as there is anything to read.
    #[derive(Default)]
    struct Reader {
        read: Vec<u8>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let id = process::id().to_string();
            assert!(Command::new("kill").args(["-s", "TERM", &id]).status()?.success());
            self.read.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_service_that_does_not_end_is_left_when_it_was_told_to_stop() {
        let service = async {
            STOPPING.notify_one();
            pending().await
        };
        assert!(until_over(service, Duration::ZERO).await.is_ok());
        let failed = async { Err("it failed".into()) };
        assert_eq!(until_over(failed, Duration::MAX).await.unwrap_err().to_string(), "it failed");
    }

    #[tokio::test]
    async fn whoever_reads_the_first_line_can_stop_the_program_at_once() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut reader = Reader::default();
        announce_to(&mut reader, &listener).unwrap().await;
        let expected = format!("listening on http://{}\n", listener.local_addr().unwrap());
        assert_eq!(String::from_utf8(reader.read).unwrap(), expected);
    }
}
