//! The one table of requests that all adapters answer.

use crate::{report::Report, system, workspace::Workspace};

const PREFIX: &str = "conformance: ";

/// Sends the table, and notes how many rows and adapters agree.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result<(), String> {
    let output = system::run_and_read(workspace.test(&[], &["table"]).args(["--", "--nocapture"]))?;
    for line in verdict(&output)? {
        report.note(line.to_owned());
    }
    Ok(())
}

/// Returns what the table says of itself, and fails if it does not end with an agreement.
fn verdict(output: &str) -> Result<Vec<&str>, String> {
    // The test's name may stand before the first line.
    let lines = output.lines().filter_map(|line| line.get(line.find(PREFIX)?..));
    let lines: Vec<_> = lines.collect();
    match lines.last() {
        Some(last) if last.ends_with(" adapters, 0 disagreements") => Ok(lines),
        _ => Err("the table does not say that all adapters agree".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_what_the_table_says() {
        let output = "\
running 1 test
test all ... conformance: 20 requests over HTTP/1.1 and HTTP/2
conformance: 10 rows x 2 adapters, 0 disagreements
ok
";
        assert_eq!(
            verdict(output).unwrap(),
            [
                "conformance: 20 requests over HTTP/1.1 and HTTP/2",
                "conformance: 10 rows x 2 adapters, 0 disagreements"
            ]
        );
    }

    #[test]
    fn a_disagreement_or_no_word_is_a_failure() {
        assert!(verdict("conformance: 10 rows x 2 adapters, 10 disagreements\n").is_err());
        assert!(verdict("running 0 tests\n").is_err());
    }
}
