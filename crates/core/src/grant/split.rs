//! From an entry of the permissions to resource and level.

#[cfg(feature = "regex")]
use super::GrantMappingError;

/// How an entry is split, checked when the configuration is built.
#[derive(Debug)]
pub(super) enum Split {
    Separator(String),
    #[cfg(feature = "regex")]
    Pattern {
        pattern: regex::Regex,
        resource: &'static str,
        level: &'static str,
    },
}

impl Split {
    /// Checks a pattern. A misspelled one is a mistake, and never falls back to something else.
    #[cfg(feature = "regex")]
    pub(super) fn pattern(text: &str) -> Result<Self, GrantMappingError> {
        let invalid =
            |reason: String| GrantMappingError::InvalidPattern { pattern: text.to_owned(), reason };
        let pattern = regex::Regex::new(text).map_err(|error| invalid(in_one_line(&error)))?;
        let has = |name: &str| pattern.capture_names().flatten().any(|own| own == name);
        let pairs = [("resource", "level"), ("namespace", "role")];
        match pairs.into_iter().find(|(resource, level)| has(resource) && has(level)) {
            Some((resource, level)) => Ok(Self::Pattern { pattern, resource, level }),
            None => Err(invalid(
                "it has no groups `resource` and `level`, or `namespace` and `role`".to_owned(),
            )),
        }
    }

    /// Returns resource and level; `None` for an entry of another form, which grants nothing.
    pub(super) fn parts<'e>(&self, entry: &'e str) -> Option<(&'e str, &'e str)> {
        match self {
            Self::Separator(separator) => entry.split_once(separator),
            #[cfg(feature = "regex")]
            Self::Pattern { pattern, resource, level } => {
                let found = pattern.captures(entry)?;
                Some((found.name(resource)?.as_str(), found.name(level)?.as_str()))
            }
        }
    }
}

/// Says what is wrong without the drawing of where that the last line follows.
#[cfg(feature = "regex")]
fn in_one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
