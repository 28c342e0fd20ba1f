//! What kind of login is needed ([RFC 9470 §3]).
//!
//! [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3

use std::{sync::Arc, time::Duration};

/// What kind of login is needed: one of these authentication context classes, or one that is no
/// longer ago than this, or both.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct StepUp {
    /// With spaces between, the preferred one first.
    pub(crate) acr_values: Option<Arc<str>>,
    pub(crate) max_age: Option<Duration>,
}

impl StepUp {
    pub(crate) fn acr_values(&self) -> impl Iterator<Item = &str> {
        self.acr_values.iter().flat_map(|values| values.split(' ')).filter(|acr| !acr.is_empty())
    }

    /// Returns what satisfies both.
    pub(crate) fn and(self, other: &Self) -> Self {
        let max_age = match (self.max_age, other.max_age) {
            (Some(first), Some(second)) => Some(first.min(second)),
            (first, second) => first.or(second),
        };
        let acr_values = match (&self.acr_values, &other.acr_values) {
            (Some(_), Some(_)) => {
                let in_both =
                    self.acr_values().filter(|acr| other.acr_values().any(|own| own == *acr));
                let in_both = in_both.collect::<Vec<_>>().join(" ");
                // Nothing satisfies both: the first is as good as any.
                if in_both.is_empty() { self.acr_values.clone() } else { Some(in_both.into()) }
            }
            (first, second) => first.as_ref().or(second.as_ref()).cloned(),
        };
        Self { acr_values, max_age }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step_up(acr_values: &str, max_age: Option<u64>) -> StepUp {
        StepUp {
            acr_values: (!acr_values.is_empty()).then(|| acr_values.into()),
            max_age: max_age.map(Duration::from_secs),
        }
    }

    #[test]
    fn two_are_put_together_so_that_both_are_satisfied() {
        for (first, second, both) in [
            (("a", None), ("", Some(5)), ("a", Some(5))),
            (("", Some(9)), ("", Some(5)), ("", Some(5))),
            (("a b c", None), ("c b", None), ("b c", None)),
            (("a", Some(5)), ("b", Some(9)), ("a", Some(5))),
            (("", None), ("a", None), ("a", None)),
        ] {
            let and = step_up(first.0, first.1).and(&step_up(second.0, second.1));
            assert_eq!(and, step_up(both.0, both.1));
        }
    }
}
