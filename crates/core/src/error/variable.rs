//! Environment variables that are missing or wrong.

use std::fmt;

/// An environment variable that is missing or wrong. The text never holds its value.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VariableError {
    /// The variable is not set, or not UTF-8.
    Missing {
        /// The name of the variable.
        variable: String,
    },
    /// The variable has a value that is not allowed.
    Invalid {
        /// The name of the variable.
        variable: String,
        /// The values that are allowed.
        expected: &'static str,
    },
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { variable } => {
                write!(f, "the environment variable `{variable}` is not set: set it to a text")
            }
            Self::Invalid { variable, expected } => write!(
                f,
                "the environment variable `{variable}` is none of {expected}: set it to one"
            ),
        }
    }
}

impl std::error::Error for VariableError {}
