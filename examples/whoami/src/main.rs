//! A protected service that is configured by a file, on axum, actix-web or tower.
//!
//! `whoami --config FILE [--listen ADDR] [--framework axum|actix-web|tower] [--client-id ID]…`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod arguments;
mod on_actix_web;
mod on_axum;
mod on_tower;
mod reload;
mod revocation;
mod stop;

use std::{env, error::Error, io, net::TcpListener, process::ExitCode};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use portcullis_axum::{Authenticator, config::ConfigFile};

use self::{
    arguments::{Arguments, Framework, USAGE},
    revocation::Endpoints,
};

/// What each framework needs to serve the same routes.
struct Service {
    auth: Authenticator,
    revocation: Option<Endpoints>,
    metrics: PrometheusHandle,
    listener: TcpListener,
}

fn main() -> ExitCode {
    let arguments = match Arguments::parse(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("whoami: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("whoami: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let config = ConfigFile::open(&arguments.config)?;
    let listener = TcpListener::bind(arguments.listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let auth = config.authenticator();
    let revocation = Endpoints::new(&auth, &arguments.client_ids)?;
    let service = Service { auth, revocation, metrics, listener };
    let serve = async {
        // Before the first line, so that a signal sent by its reader is not lost.
        let stop = stop::signals()?;
        reload::follow(config)?;
        service.auth.start();
        println!("listening on http://{address}");
        match arguments.framework {
            Framework::Axum => on_axum::serve(service, stop).await,
            Framework::ActixWeb => on_actix_web::serve(service, stop).await,
            Framework::Tower => on_tower::serve(service, stop).await,
        }
    };
    match arguments.framework {
        Framework::ActixWeb => actix_web::rt::System::new().block_on(serve),
        Framework::Axum | Framework::Tower => tokio::runtime::Runtime::new()?.block_on(serve),
    }
}
