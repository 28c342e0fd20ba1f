//! Temporal's API behind Portcullis: its settings, its tokens, its answers.

use std::{env, process::ExitCode};

use example_program::{announce, listen, run};
use temporal::{Settings, server};
use tonic::transport::{Server, server::TcpIncoming};

fn main() -> ExitCode {
    run("temporal", async || {
        // What is no text must not count as not set, which allows more.
        let settings = Settings::read(|name| Some(env::var_os(name)?.to_string_lossy().into()))?;
        let (layer, services) = server(&settings)?;
        let listener = listen().await?;
        let stop = announce(&listener)?;
        if !settings.maps_claims || !settings.authorizes {
            tracing::warn!(
                "without both the default authorizer and claim mapper anyone may do anything"
            );
        }
        settings.auth.start();
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let server = Server::builder().layer(layer).add_routes(services);
        server.serve_with_incoming_shutdown(incoming, stop).await?;
        settings.auth.shutdown().await;
        Ok(())
    })
}
