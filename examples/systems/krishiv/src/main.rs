//! Krishiv's coordinator behind Portcullis: its settings, its tokens, its roles, its answers.

use std::process::ExitCode;

use example_program::{Variables, run, serve};
use krishiv::{Judges, app};
use portcullis_axum::SystemClock;

fn main() -> ExitCode {
    run("krishiv", async || {
        let judges = Judges::new(&Variables::of_environment("KRISHIV_")?, SystemClock::default())?;
        let auth = judges.http.clone();
        serve(app(judges)?, &auth).await
    })
}
