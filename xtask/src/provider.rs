//! The OpenID provider that the interop tests start by themselves, and the clients that they run.

use std::path::Path;

use crate::{interop::Variable, node, report::Report, tokens};

const SCRIPT: &str = "PORTCULLIS_INTEROP_PROVIDER_SCRIPT";

/// What the tests call these in the lines that they report.
const PEERS: [&str; 3] = ["oidc-provider", "MCP", "oauth4webapi"];

/// Places the scripts beside the installed libraries, and returns what tells the tests of them.
pub(crate) fn prepare(
    scripts: &Path,
    folder: &Path,
    report: &mut Report,
) -> Result<[Variable; 4], String> {
    for library in ["oidc-provider", "@modelcontextprotocol/sdk", "oauth4webapi"] {
        let version = node::installed_version(folder, library)?;
        report.note(format!("interop: {library} {version}: installed"));
    }
    Ok([
        (SCRIPT, node::place(scripts, folder, "provider.mjs")?),
        ("PORTCULLIS_INTEROP_MCP_SCRIPT", node::place(scripts, folder, "mcp.mjs")?),
        ("PORTCULLIS_INTEROP_EXCHANGE_SCRIPT", node::place(scripts, folder, "exchange.mjs")?),
        ("PORTCULLIS_INTEROP_NODE_MODULES", folder.join("node_modules")),
    ])
}

/// Tells whether the tests can start the provider.
pub(crate) fn is_ready(variables: &[Variable]) -> bool {
    variables.iter().any(|(name, _)| *name == SCRIPT)
}

/// Notes how many verdicts there were with each peer, and fails if there are none with one of them.
pub(crate) fn note_verdicts(output: &str, report: &mut Report) -> Result<(), String> {
    for peer in PEERS {
        let verdicts = count_verdicts(peer, output)?;
        report.note(format!("interop: {peer}: {verdicts} verdicts as expected"));
    }
    Ok(())
}

/// Adds up the verdicts that the tests report with a peer.
pub(crate) fn count_verdicts(peer: &str, output: &str) -> Result<usize, String> {
    let start = format!("interop: {peer}: ");
    let counts = output.lines().filter_map(|line| {
        let (_, what) = line.split_once(&start)?;
        tokens::between(what, ": ", " verdicts")?.parse::<usize>().ok()
    });
    match counts.sum() {
        0 => Err(format!("the tests with {peer} report no verdict")),
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
interop: MCP: a client: 5 verdicts
interop: oauth4webapi: Axum: 15 verdicts
interop: 14 tokens of 2 libraries verified, 0 names not offered
";
        assert_eq!(count_verdicts("oidc-provider", output), Ok(20));
        assert_eq!(count_verdicts("MCP", output), Ok(5));
        note_verdicts(output, &mut Report::default()).unwrap();
    }

    #[test]
    fn no_verdict_at_all_is_a_failure() {
        let output = "interop: oidc-provider: an outage: 13 verdicts\nSKIPPED MCP\n";
        let error = note_verdicts(output, &mut Report::default()).unwrap_err();
        assert_eq!(error, "the tests with MCP report no verdict");
    }
}
