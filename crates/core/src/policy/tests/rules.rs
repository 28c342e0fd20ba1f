//! Each rule by itself.

use super::{ISSUER, Route, caller, of_claims, of_grant};
use crate::{
    AuthErrorKind, Grant,
    policy::{
        self, Policy, RoleHierarchy, TokenKinds, all_roles, any_role, audience, authenticated,
        claim, client, deny_all, issuer, path_parameter, permission, role, scope, subject,
    },
};

const NOT_PERMITTED: Result<(), AuthErrorKind> = Err(AuthErrorKind::NotPermitted);
const MALFORMED: Result<(), AuthErrorKind> = Err(AuthErrorKind::MalformedClaim);
const FAULT: Result<(), AuthErrorKind> = Err(AuthErrorKind::InternalError);
const NO_ROLE: Result<(), AuthErrorKind> = Err(AuthErrorKind::InsufficientRole);

/// A rule that says no has an opposite, and one that cannot tell has none.
fn assert_opposite(
    policy: &Policy,
    is_a_no: bool,
    ask: impl Fn(&Policy) -> Result<(), AuthErrorKind>,
) {
    let what = format!("{policy:?}");
    let opposite = ask(&policy.clone().not());
    match ask(policy) {
        Ok(()) => assert_eq!(opposite, NOT_PERMITTED, "not {what}"),
        Err(_) if is_a_no => assert_eq!(opposite, Ok(()), "not {what}"),
        rejected => assert_eq!(opposite, rejected, "not {what}"),
    }
}

#[test]
fn ranked_roles_include_those_before_them() {
    let ranks = RoleHierarchy::new(["reader", "writer", "admin"]);
    let roles = |roles: &[&str]| Grant::builder().roles(roles.iter().copied()).build();
    for (own, reader, writer, admin) in [
        (&["reader"][..], Ok(()), NO_ROLE, NO_ROLE),
        (&["writer"], Ok(()), Ok(()), NO_ROLE),
        (&["admin"], Ok(()), Ok(()), Ok(())),
        (&["reader", "admin"], Ok(()), Ok(()), Ok(())),
        (&[], NO_ROLE, NO_ROLE, NO_ROLE),
        // Outside of the order, whatever it sounds like.
        (&["owner", "Admin", "admin ", ""], NO_ROLE, NO_ROLE, NO_ROLE),
    ] {
        for (role, expected) in [("reader", reader), ("writer", writer), ("admin", admin)] {
            let policy = ranks.role_at_least(role);
            let ask = |policy: &Policy| of_grant(policy, &roles(own), &());
            assert_eq!(ask(&policy), expected, "{own:?} for {role}");
            assert_opposite(&policy, true, ask);
        }
    }
    let all = ranks.clone().lowest_for_all();
    for own in [&[][..], &["owner"], &["reader"]] {
        let ask = |role| of_grant(&all.role_at_least(role), &roles(own), &());
        assert_eq!(["reader", "writer", "admin"].map(ask), [Ok(()), NO_ROLE, NO_ROLE], "{own:?}");
        assert_eq!(all.highest_role(&roles(own)), Some("reader"), "{own:?}");
    }
    assert_eq!(all.highest_role(&roles(&["writer", "owner"])), Some("writer"));
    assert_eq!(ranks.highest_role(&roles(&["owner"])), None);
    assert_eq!(of_grant(&all.permission_at_least("x", "reader"), &roles(&[]), &()), NOT_PERMITTED);
    assert_eq!(of_grant(&all.role_at_least("owner"), &roles(&["owner"]), &()), FAULT);
    let ignoring = ranks.ignoring_ascii_case().role_at_least("WRITER");
    assert_eq!(of_grant(&ignoring, &roles(&["ADMIN"]), &()), Ok(()));
    assert_eq!(of_grant(&ignoring, &roles(&["Reader"]), &()), NO_ROLE);
}

#[test]
fn a_mistake_allows_nobody_and_is_reported() {
    let everything = Grant::builder()
        .roles(["a", "b", "A", "", "c"])
        .permission("x", "a")
        .permission("", "a")
        .build();
    let kinds = TokenKinds::new("kind", ["a", "b"]);
    for (policy, mistake) in [
        (
            RoleHierarchy::new(["a", "b"]).role_at_least("c"),
            "`c` does not stand in the order a < b",
        ),
        (
            RoleHierarchy::new(["a", "b"]).permission_at_least("x", "A"),
            "`A` does not stand in the order a < b",
        ),
        (
            RoleHierarchy::new(["a", "b", "a"]).role_at_least("b"),
            "the order a < b < a has `a` twice, or it is empty",
        ),
        (
            RoleHierarchy::new(["a", "A"]).ignoring_ascii_case().role_at_least("a"),
            "the order a < A has `a` twice, or it is empty",
        ),
        (
            RoleHierarchy::new(["", "b"]).role_at_least("b"),
            "the order  < b has `` twice, or it is empty",
        ),
        (
            RoleHierarchy::new(<[&str; 0]>::default()).role_at_least("a"),
            "`a` does not stand in the order ",
        ),
        (all_roles(<[&str; 0]>::default()), "no role"),
        (any_role(<[&str; 0]>::default()), "no role"),
        (kinds.only("c"), "`c` is not among the kinds of tokens"),
        (kinds.clone().absent_is("c").only("a"), "`c` is not among the kinds of tokens"),
        (kinds.one_of(<[&str; 0]>::default()), "no kind of tokens"),
        (audience(""), "an audience without a name"),
        (subject(ISSUER, ""), "a subject without a name"),
        (policy::acr_values(["a b"]), "no `acr` value, or one that a challenge cannot name"),
        (path_parameter("b").equals_claim(""), "a claim whose name is empty or no JSON pointer"),
        (path_parameter("b").is_in_claim("/~"), "a claim whose name is empty or no JSON pointer"),
        (claim("", 1), "a claim whose name is empty or no JSON pointer"),
    ] {
        assert_eq!(policy.mistakes(), [mistake.into()], "{policy:?}");
        assert_eq!(scope("a").or(policy.clone().not()).mistakes(), [mistake.into()]);
        let ask = |policy: &Policy| of_grant(policy, &everything, &Route::with(&[("b", "")]));
        assert_eq!(ask(&policy), FAULT, "{policy:?}");
        assert_opposite(&policy, false, ask);
    }
}

#[test]
fn role_sets() {
    let grant = Grant::builder().roles(["a", "b"]).build();
    for (policy, expected) in [
        (role("a"), Ok(())),
        (role("c"), NO_ROLE),
        (all_roles(["a", "b"]), Ok(())),
        (all_roles(["a", "c"]), NO_ROLE),
        (any_role(["c", "b"]), Ok(())),
        (any_role(["c", "d"]), NO_ROLE),
    ] {
        assert_eq!(of_grant(&policy, &grant, &()), expected, "{policy:?}");
        assert_opposite(&policy, true, |policy| of_grant(policy, &grant, &()));
    }
}

/// The rules of Temporal's default authorizer: what a caller has on the namespace and system-wide is
/// put together, and the highest decides.
#[test]
fn permissions_on_a_resource_that_the_path_names() {
    let levels = RoleHierarchy::new(["worker", "read", "write", "admin"]).ignoring_ascii_case();
    let at_least = |level: &str| {
        levels
            .permission_at_least(path_parameter("namespace"), level)
            .or(levels.permission_at_least("temporal-system", level))
    };
    for (own, namespace, read, write, admin) in [
        (&["default:read"][..], "default", Ok(()), NOT_PERMITTED, NOT_PERMITTED),
        (&["default:read"], "other", NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED),
        (&["default:read"], "Default", NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED),
        (&["default:worker"], "default", NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED),
        (&["default:worker", "default:Read"], "default", Ok(()), NOT_PERMITTED, NOT_PERMITTED),
        (&["default:admin"], "default", Ok(()), Ok(()), Ok(())),
        (&["temporal-system:write"], "default", Ok(()), Ok(()), NOT_PERMITTED),
        (&["default:write", "temporal-system:read"], "default", Ok(()), Ok(()), NOT_PERMITTED),
        (&["default:owner"], "default", NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED),
        (&["*:admin", ":admin"], "default", NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED),
        (&[], "default", NOT_PERMITTED, NOT_PERMITTED, NOT_PERMITTED),
    ] {
        let grant = own.iter().filter_map(|entry| entry.split_once(':'));
        let grant =
            grant.fold(Grant::builder(), |grant, (on, level)| grant.permission(on, level)).build();
        let parameters = [("namespace", namespace)];
        for (level, expected) in [("read", read), ("write", write), ("admin", admin)] {
            let answer = of_grant(&at_least(level), &grant, &Route::with(&parameters));
            assert_eq!(answer, expected, "{own:?} for {level} on {namespace}");
        }
    }
    // Without the order, each level is one by itself.
    let grant = Grant::builder().permission("a", "admin").permission("a", "worker").build();
    let both = permission("a", "worker").and(permission(path_parameter("b"), "admin"));
    assert_eq!(of_grant(&both, &grant, &Route::with(&[("b", "a")])), Ok(()));
    assert_eq!(of_grant(&permission("a", "read"), &grant, &()), NOT_PERMITTED);
    assert_eq!(of_grant(&permission("b", "admin"), &grant, &()), NOT_PERMITTED);
}

#[test]
fn a_path_parameter_equals_a_claim_or_is_in_one() {
    let equals = path_parameter("b").equals_claim("c");
    let is_in = path_parameter("b").is_in_claim("c");
    // Claims, value, whether it equals, whether it is in, and whether the rejections are a no.
    for (claims, value, expected, expected_in, is_a_no) in [
        (r#"{"c":"x"}"#, "x", Ok(()), Ok(()), true),
        (r#"{"c":"x"}"#, "X", NOT_PERMITTED, NOT_PERMITTED, true),
        (r#"{"c":"x y"}"#, "x", NOT_PERMITTED, NOT_PERMITTED, true),
        (r#"{"c":""}"#, "", Ok(()), Ok(()), true),
        (r#"{}"#, "", NOT_PERMITTED, NOT_PERMITTED, true),
        (r#"{"c":null}"#, "null", NOT_PERMITTED, NOT_PERMITTED, true),
        (r#"{"c":42}"#, "42", Ok(()), Ok(()), true),
        (r#"{"c":-42}"#, "-42", Ok(()), Ok(()), true),
        (r#"{"c":0}"#, "0", Ok(()), Ok(()), true),
        (r#"{"c":42}"#, "43", NOT_PERMITTED, NOT_PERMITTED, true),
        (r#"{"c":18446744073709551617}"#, "18446744073709551617", Ok(()), Ok(()), true),
        (
            r#"{"c":18446744073709551617}"#,
            "18446744073709551616",
            NOT_PERMITTED,
            NOT_PERMITTED,
            true,
        ),
        // What one reader takes for the same number, and another does not.
        (r#"{"c":42}"#, "042", NOT_PERMITTED, NOT_PERMITTED, false),
        (r#"{"c":42}"#, "+42", NOT_PERMITTED, NOT_PERMITTED, false),
        (r#"{"c":42}"#, "42.0", NOT_PERMITTED, NOT_PERMITTED, false),
        (r#"{"c":42}"#, "٤٢", NOT_PERMITTED, NOT_PERMITTED, false),
        (r#"{"c":42}"#, "", NOT_PERMITTED, NOT_PERMITTED, false),
        (r#"{"c":42.0}"#, "42", NOT_PERMITTED, NOT_PERMITTED, false),
        (r#"{"c":4.2e1}"#, "42", NOT_PERMITTED, NOT_PERMITTED, false),
        (r#"{"c":-0}"#, "0", NOT_PERMITTED, NOT_PERMITTED, false),
        (r#"{"c":"42"}"#, "42", Ok(()), Ok(()), true),
        (r#"{"c":"42"}"#, "042", NOT_PERMITTED, NOT_PERMITTED, true),
        (r#"{"c":true}"#, "true", MALFORMED, MALFORMED, false),
        (r#"{"c":{"x":1}}"#, "x", MALFORMED, MALFORMED, false),
    ] {
        let parameters = [("b", value)];
        let ask = |policy: &Policy| of_claims(policy, claims, &Route::with(&parameters));
        assert_eq!(ask(&equals), expected, "{claims} equals {value}");
        assert_eq!(ask(&is_in), expected_in, "{value} is in {claims}");
        assert_opposite(&equals, is_a_no, ask);
        assert_opposite(&is_in, is_a_no, ask);
    }
    for (claims, value, expected, is_a_no) in [
        (r#"{"c":["x","y"]}"#, "x", Ok(()), true),
        (r#"{"c":["x","y"]}"#, "y", Ok(()), true),
        (r#"{"c":["x","y"]}"#, "z", NOT_PERMITTED, true),
        (r#"{"c":[]}"#, "", NOT_PERMITTED, true),
        (r#"{"c":[1,2]}"#, "2", Ok(()), true),
        (r#"{"c":["\u0078"]}"#, "x", Ok(()), true),
        // A good entry hides no bad one, wherever it stands.
        (r#"{"c":["x",true]}"#, "x", MALFORMED, false),
        (r#"{"c":[null,"x"]}"#, "x", MALFORMED, false),
        (r#"{"c":[["x"]]}"#, "x", MALFORMED, false),
        (r#"{"c":[4.2,"x"]}"#, "x", NOT_PERMITTED, false),
    ] {
        let parameters = [("b", value)];
        let ask = |policy: &Policy| of_claims(policy, claims, &Route::with(&parameters));
        assert_eq!(ask(&is_in), expected, "{value} is in {claims}");
        assert_opposite(&is_in, is_a_no, ask);
        assert_eq!(ask(&equals), MALFORMED, "{claims} is no text");
    }
    let nested = path_parameter("b").is_in_claim("/org/tenants");
    let route = Route::with(&[("b", "x")]);
    assert_eq!(of_claims(&nested, r#"{"org":{"tenants":["x"]}}"#, &route), Ok(()));
    assert_eq!(of_claims(&nested, r#"{"org":["x"]}"#, &route), MALFORMED);
}

/// Windmill: the workspace of the path is the token's, or among them.
#[test]
fn a_workspace_is_the_tokens_own_or_in_its_list() {
    let policy = path_parameter("workspace")
        .equals_claim("workspace_id")
        .or(path_parameter("workspace").is_in_claim("workspace_ids"));
    let route = Route::with(&[("workspace", "demo")]);
    for (claims, expected) in [
        (r#"{"workspace_id":"demo"}"#, Ok(())),
        (r#"{"workspace_ids":["prod","demo"]}"#, Ok(())),
        (r#"{"workspace_id":"prod","workspace_ids":["demo"]}"#, Ok(())),
        (r#"{"workspace_id":"prod"}"#, NOT_PERMITTED),
        (r#"{"workspace_id":"*"}"#, NOT_PERMITTED),
        ("{}", NOT_PERMITTED),
        (r#"{"workspace_id":7}"#, NOT_PERMITTED),
    ] {
        assert_eq!(of_claims(&policy, claims, &route), expected, "{claims}");
    }
}

#[test]
fn functions_look_at_a_path_parameter_now_or_later() {
    let is_own = |value: &str, subject: &str| {
        if value == subject { Ok(()) } else { Err(AuthErrorKind::NotPermitted.into()) }
    };
    let now =
        path_parameter("b").check(move |value, caller, _: &Grant| is_own(value, caller.subject()));
    let later = path_parameter("b").check_async(
        move |value: String, caller: crate::Principal, _| async move {
            is_own(&value, caller.subject())
        },
    );
    for policy in [now, later] {
        for (value, expected) in [("alice", Ok(())), ("bob", NOT_PERMITTED)] {
            let parameters = [("b", value)];
            let ask = |policy: &Policy| {
                of_claims(policy, r#"{"sub":"alice"}"#, &Route::with(&parameters))
            };
            assert_eq!(ask(&policy), expected, "{policy:?}");
            assert_opposite(&policy, true, ask);
        }
    }
}

#[test]
fn token_kinds() {
    let kinds = TokenKinds::new("scope", ["execution", "workload"]);
    let default = kinds.clone().absent_is("execution");
    for (policy, claims, expected, is_a_no) in [
        (kinds.only("execution"), r#"{"scope":"execution"}"#, Ok(()), true),
        (kinds.only("execution"), r#"{"scope":"workload"}"#, NOT_PERMITTED, true),
        (kinds.one_of(["execution", "workload"]), r#"{"scope":"workload"}"#, Ok(()), true),
        (kinds.only("execution"), "{}", NOT_PERMITTED, false),
        (default.only("execution"), "{}", Ok(()), true),
        (default.only("execution"), r#"{"scope":null}"#, Ok(()), true),
        (default.only("workload"), "{}", NOT_PERMITTED, true),
        // No kind at all: its opposite must not let it in.
        (default.only("execution"), r#"{"scope":"callback"}"#, NOT_PERMITTED, false),
        (default.only("workload"), r#"{"scope":"execution workload"}"#, NOT_PERMITTED, false),
        (default.only("execution"), r#"{"scope":["execution"]}"#, MALFORMED, false),
    ] {
        assert_eq!(of_claims(&policy, claims, &()), expected, "{policy:?} {claims}");
        assert_opposite(&policy, is_a_no, |policy| of_claims(policy, claims, &()));
    }
}

#[test]
fn who_calls_and_whom_the_token_is_from_and_for() {
    const WRONG_AUDIENCE: Result<(), AuthErrorKind> = Err(AuthErrorKind::WrongAudience);
    const UNTRUSTED: Result<(), AuthErrorKind> = Err(AuthErrorKind::UntrustedIssuer);
    let claims =
        r#"{"iss":"https://idp.test","sub":"alice","client_id":"app","aud":["api","billing"]}"#;
    for (policy, claims, expected) in [
        (authenticated(), "{}", Ok(())),
        (deny_all(), claims, NOT_PERMITTED),
        (audience("billing"), claims, Ok(())),
        (audience("bill"), claims, WRONG_AUDIENCE),
        (audience("billing"), r#"{"aud":"billing"}"#, Ok(())),
        (audience("billing"), r#"{"aud":"api billing"}"#, WRONG_AUDIENCE),
        (audience("billing"), "{}", WRONG_AUDIENCE),
        (audience("other").or(audience("billing")), claims, Ok(())),
        (issuer(ISSUER), claims, Ok(())),
        // A token without `iss` is from the issuer that is configured for such.
        (issuer(ISSUER), "{}", Ok(())),
        (issuer("https://idp.test/"), claims, UNTRUSTED),
        (issuer(ISSUER), r#"{"iss":"https://other.test"}"#, UNTRUSTED),
        (client(ISSUER, "app"), claims, Ok(())),
        (client(ISSUER, "other"), claims, NOT_PERMITTED),
        (client("https://other.test", "app"), claims, NOT_PERMITTED),
        (client(ISSUER, "app"), "{}", NOT_PERMITTED),
        (subject(ISSUER, "alice"), claims, Ok(())),
        (subject(ISSUER, "bob"), claims, NOT_PERMITTED),
        (subject("https://other.test", "alice"), claims, NOT_PERMITTED),
    ] {
        assert_eq!(of_claims(&policy, claims, &()), expected, "{policy:?} {claims}");
        assert_opposite(&policy, true, |policy| of_claims(policy, claims, &()));
    }
}

#[test]
fn claims_by_name_and_by_pointer() {
    for (policy, claims, expected) in [
        (claim("a", 1), r#"{"a":1}"#, Ok(())),
        (claim("a", 1), r#"{"a":"1"}"#, NOT_PERMITTED),
        (claim("a", 1), "{}", NOT_PERMITTED),
        (claim("/a/b", "x"), r#"{"a":{"b":"x"}}"#, Ok(())),
        (claim("/a/b", "x"), r#"{"a":"x"}"#, MALFORMED),
        (claim("a.b", "x"), r#"{"a.b":"x"}"#, Ok(())),
    ] {
        assert_eq!(of_claims(&policy, claims, &()), expected, "{policy:?} {claims}");
    }
}

#[test]
fn a_rejection_names_the_scope_that_its_first_rule_needs() {
    let caller = caller(r#"{"sub":"alice"}"#);
    for (policy, expected) in [
        (scope("a").or(role("admin")), Some("a")),
        (role("admin").or(scope("a")), None),
        (scope("a").and(authenticated()), Some("a")),
        (authenticated().and(scope("a").and(scope("b"))), Some("a b")),
        (scope("a").or(deny_all()).and(scope("b")), Some("a")),
        (deny_all().except_route("/x", deny_all()).or(scope("a")), None),
    ] {
        let error = policy.check(&caller, &Grant::default()).unwrap_err();
        assert_eq!(error.missing_scope(), expected, "{policy:?}");
    }
}
