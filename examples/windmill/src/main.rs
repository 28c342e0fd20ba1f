//! Windmill's API behind Portcullis: its settings, its tokens, its answers.

use std::{env, process::ExitCode};

use example_program::{announce, listen, run};
use windmill::{app, authenticator};

fn main() -> ExitCode {
    run("windmill", async || {
        let auth = authenticator(|name| env::var(name).ok())?;
        let listener = listen().await?;
        let stop = announce(&listener)?;
        auth.start();
        axum::serve(listener, app(auth.clone())).with_graceful_shutdown(stop).await?;
        auth.shutdown().await;
        Ok(())
    })
}
