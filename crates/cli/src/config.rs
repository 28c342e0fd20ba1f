//! `config`: checks a configuration file, and describes its form.

use std::path::Path;

use portcullis::explain::printable;
use portcullis_config::Config;
use serde_json::json;

use crate::{
    failure::{Failure, Finding},
    output::{self, Format, GOOD},
};

/// Reads the file and those that it names, and builds the engine. Nothing is fetched.
pub(crate) fn check(file: &Path, format: Format) -> Result<Finding, Failure> {
    let config = Config::from_file(file).map_err(|error| Failure::because(&error))?;
    let config = config.fixed_files();
    config
        .builder()
        .and_then(|builder| builder.build())
        .map_err(|error| Failure::because(&error))?;
    let issuers: Vec<_> = config.issuers.iter().map(|issuer| issuer.name.as_str()).collect();
    let static_tokens: Vec<_> =
        config.static_tokens.iter().map(|tokens| tokens.name.as_str()).collect();
    if format.is_json() {
        output::json_line(&json!({
            "result": "ok",
            "file": file.display().to_string(),
            "production": config.production,
            "issuers": issuers,
            "static_tokens": static_tokens,
        }))?;
    } else {
        let mut text = format!("{GOOD}ok{GOOD:#}  {}\n", printable(&file.display().to_string()));
        for (label, names) in [("issuer", issuers), ("static tokens", static_tokens)] {
            names
                .iter()
                .for_each(|name| text.push_str(&format!("    {label} {}\n", printable(name))));
        }
        output::text(&text)?;
    }
    Ok(Finding::AllFine)
}

pub(crate) fn schema() -> Result<Finding, Failure> {
    output::raw(format!("{:#}\n", Config::json_schema()).as_bytes())?;
    Ok(Finding::AllFine)
}
