//! Minting with Python's libraries.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    interop::{Tool, install_once, read_requirements},
    system,
};

const OLDEST: &str = "3.11";
const IS_NEW_ENOUGH: &str = "import sys; sys.exit(sys.version_info < (3, 11))";

pub(crate) fn find() -> Tool {
    if system::answer("python3", &["--version"]).is_none()
        && let Err(reason) = system::apt_install(&["python3", "python3-venv"])
    {
        return Tool::Missing(format!("no python3 ({reason})"));
    }
    let Some(version) = system::answer("python3", &["--version"]) else {
        return Tool::Missing("no python3".to_owned());
    };
    let is_new = Command::new("python3").args(["-c", IS_NEW_ENOUGH]).status();
    if is_new.is_ok_and(|status| status.success()) {
        Tool::Ready(version)
    } else {
        Tool::Missing(format!("python3 is {version}, older than {OLDEST}"))
    }
}

pub(crate) fn mint(scripts: &Path, folder: &Path, version: &str) -> Result<String, String> {
    let python = install(&scripts.join("requirements.txt"), folder, version)?;
    system::read(Command::new(&python).arg(scripts.join("mint.py")))
}

/// Installs packages, and returns the Python that has them.
pub(crate) fn install(
    requirements: &Path,
    folder: &Path,
    version: &str,
) -> Result<PathBuf, String> {
    let stamp = format!("{version}\n{}", read_requirements(requirements)?);
    let python = python_in(folder);
    install_once(folder, &stamp, || {
        create_environment(folder)?;
        system::run(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(requirements),
        )
    })?;
    Ok(python)
}

/// Returns where the Python is that has the libraries.
pub(crate) fn python_in(folder: &Path) -> PathBuf {
    folder.join("bin").join("python3")
}

fn create_environment(folder: &Path) -> Result<(), String> {
    let create =
        || system::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
    // Debian has the module in a package of its own.
    create().or_else(|error| {
        system::apt_install(&["python3-venv"]).map_err(|_| error)?;
        create()
    })
}
