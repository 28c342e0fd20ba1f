//! Stronger and fresher logins ([RFC 9470]).
//!
//! [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470

use std::time::Duration;

use super::{LEEWAY, NOW, caller, of_claims};
use crate::{
    AuthError, AuthErrorKind, Challenge, Grant,
    policy::{self, Policy, acr_values, deny_all, max_age, role, scope},
};

const STEP_UP: Result<(), AuthErrorKind> = Err(AuthErrorKind::ReauthenticationRequired);
const MALFORMED: Result<(), AuthErrorKind> = Err(AuthErrorKind::MalformedClaim);

#[test]
fn the_class_of_the_login_is_one_of_those_asked_for() {
    let policy = acr_values(["gold", "silver"]);
    for (claims, expected) in [
        (r#"{"acr":"gold"}"#, Ok(())),
        (r#"{"acr":"silver"}"#, Ok(())),
        (r#"{"acr":"gold silver"}"#, STEP_UP),
        (r#"{"acr":"Gold"}"#, STEP_UP),
        (r#"{"acr":""}"#, STEP_UP),
        ("{}", STEP_UP),
        (r#"{"acr":["gold"]}"#, MALFORMED),
        (r#"{"acr":null}"#, MALFORMED),
    ] {
        assert_eq!(of_claims(&policy, claims, &()), expected, "{claims}");
    }
}

#[test]
fn the_login_is_no_older_than_asked_for_by_the_clock_of_the_engine() {
    let policy = max_age(Duration::from_secs(300));
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap();
    let at = |seconds: i64| format!(r#"{{"auth_time":{seconds}}}"#);
    for (claims, expected) in [
        (at(NOW), Ok(())),
        (at(NOW - 300 - leeway), Ok(())),
        (at(NOW - 300 - leeway - 1), STEP_UP),
        (at(0), STEP_UP),
        (at(i64::MIN + 1), STEP_UP),
        (at(NOW + leeway), Ok(())),
        (at(NOW + leeway + 1), MALFORMED),
        (at(i64::MAX), MALFORMED),
        (format!(r#"{{"auth_time":{}.5}}"#, NOW - 300 - leeway - 1), STEP_UP),
        ("{}".to_owned(), STEP_UP),
        (format!(r#"{{"auth_time":"{NOW}"}}"#), MALFORMED),
        (r#"{"auth_time":null}"#.to_owned(), MALFORMED),
        (r#"{"auth_time":1e99}"#.to_owned(), MALFORMED),
    ] {
        assert_eq!(of_claims(&policy, &claims, &()), expected, "{claims}");
    }
}

#[test]
fn the_challenge_names_all_that_the_login_needs() {
    let five = || max_age(Duration::from_secs(300));
    let own = || -> Policy {
        policy::check(|_, _| {
            Err(AuthError::reauthentication_required(Some("own"), Some(Duration::from_secs(9))))
        })
    };
    for (policy, expected) in [
        (acr_values(["a", "b"]), r#", acr_values="a b""#),
        (five(), r#", max_age="300""#),
        (acr_values(["a"]).and(five()), r#", acr_values="a", max_age="300""#),
        (five().and(acr_values(["a"])), r#", acr_values="a", max_age="300""#),
        (five().and(deny_all()).and(acr_values(["a"])), r#", acr_values="a", max_age="300""#),
        (five().and(max_age(Duration::from_millis(60_900))), r#", max_age="60""#),
        (acr_values(["a", "b"]).and(acr_values(["c", "b"])), r#", acr_values="b""#),
        (acr_values(["a"]).or(five()), r#", acr_values="a""#),
        (acr_values(["a"]).or(scope("s")).and(five()), r#", acr_values="a", max_age="300""#),
        (acr_values(["a"]).or(role("r")), r#", acr_values="a""#),
        (own(), r#", acr_values="own", max_age="9""#),
        (own().and(five()), r#", acr_values="own", max_age="9""#),
        (acr_values([r#"a"b\c"#]), r#", acr_values="a\"b\\c""#),
        (
            acr_values(["x".repeat(200), "y".repeat(200)]),
            &format!(r#", acr_values="{}""#, "x".repeat(200)),
        ),
    ] {
        let error = policy.check(&caller("{}"), &Grant::default()).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::ReauthenticationRequired, "{policy:?}");
        let challenge = Challenge::from(&error);
        assert_eq!(challenge.status(), 401);
        let value = challenge.www_authenticate().unwrap();
        let expected = format!(
            r#"Bearer error="insufficient_user_authentication", error_description="a fresh login is needed"{expected}"#
        );
        assert_eq!(value, expected, "{policy:?}");
    }
}
