//! `cargo xtask try`: the quickstart does what its own curl lines say.

use std::{
    env::consts::EXE_SUFFIX,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    server::Server,
    system,
    transcript::{Curl, Transcript},
    workspace::Workspace,
};

const FEWEST_CURLS: usize = 10;
const LONGEST_START: Duration = Duration::from_secs(120);

pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    system::run(&mut workspace.cargo(&["build", "-p", "quickstart"]))?;
    let binary = workspace.target().join("debug").join(format!("quickstart{EXE_SUFFIX}"));
    try_server(&mut Command::new(binary))
}

fn try_server(command: &mut Command) -> Result<(), String> {
    let server = Server::start(command)?;
    let transcript = read_transcript(&server, LONGEST_START)?;
    let mut failed = 0_usize;
    for curl in &transcript.curls {
        let got = status(&transcript, curl)?;
        if got == curl.expected {
            println!("ok   {got}  {}", curl.command);
        } else {
            failed += 1;
            println!("FAIL got {got}, expected {}  {}", curl.expected, curl.command);
        }
    }
    server.stop()?;
    let passed = transcript.curls.len() - failed;
    println!("curl lines: {passed} passed, {failed} failed");
    if failed > 0 {
        return Err(format!("{failed} curl lines got another status than expected"));
    }
    if passed < FEWEST_CURLS {
        return Err(format!(
            "the quickstart printed {passed} curl lines, fewer than {FEWEST_CURLS}"
        ));
    }
    Ok(())
}

fn read_transcript(server: &Server, limit: Duration) -> Result<Transcript, String> {
    let start = Instant::now();
    let mut transcript = Transcript::default();
    while !transcript.is_complete() {
        if start.elapsed() > limit {
            return Err(format!("no last line from the server within {} s", limit.as_secs()));
        }
        transcript.add(&server.next_line()?)?;
    }
    Ok(transcript)
}

/// The status that a curl line gets: `000` if there is no answer.
fn status(transcript: &Transcript, curl: &Curl) -> Result<String, String> {
    let output = Command::new("sh")
        .args(["-c", &transcript.script(curl)])
        .envs([("NO_PROXY", "*"), ("no_proxy", "*")])
        .output()
        .map_err(|error| format!("sh: {error}"))?;
    let status = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if status.is_empty() {
        return Err(format!(
            "{}: {}",
            curl.command,
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_script(script: &str) -> Result<(), String> {
        try_server(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn fails_without_enough_curl_lines() {
        let error = try_script(
            "trap 'exit 0' TERM; echo listening on http://127.0.0.1:1; echo press Ctrl-C to stop
             while :; do sleep 0.05; done",
        )
        .unwrap_err();
        assert_eq!(error, "the quickstart printed 0 curl lines, fewer than 10");
    }

    #[test]
    fn fails_when_the_last_line_is_long_in_coming() {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do echo listening on http://127.0.0.1:1; sleep 0.05; done"]);
        let server = Server::start(&mut command).unwrap();
        let error = read_transcript(&server, Duration::ZERO).unwrap_err();
        assert_eq!(error, "no last line from the server within 0 s");
    }

    #[test]
    fn fails_without_the_last_line() {
        let error = try_script("echo listening on http://127.0.0.1:1").unwrap_err();
        assert_eq!(error, "the server closed its output before the last line");
    }
}
