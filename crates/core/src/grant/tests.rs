use super::*;
use crate::{AuthErrorKind, GrantMappingError, json::Object};

fn map(mapping: &GrantMapping, claims: &str) -> Result<Grant, AuthErrorKind> {
    let claims = Object::parse(claims).unwrap();
    mapping.compile().unwrap().grant(&claims).map_err(|error| error.kind())
}

fn ours() -> GrantMapping {
    GrantMapping::default()
        .roles(["/realm_access/roles", "https://k/role"])
        .permissions("permissions", ":")
}

#[test]
fn reads_each_part_in_each_form() {
    for (claims, expected) in [
        ("{}", Grant::default()),
        (r#"{"scope":"a b"}"#, Grant::builder().scope("a b").build()),
        (r#"{"scp":["a","b"]}"#, Grant::builder().scope("a b").build()),
        (r#"{"scp":["a"],"scope":"b"}"#, Grant::builder().scope("b").build()),
        (r#"{"scp":["a"],"scope":null}"#, Grant::builder().scope("a").build()),
        (r#"{"scp":["a b","c"]}"#, Grant::builder().scope("c").build()),
        (r#"{"scope":""}"#, Grant::default()),
        (r#"{"scope":[]}"#, Grant::default()),
        (r#"{"realm_access":{"roles":["x","y"]}}"#, Grant::builder().roles(["x", "y"]).build()),
        (r#"{"https://k/role":"two words"}"#, Grant::builder().roles(["two words"]).build()),
        (r#"{"roles":["not mapped"]}"#, Grant::default()),
        (r#"{"groups":["g\u0041"]}"#, Grant::builder().groups(["gA"]).build()),
        (
            r#"{"permissions":["ns:read","ns:write","ns:read",":x","none","a:b:c"]}"#,
            Grant::builder()
                .permission("ns", "read")
                .permission("ns", "write")
                .permission("", "x")
                .permission("a", "b:c")
                .build(),
        ),
    ] {
        assert_eq!(map(&ours(), claims), Ok(expected), "{claims}");
    }
}

#[test]
fn an_empty_mapping_reads_nothing_whatever_its_type() {
    let claims = r#"{"scope":"a","scp":7,"roles":{"x":1},"groups":7}"#;
    assert_eq!(map(&GrantMapping::empty(), claims), Ok(Grant::default()));
    let groups_are_roles = GrantMapping::empty().roles(["groups"]);
    let expected = Grant::builder().roles(["g"]).build();
    assert_eq!(map(&groups_are_roles, r#"{"scope":7,"groups":["g"]}"#), Ok(expected));
}

#[test]
fn roles_of_several_claims_add_up() {
    let mapping = GrantMapping::default()
        .roles(["/realm_access/roles", "roles"])
        .more_roles(["/resource_access/orders/roles", "extra"]);
    for (claims, expected) in [
        (r#"{"realm_access":{"roles":["a"]},"roles":["not looked at"]}"#, &["a"][..]),
        (
            r#"{"realm_access":{"roles":["a"]},"resource_access":{"orders":{"roles":["b","a"]},"other":{"roles":["c"]}}}"#,
            &["a", "b"],
        ),
        (r#"{"extra":"d"}"#, &["d"]),
        (r#"{"extra":null}"#, &[]),
        (r#"{"roles":[]}"#, &[]),
        ("{}", &[]),
    ] {
        let expected = Grant::builder().roles(expected.iter().copied()).build();
        assert_eq!(map(&mapping, claims), Ok(expected), "{claims}");
    }
    let malformed = map(&mapping, r#"{"roles":["a"],"extra":1}"#);
    assert_eq!(malformed, Err(AuthErrorKind::MalformedClaim));
}

#[cfg(feature = "regex")]
#[test]
fn permissions_are_found_by_a_pattern_with_named_groups() {
    let matching =
        |pattern: &str| GrantMapping::default().permissions_matching("permissions", pattern);
    let mapping = matching("(?<role>read|write)@(?<namespace>[a-z]+)");
    let claims = r#"{"permissions":["x-read@ns-y","write@a write@b","admin@ns","read@"]}"#;
    let expected = Grant::builder().permission("ns", "read").permission("a", "write").build();
    assert_eq!(map(&mapping, claims), Ok(expected));
    let other_names = matching("^(?<resource>.*)/(?<level>.*)$");
    let expected = Grant::builder().permission("a/b", "c").build();
    assert_eq!(map(&other_names, r#"{"permissions":"a/b/c"}"#), Ok(expected));
    for mistake in ["(", "read", "(?<namespace>a)", "(?<role>a)", "(?<a>x)(?<b>y)"] {
        let error = matching(mistake).compile().unwrap_err();
        assert!(matches!(error, GrantMappingError::InvalidPattern { .. }), "{mistake}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

#[test]
fn a_separator_of_nothing_is_a_mistake() {
    assert!(GrantMapping::default().permissions("permissions", "").compile().is_err());
}

#[test]
fn another_type_is_an_error_and_never_an_empty_list() {
    for claims in [
        r#"{"scope":1}"#,
        r#"{"scope":{}}"#,
        r#"{"scope":["a",1]}"#,
        r#"{"scp":[["a"]]}"#,
        r#"{"groups":true}"#,
        r#"{"realm_access":{"roles":{"a":1}}}"#,
        r#"{"permissions":{"ns":"read"}}"#,
        r#"{"realm_access":"roles"}"#,
    ] {
        assert_eq!(map(&ours(), claims), Err(AuthErrorKind::MalformedClaim), "{claims}");
    }
}

#[test]
fn a_bad_pointer_is_a_configuration_error() {
    for mapping in [GrantMapping::default().scope(["/a~"]), GrantMapping::default().roles([""])] {
        assert!(matches!(mapping.compile(), Err(GrantMappingError::InvalidClaimPath(_))));
    }
}

#[test]
fn permissions_that_are_null_are_none() {
    assert_eq!(map(&ours(), r#"{"permissions":null}"#), Ok(Grant::default()));
}

#[test]
fn malformed_permissions_are_ignored_only_where_that_is_said_and_nothing_else_is() {
    let lenient = ours().dangerous_ignore_malformed_permissions();
    let read = Grant::builder().permission("ns", "read").build();
    for (claims, expected) in [
        (r#"{"permissions":["ns:read",1,null,["ns:write"],{"ns":"write"}]}"#, &read),
        (r#"{"permissions":"ns:read"}"#, &Grant::default()),
        (r#"{"permissions":{"ns":"read"}}"#, &Grant::default()),
        (r#"{"permissions":true}"#, &Grant::default()),
        ("{}", &Grant::default()),
    ] {
        assert_eq!(map(&lenient, claims).as_ref(), Ok(expected), "{claims}");
    }
    for claims in [r#"{"scope":1}"#, r#"{"groups":[1]}"#, r#"{"realm_access":1}"#] {
        assert_eq!(map(&lenient, claims), Err(AuthErrorKind::MalformedClaim), "{claims}");
    }
}
