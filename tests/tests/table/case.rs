//! One row of the table.

use std::collections::HashMap;

use super::{answer::Answer, request::Request, setup::Configuration};

/// A request to a server of a configuration, and the answer that must come back.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) configuration: Configuration,
    pub(crate) request: Request,
    pub(crate) expected: Answer,
}

/// Makes rows of one configuration; their names begin with its name.
pub(crate) fn cases<N: AsRef<str>>(
    configuration: &Configuration,
    rows: impl IntoIterator<Item = (N, Request, Answer)>,
) -> Vec<Case> {
    let case = |(name, request, expected): (N, Request, Answer)| Case {
        name: format!("{}: {}", configuration.name, name.as_ref()),
        configuration: configuration.clone(),
        expected: expected.seeing_what_was_sent(&request),
        request,
    };
    rows.into_iter().map(case).collect()
}

/// Each row has a name of its own, and so has each configuration.
pub(crate) fn assert_distinct(cases: &[Case]) {
    let mut names = HashMap::new();
    let mut configurations: HashMap<_, &Configuration> = HashMap::new();
    for case in cases {
        assert!(names.insert(&case.name, ()).is_none(), "two rows are named {:?}", case.name);
        let configuration = &case.configuration;
        let first = configurations.entry(&configuration.name).or_insert(configuration);
        assert!(first.is(configuration), "two configurations are named {configuration:?}");
    }
}
