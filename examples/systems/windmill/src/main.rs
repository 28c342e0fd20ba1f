//! Windmill's API behind Portcullis: its settings, its tokens, its answers.

use std::process::ExitCode;

use example_program::{Variables, run, serve};
use windmill::{app, authenticator};

fn main() -> ExitCode {
    run("windmill", async || {
        let variables = Variables::of_environment("JWT_EXT_")?;
        let auth = authenticator(|name| variables.verbatim(name))?;
        serve(app(auth.clone()), &auth).await
    })
}
