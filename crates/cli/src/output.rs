//! What is written to standard output: JSON lines for programs, text for people.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::failure::Failure;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Format {
    /// Text on a terminal, and JSON lines elsewhere.
    #[default]
    Auto,
    Json,
    Text,
}

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What deserves a look.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default().bold();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();

impl Format {
    /// Tells whether it is JSON, for this run.
    pub(crate) fn is_json(self) -> bool {
        match self {
            Self::Auto => !io::stdout().is_terminal(),
            Self::Json => true,
            Self::Text => false,
        }
    }
}

/// Writes one line of JSON.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::from)?;
    line.push(b'\n');
    raw(&line)
}

/// Writes text, with colours where a terminal shows them.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Writes bytes as they are.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    Ok(stdout.flush()?)
}

/// Breaks a text into lines of 80 columns at most, each after the first with an indent.
pub(crate) fn wrapped(text: &str, first_indent: usize, indent: usize) -> String {
    const COLUMNS: usize = 80;
    let mut lines = String::new();
    let mut column = first_indent;
    let mut is_start = true;
    for word in text.split(' ') {
        let width = word.chars().count();
        if !is_start && column.saturating_add(1).saturating_add(width) > COLUMNS {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if !is_start {
            lines.push(' ');
            column = column.saturating_add(1);
        }
        lines.push_str(word);
        column = column.saturating_add(width);
        is_start = false;
    }
    lines
}
