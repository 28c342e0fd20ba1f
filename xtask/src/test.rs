//! `cargo xtask test`: every test of the workspace.

use crate::{
    Options, browser, conformance, interop, provider,
    report::Report,
    stores::Servers,
    system,
    workspace::{WITHOUT_BENCHES, Workspace},
};

pub(crate) fn run(workspace: &Workspace, options: Options) -> Result<(), String> {
    let mut report = Report::default();
    let outcome = run_steps(workspace, &mut report, options);
    report.print();
    outcome
}

/// Runs 1,000 random histories of revocations on each store.
pub(crate) fn run_histories(workspace: &Workspace, options: Options) -> Result<(), String> {
    let mut report = Report::default();
    let servers = Servers::prepare(options.may_install, &mut report)?;
    servers.run_histories(workspace)
}

/// Changes signing keys among replicas for longer than the default tests do.
pub(crate) fn run_rotation(workspace: &Workspace, options: Options) -> Result<(), String> {
    let mut report = Report::default();
    let servers = Servers::prepare(options.may_install, &mut report)?;
    servers.run_rotation(workspace)
}

fn run_steps(workspace: &Workspace, report: &mut Report, options: Options) -> Result<(), String> {
    // Stopped when this function returns, also by an error.
    let servers =
        report.step("stores: prepare", |report| Servers::prepare(options.may_install, report))?;
    report.step("Rust tests", |_| {
        let command: &[&str] = if has_nextest(workspace) {
            // The table is a step of its own, which reports what it says.
            &["nextest", "run", "-E", "not binary_id(conformance::table)"]
        } else {
            &["test", "--lib", "--bins", "--tests"]
        };
        system::run(workspace.cargo(command).args(WITHOUT_BENCHES).envs(servers.variables()))
    })?;
    report.step("doctests", |_| {
        system::run(workspace.cargo(&["test", "--doc"]).args(WITHOUT_BENCHES).args([
            "--exclude",
            "quickstart",
            "--exclude",
            "windmill",
            "--exclude",
            "temporal",
            "--exclude",
            "krishiv",
            "--exclude",
            "airflow",
            "--exclude",
            "replicas",
            "--exclude",
            "xtask",
        ]))
    })?;
    report.step("replicas", |report| servers.test(workspace, report))?;
    report.step("conformance table", |report| conformance::run(workspace, report))?;
    report.step("browser", |report| browser::test(workspace, report))?;
    if options.is_full {
        report.step("airflow", |report| airflow(workspace, &servers, report))?;
    } else {
        report.note("airflow: not tested beside Airflow itself; `--full` does".to_owned());
    }
    let variables =
        report.step("interop: prepare", |report| interop::prepare(workspace, report))?;
    if variables.is_empty() {
        return Ok(());
    }
    let provider_is_ready = provider::is_ready(&variables);
    let windmill_is_ready = interop::has_windmill(&variables);
    let python_is_ready = interop::has_python(&variables);
    report.step("interop: verify", |report| {
        let doctests = ["test", "--doc", "-p", "conformance", "--features", "interop"];
        system::run(&mut workspace.cargo(&doctests))?;
        let output = system::run_and_read(
            workspace
                .test(&["conformance/interop"], &["interop", "provider", "mcp", "oauth4webapi"])
                .args(["--no-fail-fast", "--", "--nocapture"])
                .envs(variables.clone()),
        )?;
        if provider_is_ready {
            provider::note_verdicts(&output, report)?;
        }
        if windmill_is_ready {
            let mut tests = workspace.test(&["windmill/interop"], &["api"]);
            system::run(tests.args(["fast_jwt"]).envs(variables.clone()))?;
            report.note("interop: fast-jwt signs for the Windmill example: as expected".to_owned());
        }
        if python_is_ready {
            for (example, test, peer) in
                [("temporal", "sdk", "temporalio"), ("krishiv", "grpcio", "grpcio")]
            {
                let mut tests = workspace.test(&[&format!("{example}/interop")], &["api"]);
                tests.args([test, "--", "--nocapture"]).envs(variables.clone());
                let output = system::run_and_read(&mut tests)?;
                let verdicts = provider::count_verdicts(peer, &output)?;
                report.note(format!("interop: {peer}: {verdicts} verdicts as expected"));
            }
        }
        Ok(())
    })
}

/// Runs the tests of the example with Airflow itself.
fn airflow(workspace: &Workspace, servers: &Servers, report: &mut Report) -> Result<(), String> {
    let Some(python) = interop::prepare_airflow(workspace, report)? else { return Ok(()) };
    let mut tests = workspace.test(&["airflow/interop"], &["api"]);
    // One after another: each starts processes of Python, and some measure times.
    tests.args(["--", "classes", "oracle", "--nocapture", "--test-threads", "1"]);
    let output =
        system::run_and_read(tests.envs(servers.variables()).env(interop::AIRFLOW, python))?;
    let requests = output.lines().find_map(|line| line.trim().strip_prefix("oracle: "));
    let requests = requests.ok_or("the oracle has judged nothing")?;
    report.note(format!("airflow: {requests} answered as by Airflow"));
    Ok(())
}

fn has_nextest(workspace: &Workspace) -> bool {
    let mut question = workspace.cargo(&["nextest", "--version"]);
    question.output().is_ok_and(|output| output.status.success())
}
