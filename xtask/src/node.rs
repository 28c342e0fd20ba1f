//! Node's libraries, and minting with them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    interop::{Tool, install_once, read_requirements},
    system, tokens,
};

const OLDEST: u32 = 20;

pub(crate) fn find() -> Tool {
    let find_both = || {
        system::answer("npm", &["--version"])?;
        system::answer("node", &["--version"])
    };
    if find_both().is_none()
        && let Err(reason) = system::apt_install(&["nodejs", "npm"])
    {
        return Tool::Missing(format!("no node with npm ({reason})"));
    }
    match find_both() {
        Some(version) if major(&version).is_some_and(|major| major >= OLDEST) => {
            Tool::Ready(version)
        }
        Some(version) => Tool::Missing(format!("node is {version}, older than v{OLDEST}")),
        None => Tool::Missing("no node with npm".to_owned()),
    }
}

pub(crate) fn install(scripts: &Path, folder: &Path, version: &str) -> Result<(), String> {
    let requirements = scripts.join("package.json");
    let stamp = format!("{version}\n{}", read_requirements(&requirements)?);
    install_once(folder, &stamp, || {
        copy(&requirements, &folder.join("package.json"))?;
        system::run(
            Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--no-package-lock"])
                .arg("--ignore-scripts")
                .current_dir(folder),
        )
    })
}

pub(crate) fn mint(scripts: &Path, folder: &Path) -> Result<String, String> {
    let script = place(scripts, folder, "mint.mjs")?;
    system::read(Command::new("node").arg(&script))
}

/// Returns the version of a library that was installed.
pub(crate) fn installed_version(folder: &Path, library: &str) -> Result<String, String> {
    let manifest = folder.join("node_modules").join(library).join("package.json");
    let told = |what: &str| format!("{}: {what}", manifest.display());
    let text = fs::read_to_string(&manifest).map_err(|error| told(&error.to_string()))?;
    let version = tokens::between(&text, "\"version\": \"", "\"");
    version.map(ToOwned::to_owned).ok_or_else(|| told("no version"))
}

/// Copies a script to the libraries, because Node looks for them beside it.
pub(crate) fn place(scripts: &Path, folder: &Path, name: &str) -> Result<PathBuf, String> {
    let script = folder.join(name);
    copy(&scripts.join(name), &script)?;
    Ok(script)
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}

/// The major version in an answer like `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major("v20.1.0"), Some(20));
        assert_eq!(major("20.1.0"), None);
        assert_eq!(major("v"), None);
    }
}
