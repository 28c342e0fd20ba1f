//! What may be wrong with a table.

use std::{error::Error, fmt};

/// A table of methods that cannot be used: found at start.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MethodError {
    /// The table has no rule, so that every call would be rejected.
    Empty,
    /// The name is not the full name of a method.
    MalformedMethod {
        /// The name.
        name: String,
    },
    /// The name is not the full name of a service.
    MalformedService {
        /// The name.
        name: String,
    },
    /// Two rules have the same name.
    Duplicate {
        /// The name.
        name: String,
    },
}

impl fmt::Display for MethodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the table of methods has no rule, so that every call would be rejected: add \
                 `.method(…)`, or leave the table out",
            ),
            Self::MalformedMethod { name } => write!(
                f,
                "`{name}` is not the full name of a gRPC method: write `/package.Service/Method`; \
                 for all methods of a service use `.service(…)`"
            ),
            Self::MalformedService { name } => write!(
                f,
                "`{name}` is not the full name of a gRPC service: write `package.Service`; for a \
                 single method use `.method(…)`"
            ),
            Self::Duplicate { name } => write!(
                f,
                "the table of methods has two rules for `{name}`: put their policies together with \
                 `and` or `or`, or leave one out"
            ),
        }
    }
}

impl Error for MethodError {}
