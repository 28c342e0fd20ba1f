//! What the log is told of faults of the application.

use tracing::Level;

use super::{Route, caller, decide};
use crate::{
    Grant,
    policy::{Policy, RoleHierarchy, deny_all, path_parameter, scope},
    test_log::told,
};

fn errors_of(run: impl FnOnce()) -> Vec<String> {
    told("portcullis", Level::ERROR, run)
}

#[test]
fn a_fault_of_the_application_is_told_by_name_and_what_a_client_does_is_not() {
    let report = |policy: &Policy, route: &Route<'_>| {
        let (result, _) = decide(policy, &caller(r#"{"sub":"x"}"#), &Grant::default(), route);
        errors_of(|| result.unwrap_err().report())
    };
    let own = path_parameter("tenant").equals_claim("sub");
    let faults = report(&own, &Route::with(&[]));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("`tenant`") && faults[0].contains("`/a/{b}`"), "{faults:?}");
    let nowhere = Route { route: None, ..Route::with(&[]) };
    for (policy, route) in [
        (&own, &nowhere),
        (&own, &Route::with(&[("tenant", "y")])),
        (&deny_all(), &nowhere),
        (&scope("a"), &nowhere),
    ] {
        assert_eq!(report(policy, route), [""; 0], "{policy:?}");
    }
}

#[test]
fn mistakes_are_told_when_the_application_is_put_together() {
    let policy = scope("a").or(RoleHierarchy::new(["reader", "writer"]).role_at_least("wirter"));
    let errors = errors_of(|| policy.report_mistakes());
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("`wirter` does not stand in the order reader < writer"),
        "{errors:?}"
    );
}
