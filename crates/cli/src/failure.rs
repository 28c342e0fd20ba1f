//! How a command ends.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use portcullis::explain::printable;

/// What a command that could do its work has found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Finding {
    AllFine,
    SomethingRejected,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A mistake in usage or configuration, in words, with its causes.
    Mistake(String),
    /// Nobody reads the output any more.
    NobodyReads,
}

impl Failure {
    pub(crate) fn mistake(message: impl Into<String>) -> Self {
        Self::Mistake(message.into())
    }

    /// A mistake in, or with, a file.
    pub(crate) fn about(path: &Path, error: impl fmt::Display) -> Self {
        Self::Mistake(format!("{}: {error}", path.display()))
    }

    /// Takes an error over, with all its causes.
    pub(crate) fn because(error: &dyn Error) -> Self {
        Self::Mistake(with_causes(error))
    }

    /// Writes it to standard error, and returns the status to exit with.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            // As with a filter whose reader has seen enough.
            Self::NobodyReads => ExitCode::SUCCESS,
            Self::Mistake(message) => {
                let mut stderr = anstream::stderr();
                let style = anstyle::AnsiColor::Red.on_default().bold();
                // Where standard error is gone too, the status is all that is left.
                let lines = message.lines().map(printable).collect::<Vec<_>>().join("\n");
                let _ = writeln!(stderr, "{style}error:{style:#} {lines}");
                ExitCode::from(2)
            }
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::NobodyReads
        } else {
            Self::Mistake(error.to_string())
        }
    }
}

/// Returns the text of an error with those of its causes. Some errors have that of their cause in
/// their own.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = inner.source();
    }
    message
}

/// Writes a warning to standard error.
pub(crate) fn warn(message: &str) {
    let style = anstyle::AnsiColor::Yellow.on_default().bold();
    let _ = writeln!(anstream::stderr(), "{style}warning:{style:#} {}", printable(message));
}
