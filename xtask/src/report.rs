//! Steps with their time, and the summary at the end.

use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<(&'static str, Duration, bool)>,
    notes: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    /// Runs a step and notes how it ended.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        action: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = action(self);
        self.steps.push((name, start.elapsed(), outcome.is_ok()));
        outcome.map_err(|message| format!("{name} failed: {message}"))
    }

    /// Adds a line to the summary.
    pub(crate) fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    /// Says at once that something is left out, and again in the summary.
    pub(crate) fn skip(&mut self, reason: &str) {
        let line = format!("SKIPPED {reason}");
        println!("{line}");
        self.skipped.push(line);
    }

    pub(crate) fn print(&self) {
        println!("\n== summary");
        for (name, time, passed) in &self.steps {
            let verdict = if *passed { "ok" } else { "FAIL" };
            println!("{verdict:4} {:7.1} s  {name}", time.as_secs_f64());
        }
        for line in self.notes.iter().chain(&self.skipped) {
            println!("{line}");
        }
        let passed = self.steps.iter().filter(|(_, _, passed)| *passed).count();
        let failed = self.steps.len() - passed;
        println!("steps: {passed} passed, {failed} failed, {} skipped", self.skipped.len());
    }
}
