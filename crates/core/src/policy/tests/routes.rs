//! Rules that look at the route.

use std::error::Error;

use super::{Route, caller, decide, of_claims};
use crate::{
    AuthErrorKind, Grant, Principal,
    policy::{
        Policy, TokenKinds, authenticated, check_async, deny_all, path_parameter, permission, scope,
    },
};

const NOT_PERMITTED: Result<(), AuthErrorKind> = Err(AuthErrorKind::NotPermitted);

/// Neither the rule nor its opposite allows, and the log can tell why.
#[test]
fn a_parameter_that_the_route_lacks_is_a_fault_that_the_log_names() {
    let other = Route::with(&[("other", "x")]);
    for policy in [
        path_parameter("b").equals_claim("sub"),
        path_parameter("b").is_in_claim("sub"),
        path_parameter("b").check(|_, _, _: &Grant| Ok(())),
        path_parameter("b").check_async(async |_, _, _| Ok(())),
        permission(path_parameter("b"), "read"),
    ] {
        for policy in [policy.clone(), policy.clone().not(), policy.or(authenticated())] {
            let (result, _) = decide(&policy, &caller(r#"{"sub":"x"}"#), &Grant::default(), &other);
            let error = result.unwrap_err();
            assert_eq!(error.kind(), AuthErrorKind::InternalError, "{policy:?}");
            let cause = error.source().unwrap().to_string();
            assert!(cause.contains("`b`") && cause.contains("`/a/{b}`"), "{cause}");
            // A path that leads to no route is up to the client: no fault.
            assert_eq!(of_claims(&policy, r#"{"sub":"x"}"#, &()), NOT_PERMITTED, "{policy:?}");
        }
    }
}

/// The route is kept for the rules that come after an asynchronous one.
#[test]
fn rules_after_a_wait_see_the_same_route() {
    let wait = || check_async(async |_: Principal, _| Ok(()));
    let policy: Policy =
        wait().and(path_parameter("b").equals_claim("sub")).and(deny_all().except_method(
            "GET",
            "/a/{b}",
            wait().and(path_parameter("c").equals_claim("c")),
        ));
    let parameters = [("b", "alice"), ("c", "1")];
    let route = Route::with(&parameters);
    assert_eq!(of_claims(&policy, r#"{"sub":"alice","c":1}"#, &route), Ok(()));
    assert_eq!(of_claims(&policy, r#"{"sub":"bob","c":1}"#, &route), NOT_PERMITTED);
    assert_eq!(of_claims(&policy, r#"{"sub":"alice","c":2}"#, &route), NOT_PERMITTED);
    let post = Route { method: Some("POST"), ..route };
    assert_eq!(of_claims(&policy, r#"{"sub":"alice","c":1}"#, &post), NOT_PERMITTED);
    let less = Route::with(&parameters[..1]);
    let fault = Err(AuthErrorKind::InternalError);
    assert_eq!(of_claims(&policy, r#"{"sub":"alice","c":1}"#, &less), fault);
}

/// Airflow: routes take `execution` unless they say otherwise.
#[test]
fn a_group_has_a_kind_of_tokens_and_single_routes_have_others() {
    let kinds = TokenKinds::new("scope", ["execution", "workload"]).absent_is("execution");
    let both = || kinds.one_of(["execution", "workload"]);
    let group = kinds
        .only("execution")
        .except_method("PATCH", "/task-instances/{id}/run", both())
        .except_route("/connection-tests/{id}", kinds.only("workload"));
    for (method, route, execution, workload) in [
        ("PATCH", "/task-instances/{id}/run", Ok(()), Ok(())),
        ("GET", "/task-instances/{id}/run", Ok(()), NOT_PERMITTED),
        ("PATCH", "/task-instances/{id}/run/", Ok(()), NOT_PERMITTED),
        ("PATCH", "/task-instances/{id}", Ok(()), NOT_PERMITTED),
        ("GET", "/connection-tests/{id}", NOT_PERMITTED, Ok(())),
        ("DELETE", "/connection-tests/{id}", NOT_PERMITTED, Ok(())),
        ("GET", "/new", Ok(()), NOT_PERMITTED),
    ] {
        let route = Route::named(method, route);
        let ask = |policy: &Policy, kind: &str| {
            of_claims(policy, &format!(r#"{{"scope":"{kind}"}}"#), &route)
        };
        assert_eq!(ask(&group, "execution"), execution);
        assert_eq!(ask(&group, "workload"), workload);
        assert_eq!(ask(&group, "callback"), NOT_PERMITTED);
        // Around it, an exception changes nothing of what else is asked for.
        let and_scope = scope("x").and(group.clone());
        assert_eq!(ask(&and_scope, "workload"), Err(AuthErrorKind::InsufficientScope));
    }
    assert_eq!(of_claims(&group, r#"{"scope":"workload"}"#, &()), NOT_PERMITTED);
    // A path that leads to no route may be meant for any.
    assert_eq!(of_claims(&group, r#"{"scope":"execution"}"#, &()), NOT_PERMITTED);
    assert_eq!(of_claims(&group.clone().not(), r#"{"scope":"execution"}"#, &()), NOT_PERMITTED);
    let no_method = Route { method: None, ..Route::named("", "/task-instances/{id}/run") };
    assert_eq!(of_claims(&group, r#"{"scope":"execution"}"#, &no_method), NOT_PERMITTED);
}

#[test]
fn exceptions_by_method_come_first_and_get_stands_for_head() {
    let policy: Policy = deny_all()
        .except_route("/x", deny_all())
        .except_method("GET", "/x", authenticated())
        .except_method("HEAD", "/y", deny_all())
        .except_method("GET", "/y", authenticated());
    for (method, route, expected) in [
        ("GET", "/x", Ok(())),
        ("HEAD", "/x", Ok(())),
        ("POST", "/x", NOT_PERMITTED),
        ("get", "/x", NOT_PERMITTED),
        ("GET", "/y", Ok(())),
        ("HEAD", "/y", NOT_PERMITTED),
        ("GET", "/z", NOT_PERMITTED),
    ] {
        let answer = of_claims(&policy, "{}", &Route::named(method, route));
        assert_eq!(answer, expected, "{method} {route}");
    }
}

#[test]
fn a_route_that_is_excepted_twice_is_a_mistake_and_opens_nothing() {
    let policy: Policy =
        deny_all().except_route("/x", authenticated()).except_route("/x", authenticated());
    assert_eq!(policy.mistakes(), ["the route `/x` is excepted twice".into()]);
    let answer = of_claims(&policy, "{}", &Route::named("GET", "/x"));
    assert_eq!(answer, Err(AuthErrorKind::InternalError));
}

#[test]
fn only_rules_that_look_at_the_route_make_an_adapter_read_it() {
    for (policy, expected) in [
        (scope("a").and(authenticated()).or(deny_all().not()), false),
        (check_async(async |_: Principal, _| Ok(())), false),
        (scope("a").or(deny_all().and(path_parameter("b").equals_claim("c").not())), true),
        (permission(path_parameter("b"), "x"), true),
        (path_parameter("b").check_async(async |_, _, _| Ok(())), true),
        (deny_all().except_route("/x", deny_all()), true),
    ] {
        assert_eq!(policy.looks_at_route(), expected, "{policy:?}");
    }
}
