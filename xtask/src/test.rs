//! `cargo xtask test`: every test of the workspace.

use crate::{interop, report::Report, system, workspace::Workspace};

const WITHOUT_BENCHES: [&str; 3] = ["--workspace", "--exclude", "portcullis-benches"];

pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mut report = Report::default();
    let outcome = run_steps(workspace, &mut report);
    report.print();
    outcome
}

fn run_steps(workspace: &Workspace, report: &mut Report) -> Result<(), String> {
    report.step("Rust tests", |_| {
        let command: &[&str] = if has_nextest(workspace) {
            &["nextest", "run"]
        } else {
            &["test", "--lib", "--bins", "--tests"]
        };
        system::run(workspace.cargo(command).args(WITHOUT_BENCHES))
    })?;
    report.step("doctests", |_| {
        system::run(workspace.cargo(&["test", "--doc"]).args(WITHOUT_BENCHES).args([
            "--exclude",
            "quickstart",
            "--exclude",
            "xtask",
        ]))
    })?;
    let variables =
        report.step("interop: prepare", |report| interop::prepare(workspace, report))?;
    if variables.is_empty() {
        return Ok(());
    }
    report.step("interop: verify", |_| {
        system::run(
            workspace
                .cargo(&["test", "-p", "conformance", "--features", "interop"])
                .args(["--test", "interop", "--", "--nocapture"])
                .envs(variables),
        )
    })
}

fn has_nextest(workspace: &Workspace) -> bool {
    let mut question = workspace.cargo(&["nextest", "--version"]);
    question.output().is_ok_and(|output| output.status.success())
}
