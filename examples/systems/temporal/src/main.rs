//! Temporal's API behind Portcullis: its settings, its tokens, its responses.

use std::{collections::HashMap, env, error::Error, io, process::ExitCode};

use temporal::{Settings, app, process};
use tracing::Level;
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> ExitCode {
    process::exit("temporal", run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let settings = Settings::read(&variables()?)?;
    let app = app(&settings)?;
    let listener = process::listen(&env::args().skip(1).collect::<Vec<_>>()).await?;
    tracing_subscriber::registry()
        .with(fmt::layer().with_writer(io::stderr))
        .with(Targets::new().with_default(Level::INFO).with_target("portcullis", Level::DEBUG))
        .init();
    if !settings.maps_claims || !settings.authorizes {
        tracing::warn!("without the default authorizer and claim mapper, everyone may do anything");
    }
    settings.auth.start();
    process::serve(listener, app, "").await?;
    settings.auth.shutdown().await;
    Ok(())
}

/// Temporal's environment variables. One that is not UTF-8 is an error, and never counts as unset.
fn variables() -> Result<HashMap<String, String>, String> {
    let own = env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with("TEMPORAL_"))?;
        Some((name, value))
    });
    own.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(format!("{name} is no text in UTF-8")),
    })
    .collect()
}
