//! Krishiv's coordinator behind Portcullis: its settings, its tokens, its roles, its answers.

use std::process::ExitCode;

use example_program::{Variables, announce, listen, run};
use krishiv::{Judges, app};
use portcullis_axum::SystemClock;

fn main() -> ExitCode {
    run("krishiv", async || {
        let judges = Judges::new(&Variables::of_environment("KRISHIV_")?, SystemClock::default())?;
        let listener = listen().await?;
        let stop = announce(&listener)?;
        let auth = judges.http.clone();
        auth.start();
        axum::serve(listener, app(judges)?).with_graceful_shutdown(stop).await?;
        auth.shutdown().await;
        Ok(())
    })
}
