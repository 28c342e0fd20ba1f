//! The OpenID provider that the interop tests start by themselves.

use std::{fs, path::Path};

use crate::{interop::Variable, node, report::Report, tokens};

/// Places the script beside the installed library, and returns what tells the tests of both.
pub(crate) fn prepare(
    scripts: &Path,
    folder: &Path,
    report: &mut Report,
) -> Result<[Variable; 2], String> {
    let script = node::place(scripts, folder, "provider.mjs")?;
    let modules = folder.join("node_modules");
    let manifest = modules.join("oidc-provider").join("package.json");
    let text = fs::read_to_string(&manifest)
        .map_err(|error| format!("{}: {error}", manifest.display()))?;
    let version = tokens::between(&text, "\"version\": \"", "\"")
        .ok_or_else(|| format!("{}: no version", manifest.display()))?;
    report.note(format!("interop: oidc-provider {version}: ready to be started"));
    Ok([
        ("PORTCULLIS_INTEROP_PROVIDER_SCRIPT", script),
        ("PORTCULLIS_INTEROP_NODE_MODULES", modules),
    ])
}
