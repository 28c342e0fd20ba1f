//! Temporal's API behind Portcullis: its settings, its tokens, its answers.

use std::process::ExitCode;

use example_program::{Speaking, Variables, announce, listen, run};
use temporal::{Settings, server};
use tonic::transport::Server;

fn main() -> ExitCode {
    run("temporal", async || {
        let settings = Settings::read(&Variables::of_environment("TEMPORAL_")?)?;
        let (layer, services) = server(&settings)?;
        let listener = listen().await?;
        let stop = announce(&listener)?;
        if !settings.maps_claims || !settings.authorizes {
            tracing::warn!(
                "without both the default authorizer and claim mapper anyone may do anything"
            );
        }
        settings.auth.start();
        let server = Server::builder().layer(layer).add_routes(services);
        server.serve_with_incoming_shutdown(Speaking::from(listener), stop).await?;
        settings.auth.shutdown().await;
        Ok(())
    })
}
