//! Windmill's API behind Portcullis: its settings, its tokens, its answers.

use std::process::ExitCode;

use example_program::{Variables, announce, listen, run};
use windmill::{app, authenticator};

fn main() -> ExitCode {
    run("windmill", async || {
        let variables = Variables::of_environment("JWT_EXT_")?;
        let auth = authenticator(|name| variables.verbatim(name))?;
        let listener = listen().await?;
        let stop = announce(&listener)?;
        auth.start();
        axum::serve(listener, app(auth.clone())).with_graceful_shutdown(stop).await?;
        auth.shutdown().await;
        Ok(())
    })
}
