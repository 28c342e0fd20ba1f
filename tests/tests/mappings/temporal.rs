//! Temporal: permissions such as `default:write` as bits, for namespaces and for the system (§1.5).

use std::collections::BTreeMap;

use portcullis::{
    Authenticator, ConfigError, Grant, GrantMapping, Principal, error::GrantMappingError,
    policy::RoleHierarchy,
};
use portcullis_testkit::TestIssuer;
use serde_json::{Value, json};

use super::{System, assert_row};

/// The bits of a set of roles.
const WORKER: u8 = 1;
const READER: u8 = 2;
const WRITER: u8 = 4;
const ADMIN: u8 = 8;

/// What Temporal keeps of a token.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Claims {
    system: u8,
    namespaces: BTreeMap<String, u8>,
}

impl Claims {
    fn new(system: u8, namespaces: &[(&str, u8)]) -> Self {
        let owned = |&(name, bits): &(&str, u8)| (name.to_owned(), bits);
        Self { system, namespaces: namespaces.iter().map(owned).collect() }
    }
}

impl From<&Grant> for Claims {
    fn from(grant: &Grant) -> Self {
        let mut claims = Self::default();
        for (namespace, level) in grant.permissions() {
            let bits = match &*level.to_ascii_lowercase() {
                "worker" => WORKER,
                "read" => READER,
                "write" => WRITER,
                "admin" => ADMIN,
                _ => 0,
            };
            match namespace {
                "temporal-system" => claims.system |= bits,
                _ => *claims.namespaces.entry(namespace.to_owned()).or_default() |= bits,
            }
        }
        claims
    }
}

fn colons() -> GrantMapping {
    GrantMapping::default().permissions("permissions", ":")
}

fn system(mapping: GrantMapping) -> System<Claims> {
    System::new(mapping, |builder| {
        builder.with_grant_from(|caller: &Principal| Ok(Claims::from(&caller.standard_grant()?)))
    })
}

/// Sentence, permissions, and what they give.
type Row = (&'static str, Value, Claims);

fn namespace(name: &str, bits: u8) -> Claims {
    Claims::new(0, &[(name, bits)])
}

fn entries() -> Vec<Row> {
    let none = Claims::default;
    vec![
        ("a list of nothing", json!([]), none()),
        ("`null` is not there", json!(null), none()),
        ("each of the four roles", json!(["a:worker"]), namespace("a", WORKER)),
        ("each of the four roles", json!(["a:read"]), namespace("a", READER)),
        ("each of the four roles", json!(["a:write"]), namespace("a", WRITER)),
        ("each of the four roles", json!(["a:admin"]), namespace("a", ADMIN)),
        (
            "bits are or-ed into the namespace",
            json!(["a:worker", "b:read", "a:write"]),
            Claims::new(0, &[("a", WORKER | WRITER), ("b", READER)]),
        ),
        ("duplicates are harmless", json!(["a:read", "a:READ", "a:read"]), namespace("a", READER)),
        ("the role is lower-cased", json!(["a:Write", "a:ADMIN"]), namespace("a", WRITER | ADMIN)),
        ("the namespace is not", json!(["A:read"]), namespace("A", READER)),
        ("the namespace may be empty", json!([":read"]), namespace("", READER)),
        ("split at the first colon", json!(["default:read:write"]), namespace("default", 0)),
        ("no colon: skipped", json!(["default", "a:read"]), namespace("a", READER)),
        ("an unknown role creates the entry", json!(["a:owner"]), namespace("a", 0)),
        ("an empty role too", json!(["a:"]), namespace("a", 0)),
        ("and takes no bits away", json!(["a:read", "a:owner"]), namespace("a", READER)),
        ("no trimming of roles", json!(["default: read"]), namespace("default", 0)),
        ("no trimming of namespaces", json!([" default:read"]), namespace(" default", READER)),
        ("no wildcards", json!(["*:admin"]), namespace("*", ADMIN)),
        ("the system", json!(["temporal-system:admin"]), Claims::new(ADMIN, &[])),
        (
            "bits are or-ed into the system",
            json!(["temporal-system:read", "temporal-system:Write", "a:read"]),
            Claims::new(READER | WRITER, &[("a", READER)]),
        ),
        ("the system, and an unknown role", json!(["temporal-system:x"]), none()),
        ("the literal, exactly", json!(["system:admin"]), namespace("system", ADMIN)),
        (
            "the literal, case-sensitive",
            json!(["Temporal-System:admin"]),
            namespace("Temporal-System", ADMIN),
        ),
    ]
}

/// What Temporal skips, and we reject unless told otherwise.
fn malformed() -> Vec<Row> {
    let none = Claims::default;
    vec![
        ("an entry that is no string: skipped", json!(["a:read", 1]), namespace("a", READER)),
        ("an entry that is `null`", json!([null, "a:read"]), namespace("a", READER)),
        ("an entry that is a list", json!([["a:write"], "a:read"]), namespace("a", READER)),
        ("another type than a list: ignored", json!({"a": "read"}), none()),
        ("a number", json!(1), none()),
        ("a truth", json!(true), none()),
    ]
}

#[test]
fn permissions_with_colons() {
    let (safe, compatible) =
        (system(colons()), system(colons().dangerous_ignore_malformed_permissions()));
    for (sentence, permissions, expected) in entries() {
        let claims = json!({ "permissions": permissions });
        for system in [&safe, &compatible] {
            assert_row(sentence, &claims, &system.grant(&claims), &Ok(expected.clone()));
        }
    }
    for (sentence, permissions, expected) in malformed() {
        let claims = json!({ "permissions": permissions });
        assert_row(sentence, &claims, &compatible.grant(&claims), &Ok(expected));
        assert_row(sentence, &claims, &safe.grant(&claims), &Err("malformed_claim"));
    }
    // One string is none for Temporal, and a list of one for ours.
    let claims = json!({"permissions": "a:read"});
    assert_row("one string", &claims, &compatible.grant(&claims), &Ok(Claims::default()));
    assert_row("one string", &claims, &safe.grant(&claims), &Ok(namespace("a", READER)));
    let absent = json!({});
    assert_row("no claim", &absent, &safe.grant(&absent), &Ok(Claims::default()));
}

#[test]
fn the_name_of_the_claim_is_a_setting_and_no_path() {
    let named = |claim: &str| system(GrantMapping::default().permissions(claim, ":"));
    let claims = json!({"a.b": ["x:read"], "a": {"b": ["x:admin"]}, "permissions": ["x:write"]});
    assert_row("a dot", &claims, &named("a.b").grant(&claims), &Ok(namespace("x", READER)));
    let url = json!({"https://temporal.test/p": ["x:read"]});
    let found = named("https://temporal.test/p").grant(&url);
    assert_row("a URL", &url, &found, &Ok(namespace("x", READER)));
}

#[test]
fn permissions_by_a_pattern() {
    let pattern = r"(?P<role>[A-Za-z]+) on (?P<namespace>[a-z-]*)";
    let mapping = GrantMapping::default()
        .permissions_matching("permissions", pattern)
        .dangerous_ignore_malformed_permissions();
    let system = system(mapping);
    for (sentence, permissions, expected) in [
        ("groups in any order", json!(["read on a"]), namespace("a", READER)),
        ("anywhere in the entry", json!(["may: write on a, b"]), namespace("a", WRITER)),
        ("the first match", json!(["read on a, admin on b"]), namespace("a", READER)),
        ("no match: skipped", json!(["a:admin", "read on a"]), namespace("a", READER)),
        ("the same rules: lower-cased", json!(["ADMIN on a"]), namespace("a", ADMIN)),
        ("the same rules: unknown", json!(["own on a"]), namespace("a", 0)),
        ("the same rules: empty", json!(["read on "]), namespace("", READER)),
        ("the same rules: system", json!(["admin on temporal-system"]), Claims::new(ADMIN, &[])),
        ("the same rules: duplicates", json!(["read on a", "read on a"]), namespace("a", READER)),
        ("no string: skipped", json!([7, "read on a"]), namespace("a", READER)),
        ("no list: ignored", json!("read on a"), Claims::default()),
    ] {
        let claims = json!({ "permissions": permissions });
        assert_row(sentence, &claims, &system.grant(&claims), &Ok(expected));
    }
}

/// Temporal falls back to colons without a word; that is no setting of ours.
#[test]
fn a_pattern_that_is_wrong_is_a_mistake() {
    for pattern in
        ["(", "(?P<namespace>.*)", "(?P<role>.*)", "(?P<role>a)(?P<role>b)(?P<namespace>c)"]
    {
        let mapping = GrantMapping::default().permissions_matching("permissions", pattern);
        let issuer = TestIssuer::new("https://idp.test").trusted().grant_mapping(mapping);
        let builder = Authenticator::builder().issuer(issuer).audience("temporal");
        let error = builder.build().unwrap_err();
        assert!(
            matches!(error, ConfigError::GrantMapping(GrantMappingError::InvalidPattern { .. })),
            "{pattern}: {error}"
        );
    }
}

/// §1.6, rule 5: who has the higher bit has enough, and a worker alone has nothing.
#[test]
fn levels_have_the_order_of_their_bits() {
    let system = System::by_data(colons());
    let levels = RoleHierarchy::new(["worker", "read", "write", "admin"]).ignoring_ascii_case();
    let at_least = |level| {
        let in_namespace = levels.permission_at_least("a", level);
        in_namespace.or(levels.permission_at_least("temporal-system", level))
    };
    for (permissions, read, write, admin) in [
        (json!(["a:worker"]), false, false, false),
        (json!(["a:read"]), true, false, false),
        (json!(["a:worker", "a:read"]), true, false, false),
        (json!(["a:Write"]), true, true, false),
        (json!(["a:ADMIN"]), true, true, true),
        (json!(["temporal-system:write"]), true, true, false),
        (json!(["b:admin"]), false, false, false),
        (json!(["a:owner"]), false, false, false),
        (json!([]), false, false, false),
    ] {
        let claims = json!({ "permissions": permissions });
        for (level, expected) in [("read", read), ("write", write), ("admin", admin)] {
            let may = system.decision(&claims, &at_least(level)) == "ok";
            assert_eq!(may, expected, "{claims} {level}");
        }
    }
}
