//! `config`: checks a configuration file, and describes its form.

use std::path::Path;

use portcullis::{ConfigError, explain::printable};
use portcullis_config::{Config, SettingErrors};
use serde_json::json;

use crate::{
    failure::{Failure, Finding},
    output::{self, Format, GOOD},
};

/// Reads the file and those that it names, and builds the engine. Nothing is fetched.
pub(crate) fn check(file: &Path, format: Format) -> Result<Finding, Failure> {
    let config = match read(file) {
        Ok(config) => config,
        Err(error) => {
            if let (Format::Json, Some(mistakes)) = (format, SettingErrors::of(&error)) {
                mistakes_as_json(mistakes)?;
            }
            return Err(Failure::because(&error));
        }
    };
    if format.is_json() {
        output::json_line(&json!({
            "result": "ok",
            "file": file.display().to_string(),
            "production": config.is_for_production(),
            "issuers": config.issuers().collect::<Vec<_>>(),
            "static_tokens": config.static_tokens().collect::<Vec<_>>(),
        }))?;
    } else {
        let mut text = format!("{GOOD}ok{GOOD:#}  {}\n", printable(&file.display().to_string()));
        let issuers = config.issuers().map(|name| ("issuer", name));
        let tokens = config.static_tokens().map(|name| ("static tokens", name));
        for (label, name) in issuers.chain(tokens) {
            text.push_str(&format!("    {label} {}\n", printable(name)));
        }
        output::text(&text)?;
    }
    Ok(Finding::AllFine)
}

fn read(file: &Path) -> Result<Config, ConfigError> {
    let config = Config::from_file(file)?.fixed_files();
    config.builder()?.build()?;
    Ok(config)
}

/// Writes one line for each mistake.
fn mistakes_as_json(mistakes: &SettingErrors) -> Result<(), Failure> {
    mistakes.errors().iter().try_for_each(|mistake| {
        output::json_line(&json!({
            "result": "mistake",
            "file": mistake.file().map(|file| file.display().to_string()),
            "line": mistake.line(),
            "column": mistake.column(),
            "key": mistake.key(),
            "message": mistake.message(),
            "help": mistake.help(),
        }))
    })
}

pub(crate) fn schema() -> Result<Finding, Failure> {
    output::raw(format!("{:#}\n", Config::json_schema()).as_bytes())?;
    Ok(Finding::AllFine)
}
