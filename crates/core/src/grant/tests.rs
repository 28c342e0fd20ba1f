use super::*;
use crate::{AuthErrorKind, ConfigError, json::Object};

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
fn roles_of_several_claims_add_up_and_the_least_stand_in_for_none() {
    let mapping = GrantMapping::default()
        .roles(["/realm_access/roles", "roles"])
        .more_roles(["/resource_access/orders/roles", "extra"])
        .default_roles(["reader"]);
    for (claims, expected) in [
        (r#"{"realm_access":{"roles":["a"]},"roles":["not looked at"]}"#, &["a"][..]),
        (
            r#"{"realm_access":{"roles":["a"]},"resource_access":{"orders":{"roles":["b","a"]},"other":{"roles":["c"]}}}"#,
            &["a", "b"],
        ),
        (r#"{"extra":"d"}"#, &["d"]),
        (r#"{"extra":null}"#, &["reader"]),
        (r#"{"roles":[]}"#, &["reader"]),
        ("{}", &["reader"]),
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
        assert!(matches!(error, ConfigError::InvalidPattern { .. }), "{mistake}");
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
        assert!(matches!(mapping.compile(), Err(ConfigError::InvalidClaimPath { .. })));
    }
}
