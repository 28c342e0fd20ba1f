//! The PostgreSQL and Redis servers of the tests, and the tests of replicas that share one.

use std::{env, ffi::OsString, path::PathBuf};

use replicas::{POSTGRES_PROGRAMS, POSTGRES_URL, Postgres, REDIS_SERVER, Redis};

use crate::{report::Report, system, workspace::Workspace};

/// Allows the tests of `portcullis-redis` to pass without a server.
const WITHOUT_REDIS: &str = "PORTCULLIS_TEST_WITHOUT_REDIS";

/// The servers that the tests use. PostgreSQL runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Servers {
    postgres: Option<(PathBuf, Postgres)>,
    redis: Option<PathBuf>,
}

impl Servers {
    /// Finds PostgreSQL and Redis, and starts a private PostgreSQL server. Each test that needs a Redis server
    /// starts its own.
    ///
    /// Missing programs are installed only where `CI` is `true` or with `--install`: a service that a package
    /// starts may surprise its owner. They are a failure where `CI` is `true`, and are left out elsewhere.
    pub(crate) fn prepare(may_install: bool, report: &mut Report) -> Result<Self, String> {
        let is_ci = env::var_os("CI").is_some_and(|value| value == "true");
        let may_install = may_install || is_ci;
        let mut find = |name: &str, package: &str, find: fn() -> Option<PathBuf>| {
            let reason = match found(package, find, may_install) {
                Ok(program) => return Ok(Some(program)),
                Err(reason) => reason,
            };
            if is_ci {
                return Err(format!("{name}: {reason}"));
            }
            report.skip(&format!("stores on {name}: {reason}"));
            Ok(None)
        };
        let programs = find("PostgreSQL", "postgresql", Postgres::find)?;
        let redis = find("Redis", "redis-server", Redis::find)?;
        let postgres = match programs {
            Some(programs) => {
                let server = Postgres::start(&programs)?;
                Some((programs, server))
            }
            None => None,
        };
        Ok(Self { postgres, redis })
    }

    /// Returns the environment of the tests.
    pub(crate) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = Vec::new();
        if let Some((programs, server)) = &self.postgres {
            variables.push((POSTGRES_PROGRAMS, programs.into()));
            variables.push((POSTGRES_URL, server.url().into()));
        }
        variables.push(match &self.redis {
            Some(program) => (REDIS_SERVER, program.into()),
            None => (WITHOUT_REDIS, "1".into()),
        });
        variables
    }

    /// Runs the tests that need servers: those of the store on PostgreSQL, and those with several processes on
    /// one store.
    pub(crate) fn test(&self, workspace: &Workspace, report: &mut Report) -> Result<(), String> {
        if self.postgres.is_some() {
            let features =
                ["portcullis-sql/mint", "portcullis-sql/postgres", "portcullis-sql/sqlite"];
            let tests = ["postgres", "signing_keys", "token_table"];
            let mut tests = workspace.test(&features, &tests);
            system::run(tests.args(["--", "--include-ignored"]).envs(self.variables()))?;
        }
        if self.postgres.is_none() || self.redis.is_none() {
            report.skip("replicas: they need PostgreSQL and Redis");
            return Ok(());
        }
        let mut servers_themselves = workspace.test(&["replicas/servers"], &[]);
        servers_themselves.args(["--lib", "--", "redis::tests", "postgres::tests"]);
        system::run(servers_themselves.envs(self.variables()))?;
        let output = system::run_and_read(
            workspace
                .test(&["replicas/servers"], &["processes", "histories", "figures"])
                // One after another: they measure times.
                .args(["--", "--nocapture", "--test-threads", "1"])
                .envs(self.variables()),
        )?;
        for line in figures(&output)? {
            report.note(line);
        }
        Ok(())
    }

    /// Runs many random histories on each store, and long cuts of its connections.
    pub(crate) fn run_histories(&self, workspace: &Workspace) -> Result<(), String> {
        for (test, filter) in [("histories", ""), ("processes", "cut")] {
            system::run(
                workspace
                    .test(&["replicas/servers"], &[test])
                    .args(["--", "--nocapture", "--test-threads", "1", filter])
                    .envs([("PORTCULLIS_TEST_HISTORIES", "1000"), ("PORTCULLIS_TEST_CUT", "30")])
                    .envs(self.variables()),
            )?;
        }
        Ok(())
    }

    /// Changes signing keys on each store for a minute, and for five minutes before a verifier over HTTP.
    pub(crate) fn run_rotation(&self, workspace: &Workspace) -> Result<(), String> {
        let tests = ["rotation::no_valid_token", "rotation::http_verifier"];
        system::run(
            workspace
                .test(&["replicas/servers"], &["processes"])
                .arg("--")
                .args(tests)
                .args(["--include-ignored", "--nocapture", "--test-threads", "1"])
                .env("PORTCULLIS_TEST_ROTATION", "60")
                .envs(self.variables()),
        )
    }
}

fn found(
    package: &str,
    find: fn() -> Option<PathBuf>,
    may_install: bool,
) -> Result<PathBuf, String> {
    if let Some(program) = find() {
        return Ok(program);
    }
    if !may_install {
        return Err("not found; `cargo xtask test --install` installs it".to_owned());
    }
    system::apt_install(&[package]).map_err(|reason| format!("not found ({reason})"))?;
    find().ok_or_else(|| "not found".to_owned())
}

/// Returns what the tests measured, and fails if that is nothing.
fn figures(output: &str) -> Result<Vec<String>, String> {
    let lines = output.lines().filter_map(|line| line.split_once("replicas: "));
    let lines: Vec<String> = lines.map(|(_, figure)| format!("replicas: {figure}")).collect();
    if lines.is_empty() {
        return Err("the tests with replicas report no figure".to_owned());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_figures_of_the_tests() {
        let output = "running 1 test\ntest a ... replicas: redis: 2 processes, p99 3 ms\nok\n";
        assert_eq!(figures(output).unwrap(), ["replicas: redis: 2 processes, p99 3 ms"]);
        assert!(figures("running 0 tests\n").is_err());
    }

    #[test]
    fn does_not_install_without_being_asked() {
        let error = found("postgresql", || None, false).unwrap_err();
        assert_eq!(error, "not found; `cargo xtask test --install` installs it");
    }

    #[test]
    fn installs_nothing_that_is_there() {
        assert_eq!(found("redis-server", || Some("x".into()), true).unwrap(), PathBuf::from("x"));
    }
}
