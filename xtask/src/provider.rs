//! The OpenID provider that the interop tests start by themselves.

use std::{fs, path::Path};

use crate::{interop::Variable, node, report::Report, tokens};

const SCRIPT: &str = "PORTCULLIS_INTEROP_PROVIDER_SCRIPT";

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
    report.note(format!("interop: oidc-provider {version}: installed"));
    Ok([(SCRIPT, script), ("PORTCULLIS_INTEROP_NODE_MODULES", modules)])
}

/// Tells whether the tests can start the provider.
pub(crate) fn is_ready(variables: &[Variable]) -> bool {
    variables.iter().any(|(name, _)| *name == SCRIPT)
}

/// Adds up the verdicts that the tests report, and fails if there are none.
pub(crate) fn count_verdicts(output: &str) -> Result<usize, String> {
    let counts = output.lines().filter_map(|line| {
        let (_, what) = line.split_once("interop: oidc-provider: ")?;
        tokens::between(what, ": ", " verdicts")?.parse::<usize>().ok()
    });
    match counts.sum() {
        0 => Err("the tests with oidc-provider report no verdict".to_owned()),
        verdicts => Ok(verdicts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_the_verdicts_up() {
        let output = "\
running 2 tests
interop: oidc-provider: an outage: 13 verdicts
test an_outage ... ok
test a_rotation ... interop: oidc-provider: rotation: 7 verdicts
interop: 14 tokens of 2 libraries verified, 0 names not offered
";
        assert_eq!(count_verdicts(output), Ok(20));
    }

    #[test]
    fn no_verdict_at_all_is_a_failure() {
        assert!(count_verdicts("SKIPPED oidc-provider: no Node\n").is_err());
    }
}
