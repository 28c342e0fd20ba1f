//! Where the workspace and its build products are.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// All packages that have tests. The features of those that the benches depend on must not unify with ours.
pub(crate) const WITHOUT_BENCHES: [&str; 3] = ["--workspace", "--exclude", "portcullis-benches"];

#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the workspace by what cargo tells a program that it runs.
    pub(crate) fn find() -> Result<Self, String> {
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
            .ok_or("run this as `cargo xtask`: CARGO_MANIFEST_DIR is not set")?;
        let root = Path::new(&manifest_dir)
            .parent()
            .ok_or("the folder of xtask has no parent")?
            .to_path_buf();
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let target = root.join(target);
        Ok(Self { root, target })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// A cargo command that runs some test targets. All packages are selected, so that their dependencies have
    /// the same features each time, and nothing is built twice.
    pub(crate) fn test(&self, features: &[&str], targets: &[&str]) -> Command {
        let mut command = self.cargo(&["test"]);
        command.args(WITHOUT_BENCHES);
        for feature in features {
            command.args(["--features", feature]);
        }
        for target in targets {
            command.args(["--test", target]);
        }
        command
    }

    /// A cargo command that runs at the root of the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.root);
        command
    }
}
