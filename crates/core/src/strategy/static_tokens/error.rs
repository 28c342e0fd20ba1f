//! Why static tokens cannot be used.

use std::{error::Error, fmt};

/// A static token that cannot be used. The text never holds the token.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StaticTokenError {
    /// A line of a text or a file is not a token.
    InvalidLine {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it, without the token.
        reason: &'static str,
    },
}

impl fmt::Display for StaticTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::InvalidLine { line, reason } = self;
        write!(
            f,
            "line {line} is no token: {reason}; give one token a line, or `name=token`, where \
             `sha256:` and 64 hexadecimal digits may stand for the token"
        )
    }
}

impl Error for StaticTokenError {}
