//! `explain`: the trace of one token.

use std::fmt::Write;

use anstyle::Style;
use portcullis::{
    adapter::Challenge,
    explain::{Explanation, Outcome, Step, printable},
};
use serde::Serialize;

use crate::{
    args::ExplainArguments,
    engine::Engine,
    failure::{Failure, Finding},
    input,
    output::{self, BAD, FAINT, Format, GOOD, ODD, wrapped},
};

pub(crate) fn run(arguments: &ExplainArguments, format: Format) -> Result<Finding, Failure> {
    let token = input::token(arguments.token.as_deref())?;
    let engine = Engine::load(&arguments.engine)?;
    // Waits for keys that a source may still bring; the trace is told by what is there then.
    let _ = engine.judge(&token);
    let explanation = engine.within(|| engine.auth().explain_token(&token));
    if format.is_json() {
        output::json_line(&View::new(&explanation))?;
    } else {
        output::text(&to_text(&explanation, &engine))?;
    }
    Ok(if explanation.verdict().is_ok() { Finding::AllFine } else { Finding::SomethingRejected })
}

/// What is told as JSON, in this order.
#[derive(Serialize)]
struct View<'a> {
    result: &'static str,
    #[serde(flatten)]
    rejection: Option<RejectionView>,
    stages: Vec<StageView<'a>>,
}

#[derive(Serialize)]
struct RejectionView {
    status: u16,
    error: Option<&'static str>,
    code: &'static str,
}

#[derive(Serialize)]
struct StageView<'a> {
    stage: &'static str,
    outcome: &'static str,
    facts: &'a [String],
    help: Option<&'a str>,
}

impl<'a> View<'a> {
    fn new(explanation: &'a Explanation) -> Self {
        let stages = explanation.steps().iter().map(|step| StageView {
            stage: step.stage(),
            outcome: step.outcome().name(),
            facts: step.facts(),
            help: step.help(),
        });
        let rejection = explanation.verdict().err().map(|error| {
            let challenge = Challenge::from(error);
            let code = error.kind().code();
            RejectionView { status: challenge.status(), error: challenge.error(), code }
        });
        let result = if rejection.is_none() { "accepted" } else { "rejected" };
        Self { result, rejection, stages: stages.collect() }
    }
}

fn to_text(explanation: &Explanation, engine: &Engine) -> String {
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _ = match explanation.verdict() {
        Ok(_) => writeln!(text, "{GOOD}accepted{GOOD:#}"),
        Err(error) => {
            let (code, why) = (error.kind().code(), error.kind().description());
            writeln!(text, "{BAD}rejected{BAD:#}: {why} ({code})")
        }
    };
    let now = portcullis::explain::date(engine.now());
    let _ = writeln!(text, "{FAINT}judged as of {now}{FAINT:#}\n");
    explanation.steps().iter().for_each(|step| push_step(&mut text, step));
    text
}

/// One stage: its name and outcome, then what was compared, each on lines of its own. What rejected the
/// token, and the way out, have a label.
fn push_step(text: &mut String, step: &Step) {
    const INDENT: usize = 20;
    const LABEL: usize = 6;
    let (style, faint) = match step.outcome() {
        Outcome::Ok => (GOOD, Style::new()),
        Outcome::Rejected => (BAD, Style::new()),
        _ => (FAINT, FAINT),
    };
    let _ = write!(text, "{:<10}{style}{:<8}{style:#}  ", step.stage(), step.outcome().name());
    let is_rejected = step.outcome() == Outcome::Rejected;
    for (index, fact) in step.facts().iter().enumerate() {
        let gap = if index == 0 { 0 } else { INDENT };
        let is_why = is_rejected && index.saturating_add(1) == step.facts().len();
        if is_why {
            let fact = wrapped(&printable(fact), INDENT + LABEL, INDENT + LABEL);
            let _ = writeln!(text, "{:gap$}{BAD}why:{BAD:#}  {fact}", "");
        } else {
            let fact = wrapped(&printable(fact), INDENT, INDENT + 2);
            let _ = writeln!(text, "{:gap$}{faint}{fact}{faint:#}", "");
        }
    }
    if let Some(help) = step.help() {
        let help = wrapped(&printable(help), INDENT + LABEL, INDENT + LABEL);
        let _ = writeln!(text, "{:INDENT$}{ODD}help:{ODD:#} {help}", "");
    }
}
