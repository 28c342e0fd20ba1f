//! The names of the tables.

use std::fmt;

use portcullis::revocation::{StoreError, StoreErrorKind};

/// What the names of all tables of a store start with. It is checked, so that it can be part of a statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TablePrefix(Box<str>);

/// Leaves room for the rest of a name: PostgreSQL cuts names after 63 bytes.
const MAX_LEN: usize = 40;

impl TablePrefix {
    pub(crate) fn new(name: &str) -> Result<Self, StoreError> {
        let is_letter = |c: char| c.is_ascii_lowercase() || c == '_';
        let is_valid = name.len() <= MAX_LEN
            && name.starts_with(is_letter)
            && name.chars().all(|c| is_letter(c) || c.is_ascii_digit());
        if is_valid {
            Ok(Self(name.into()))
        } else {
            Err(StoreError::new(
                StoreErrorKind::Unusable,
                "the table prefix must have 1 to 40 characters of a to z, 0 to 9 and _, and must not start \
                 with a digit",
            ))
        }
    }

    /// Returns the statement with each `{p}` replaced by the prefix. Statements quote the names.
    pub(crate) fn sql(&self, statement: &str) -> String {
        statement.replace("{p}", &self.0)
    }
}

impl Default for TablePrefix {
    fn default() -> Self {
        Self("portcullis".into())
    }
}

impl fmt::Display for TablePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TablePrefix;

    #[test]
    fn a_prefix_is_an_identifier_that_needs_no_escape() {
        for good in ["a", "_x", "portcullis", "orders_2", &"a".repeat(40)] {
            assert!(TablePrefix::new(good).is_ok(), "{good}");
        }
        for bad in
            ["", "1a", "A", "a-b", "a b", "a\"b", "a;b", "ä", "a.b", "{p}", "a\0", &"a".repeat(41)]
        {
            assert!(TablePrefix::new(bad).is_err(), "{bad}");
        }
    }
}
