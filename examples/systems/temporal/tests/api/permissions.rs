//! §1.5: what the claim of permissions grants.

use serde_json::{Value, json};
use tonic::Code::{Ok, PermissionDenied};

use crate::server::{
    DESCRIBE, START, SYSTEM_INFO, Temporal, UPDATE, temporal, temporal_with, token_with,
};

/// What a claim grants in `default`: `r`, `w` and `a`, as far as it does.
fn granted(temporal: &Temporal, claim: &Value) -> String {
    granted_in(temporal, claim, "default")
}

fn granted_in(temporal: &Temporal, claim: &Value, namespace: &str) -> String {
    let token = token_with(&json!({ "permissions": claim }));
    // Whatever it grants, the token is good.
    assert_eq!(temporal.ask(SYSTEM_INFO, &token), Ok, "{claim}");
    let ask = |path| temporal.ask_in(path, &token, namespace);
    let asked = [(DESCRIBE, 'r'), (START, 'w'), (UPDATE, 'a')];
    asked.into_iter().filter(|(path, _)| ask(path) == Ok).map(|(_, letter)| letter).collect()
}

#[test]
fn s1_5_each_entry_is_a_namespace_and_a_role() {
    let temporal = temporal();
    for (claim, expected) in [
        (json!([]), ""),
        (json!(["default:worker"]), ""),
        (json!(["default:read"]), "r"),
        (json!(["default:write"]), "rw"),
        (json!(["default:admin"]), "rwa"),
        (json!(["other:admin"]), ""),
        (json!(["other:admin", "default:read"]), "r"),
        (json!(["default:read", "default:write"]), "rw"),
    ] {
        assert_eq!(granted(&temporal, &claim), expected, "{claim}");
    }
}

#[test]
fn s1_5_roles_are_lower_cased_and_namespaces_are_not() {
    let temporal = temporal();
    for (claim, expected) in [
        (json!(["default:READ"]), "r"),
        (json!(["default:Admin"]), "rwa"),
        (json!(["Default:admin"]), ""),
    ] {
        assert_eq!(granted(&temporal, &claim), expected, "{claim}");
    }
}

#[test]
fn s1_5_split_at_the_first_colon_without_trimming_or_wildcards() {
    let temporal = temporal();
    for entry in [
        "default",
        "default:",
        "default:read:write",
        "default: read",
        "default:read ",
        " default:read",
        "default :read",
        "*:read",
        "default*:read",
        "def:ault:read",
    ] {
        assert_eq!(granted(&temporal, &json!([entry])), "", "{entry}");
    }
    // The rest is skipped, and counts nonetheless.
    assert_eq!(granted(&temporal, &json!(["default", "x", "default:read"])), "r");
}

#[test]
fn s1_5_the_namespace_may_be_empty() {
    let temporal = temporal();
    assert_eq!(granted_in(&temporal, &json!([":read"]), ""), "r");
    assert_eq!(granted_in(&temporal, &json!([":read"]), "default"), "");
    assert_eq!(granted_in(&temporal, &json!(["default:read"]), ""), "");
}

#[test]
fn s1_5_the_system_is_temporal_system_exactly() {
    let temporal = temporal();
    for (claim, expected) in [
        (json!(["temporal-system:read"]), "r"),
        (json!(["temporal-system:write"]), "rw"),
        (json!(["temporal-system:admin"]), "rwa"),
        (json!(["temporal-system:worker"]), ""),
        (json!(["system:admin"]), ""),
        (json!(["Temporal-System:admin"]), ""),
        (json!(["temporal-system :admin"]), ""),
        (json!(["temporal-system:read", "default:write"]), "rw"),
    ] {
        assert_eq!(granted(&temporal, &claim), expected, "{claim}");
    }
}

/// The entry has no bits, so that it grants nothing, and takes nothing away.
#[test]
fn s1_5_unknown_role_creates_an_empty_entry() {
    let temporal = temporal();
    for (claim, expected) in [
        (json!(["default:owner"]), ""),
        (json!(["default:owner", "default:read"]), "r"),
        (json!(["default:write", "default:owner"]), "rw"),
        (json!(["default:owner", "temporal-system:read"]), "r"),
        (json!(["temporal-system:owner", "default:read"]), "r"),
    ] {
        assert_eq!(granted(&temporal, &claim), expected, "{claim}");
    }
}

#[test]
fn s1_5_duplicates_are_harmless() {
    let claim = json!(["default:read", "default:READ", "default:read"]);
    assert_eq!(granted(&temporal(), &claim), "r");
}

#[test]
fn s1_5_another_type_than_a_list_is_ignored_and_the_caller_is_known() {
    let temporal = temporal();
    for claim in [
        json!("default:admin"),
        json!({"default": "admin"}),
        json!({"0": "default:admin"}),
        json!(1),
        json!(true),
        json!(null),
    ] {
        assert_eq!(granted(&temporal, &claim), "", "{claim}");
    }
}

#[test]
fn s1_5_entries_that_are_no_strings_are_skipped() {
    let claim = json!([1, null, ["default:admin"], {"default": "admin"}, true, "default:read"]);
    assert_eq!(granted(&temporal(), &claim), "r");
}

#[test]
fn s1_5_a_pattern_finds_namespace_and_role() {
    let pattern = r"(?P<role>\w+) on (?P<namespace>[a-z-]*)";
    let temporal = temporal_with(&[("TEMPORAL_JWT_PERMISSIONS_REGEX", pattern)]);
    for (claim, expected) in [
        (json!(["read on default"]), "r"),
        // Unanchored, the first match.
        (json!(["may write on default, or so"]), "rw"),
        (json!(["read on default, admin on default"]), "r"),
        (json!(["READ on default"]), "r"),
        (json!(["admin on temporal-system"]), "rwa"),
        // No match: skipped.
        (json!(["default:admin"]), ""),
        (json!(["default:admin", "read on default"]), "r"),
        (json!(["owner on default"]), ""),
        (json!("admin on default"), ""),
        (json!([1, "read on default"]), "r"),
    ] {
        assert_eq!(granted(&temporal, &claim), expected, "{claim}");
    }
    let other_order = temporal_with(&[(
        "TEMPORAL_JWT_PERMISSIONS_REGEX",
        r"^ns=(?P<namespace>[^/]+)/(?P<role>.+)$",
    )]);
    assert_eq!(granted(&other_order, &json!(["ns=default/write"])), "rw");
    assert_eq!(granted(&other_order, &json!(["ns=default/write/x"])), "");
}

#[test]
fn s1_5_of_a_worker_nothing_is_allowed() {
    let temporal = temporal();
    let token = token_with(&json!({"permissions": ["default:worker", "temporal-system:worker"]}));
    for path in [DESCRIBE, START, UPDATE] {
        assert_eq!(temporal.ask(path, &token), PermissionDenied);
    }
}
