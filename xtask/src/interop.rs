//! Tokens minted by other people's libraries, for Portcullis to verify.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{node, python, report::Report, tokens, workspace::Workspace};

/// A language whose libraries mint tokens.
#[derive(Debug)]
pub(crate) enum Tool {
    /// The version, which is part of the stamp of the installed libraries.
    Ready(String),
    /// The reason why nothing can be minted with it.
    Missing(String),
}

/// Mints with every library at hand and returns the file of the tokens, if there are any.
pub(crate) fn mint(workspace: &Workspace, report: &mut Report) -> Result<Option<PathBuf>, String> {
    let scripts = workspace.root().join("tests").join("interop");
    let folder = workspace.target().join("interop");
    let mut lines = String::new();
    match python::find() {
        Tool::Ready(version) => {
            lines += &python::mint(&scripts, &folder.join("python"), &version)?;
        }
        Tool::Missing(reason) => report.skip(&format!("interop with PyJWT, joserfc: {reason}")),
    }
    match node::find() {
        Tool::Ready(version) => {
            lines += &node::mint(&scripts, &folder.join("node"), &version)?;
        }
        Tool::Missing(reason) => {
            report.skip(&format!("interop with jose, fast-jwt, jsonwebtoken: {reason}"));
        }
    }
    let libraries = tokens::count(&lines)?;
    for (library, minted) in &libraries {
        let skipped = minted.skipped.as_deref().unwrap_or_default();
        let missing = if skipped.is_empty() {
            String::new()
        } else {
            format!(" (does not offer {})", skipped.join(", "))
        };
        report.note(format!(
            "interop: {library} {}: {} tokens{missing}",
            minted.version, minted.tokens
        ));
    }
    if libraries.is_empty() {
        return Ok(None);
    }
    let file = folder.join("tokens.jsonl");
    fs::write(&file, lines).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Some(file))
}

/// Runs `install` in an empty folder, unless it did so before for the same `stamp`.
pub(crate) fn install_once(
    folder: &Path,
    stamp: &str,
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let stamp_file = folder.join("installed.stamp");
    if fs::read_to_string(&stamp_file).is_ok_and(|installed| installed == stamp) {
        return Ok(());
    }
    let told = |error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(told)?;
    }
    fs::create_dir_all(folder).map_err(told)?;
    install()?;
    fs::write(&stamp_file, stamp).map_err(told)
}

pub(crate) fn read_requirements(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}
