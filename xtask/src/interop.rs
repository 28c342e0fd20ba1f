//! What other people wrote, for Portcullis to work with: libraries that mint tokens, a provider, and
//! an MCP client.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{node, provider, python, report::Report, tokens, workspace::Workspace};

/// An environment variable of the interop tests, which names a file or a folder.
pub(crate) type Variable = (&'static str, PathBuf);

/// Names the script that signs tokens for the Windmill example.
const WINDMILL_SCRIPT: &str = "PORTCULLIS_INTEROP_WINDMILL_SCRIPT";

/// Names the Python that has the clients of the Temporal and the Krishiv example.
const PYTHON: &str = "PORTCULLIS_INTEROP_PYTHON";

/// Names the Python that has Airflow.
pub(crate) const AIRFLOW: &str = "PORTCULLIS_INTEROP_AIRFLOW_PYTHON";

/// A language whose libraries are used.
#[derive(Debug)]
pub(crate) enum Tool {
    /// The version, which is part of the stamp of the installed libraries.
    Ready(String),
    /// The reason why none can be used.
    Missing(String),
}

/// Mints with every library at hand, and returns what to tell the tests. That is nothing if there is
/// nothing to test with.
pub(crate) fn prepare(workspace: &Workspace, report: &mut Report) -> Result<Vec<Variable>, String> {
    let scripts = workspace.root().join("tests").join("interop");
    let folder = workspace.target().join("interop");
    let mut lines = String::new();
    let mut variables = Vec::new();
    match python::find() {
        Tool::Ready(version) => {
            let folder = folder.join("python");
            lines += &python::mint(&scripts, &folder, &version)?;
            variables.push((PYTHON, python::python_in(&folder)));
        }
        Tool::Missing(reason) => {
            report.skip(&format!("interop with PyJWT, joserfc: {reason}"));
            report.skip(&format!("interop of the Temporal example with temporalio: {reason}"));
            report.skip(&format!("interop of the Krishiv example with grpcio: {reason}"));
        }
    }
    match node::find() {
        Tool::Ready(version) => {
            let folder = folder.join("node");
            node::install(&scripts, &folder, &version)?;
            lines += &node::mint(&scripts, &folder)?;
            variables.push((WINDMILL_SCRIPT, node::place(&scripts, &folder, "windmill.mjs")?));
            variables.extend(provider::prepare(&scripts, &folder, report)?);
        }
        Tool::Missing(reason) => {
            report.skip(&format!("interop with jose, fast-jwt, jsonwebtoken: {reason}"));
            report.skip(&format!("interop of the Windmill example with fast-jwt: {reason}"));
            report.skip(&format!("interop with oidc-provider: {reason}"));
            report.skip(&format!("interop with rmcp and the MCP TypeScript SDK: {reason}"));
            report.skip(&format!("interop with oauth4webapi: {reason}"));
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
        return Ok(Vec::new());
    }
    let file = folder.join("tokens.jsonl");
    fs::write(&file, lines).map_err(|error| format!("{}: {error}", file.display()))?;
    variables.push(("PORTCULLIS_INTEROP_TOKENS", file));
    Ok(variables)
}

/// Installs Airflow, and returns the Python that has it.
pub(crate) fn prepare_airflow(
    workspace: &Workspace,
    report: &mut Report,
) -> Result<Option<PathBuf>, String> {
    let requirements = workspace.root().join("tests").join("interop").join("airflow.txt");
    let folder = workspace.target().join("interop").join("airflow");
    match python::find() {
        Tool::Ready(version) => python::install(&requirements, &folder, &version).map(Some),
        Tool::Missing(reason) => {
            report.skip(&format!("the Airflow example beside Airflow: {reason}"));
            Ok(None)
        }
    }
}

/// Tells whether there is something to sign tokens for the Windmill example with.
pub(crate) fn has_windmill(variables: &[Variable]) -> bool {
    variables.iter().any(|(name, _)| *name == WINDMILL_SCRIPT)
}

/// Tells whether there are clients to call the Temporal and the Krishiv example with.
pub(crate) fn has_python(variables: &[Variable]) -> bool {
    variables.iter().any(|(name, _)| *name == PYTHON)
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
