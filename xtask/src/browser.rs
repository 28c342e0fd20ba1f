//! The browser that shows the page of the CORS tests, and that of the Krishiv example.

use std::{env, path::PathBuf};

use crate::{report::Report, system, tokens, workspace::Workspace};

const VARIABLE: &str = "PORTCULLIS_INTEROP_BROWSER";

/// The names that Chromium goes by, and where macOS keeps it.
const PROGRAMS: [&str; 5] = [
    "chromium",
    "google-chrome",
    "google-chrome-stable",
    "chromium-browser",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

#[derive(Debug)]
struct Browser {
    program: PathBuf,
    /// Its name and version, by its own words.
    name: String,
}

/// Runs the tests that need a browser. Without one they are left out, and fail where `CI` is set:
/// there nobody reads what was left out.
pub(crate) fn test(workspace: &Workspace, report: &mut Report) -> Result<(), String> {
    let browser = match find() {
        Ok(browser) => browser,
        Err(reason) if env::var_os("CI").is_some_and(|value| value == "true") => {
            return Err(reason);
        }
        Err(reason) => {
            report.skip(&format!("browser: {reason}"));
            return Ok(());
        }
    };
    let output = system::run_and_read(
        workspace
            .test(&["conformance/interop"], &["browser"])
            .args(["--", "--nocapture"])
            .env(VARIABLE, &browser.program),
    )?;
    let answers = count_answers(&output)?;
    report.note(format!("browser: {}: {answers} answers seen as they should be", browser.name));
    let output = system::run_and_read(
        workspace
            .test(&["krishiv/interop"], &["api"])
            .args(["--", "browser::", "looks::", "--nocapture"])
            .env(VARIABLE, &browser.program),
    )?;
    let journeys = count_journeys(&output)?;
    report.note(format!("browser: {}: {journeys} journeys of the Krishiv example", browser.name));
    Ok(())
}

fn find() -> Result<Browser, String> {
    if let Some(browser) = installed() {
        return Ok(browser);
    }
    system::apt_install(&["chromium"]).map_err(|reason| format!("no Chromium ({reason})"))?;
    installed().ok_or_else(|| "no Chromium".to_owned())
}

fn installed() -> Option<Browser> {
    PROGRAMS.iter().find_map(|program| {
        let answer = system::answer(program, &["--version"])?;
        let name = answer.split(" built on").next().unwrap_or_default().trim().to_owned();
        Some(Browser { program: program.into(), name })
    })
}

/// Adds up the answers that the tests report, and fails if there are none.
fn count_answers(output: &str) -> Result<usize, String> {
    let counts = output.lines().filter_map(|line| {
        let (_, what) = line.split_once("interop: browser: ")?;
        tokens::between(what, ": ", " answers")?.parse::<usize>().ok()
    });
    match counts.sum() {
        0 => Err("the tests with a browser report no answer".to_owned()),
        answers => Ok(answers),
    }
}

/// Counts the journeys that came to their end, and fails if there are none.
fn count_journeys(output: &str) -> Result<usize, String> {
    match output.matches("interop: browser: krishiv: 1 journey").count() {
        0 => Err("the Krishiv example reports nothing of its page".to_owned()),
        journeys => Ok(journeys),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories_are_counted_and_none_is_a_failure() {
        let output = "test a ... interop: browser: krishiv: 1 journey\ninterop: browser: krishiv: 1 journey\n";
        assert_eq!(count_journeys(output), Ok(2));
        assert!(count_journeys("SKIPPED browser: no Chromium\n").is_err());
    }

    #[test]
    fn adds_the_answers_up() {
        let output = "\
running 1 test
interop: browser: axum: 27 answers
test a_page ... interop: browser: actix-web: 20 answers
interop: 14 tokens of 2 libraries verified, 0 names not offered
";
        assert_eq!(count_answers(output), Ok(47));
    }

    #[test]
    fn no_answer_at_all_is_a_failure() {
        assert!(count_answers("SKIPPED browser: no Chromium\n").is_err());
    }
}
