//! The members of the JOSE header.

use serde_json::{Value, json};

use crate::{Row, Setting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [wrong_types(setting), algorithm_names(setting), token_types(setting), critical(setting)]
        .concat()
}

fn wrong_types(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for member in ["alg", "kid", "typ"] {
        for (what, value) in [
            ("a number", "256"),
            ("zero", "0"),
            ("true", "true"),
            ("false", "false"),
            ("null", "null"),
            ("a list with a good text", r#"["ES256"]"#),
            ("an object", r#"{"ES256":"ES256"}"#),
            ("half a surrogate pair", r#""\ud800""#),
        ] {
            let mut header = json!({"alg": "ES256", "kid": "es256", "typ": "JWT"});
            header.as_object_mut().expect("an object").insert(member.to_owned(), "\u{2603}".into());
            let header = header.to_string().replace("\"\u{2603}\"", value);
            rows.push(Row::rejected(
                &setting.plain,
                format!("`{member}` is {what}"),
                "§9 header members of every type",
                setting.valid().raw_header(header),
                "malformed_token",
            ));
        }
    }
    rows.push(Row::rejected(
        &setting.plain,
        "`alg` is absent",
        "§9 header members of every type",
        setting.valid().header("alg", Value::Null),
        "malformed_token",
    ));
    rows
}

fn algorithm_names(setting: &Setting) -> Vec<Row> {
    let names = [
        "es256",
        "Es256",
        "eS256",
        "ES256 ",
        " ES256",
        "ES256\0",
        "ES256\n",
        "\u{feff}ES256",
        "ＥＳ256",
        "ES-256",
        "ES256none",
        "ed25519",
        "eddsa",
    ];
    let row = |name: &str| {
        Row::rejected(
            &setting.plain,
            format!("`alg` is {name:?}, which is almost a name"),
            "§7 names compared case-sensitively",
            setting.valid().header("alg", name),
            "algorithm_not_allowed",
        )
    };
    names.into_iter().map(row).collect()
}

fn token_types(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for typ in [
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "JWE",
        "JOSE",
        "JOSE+JSON",
        "id+jwt",
        "application/logout+jwt",
        "text/at+jwt",
        "application/at/at+jwt",
        "at+jwt ",
        " JWT",
        "at+jwt;v=1",
        "JWT\0",
        "at jwt",
        "oauth-authz-req+jwt",
        "entity-statement+jwt",
    ] {
        let token = setting.valid().header("typ", typ);
        let phrase = format!("`typ` is {typ:?}");
        rows.push(Row::rejected(
            &setting.plain,
            phrase,
            "§3 CVE-2026-41164, §7",
            token,
            "wrong_type",
        ));
    }
    for typ in ["", "application/"] {
        let token = setting.valid().header("typ", typ);
        let phrase = format!("`typ` is {typ:?}, which names no type");
        let row = Row::rejected(&setting.plain, phrase, "§3 CVE-2026-41164", token, "wrong_type");
        rows.push(row);
    }
    rows
}

fn critical(setting: &Setting) -> Vec<Row> {
    let stands_for = "§3 CVE-2025-59420, CVE-2026-32597, GHSA-hm7r-c7qw-ghp6";
    let mut rows = Vec::new();
    for (what, value, code) in [
        ("an unknown extension", json!(["http://example.test/UNDEFINED"]), UNSUPPORTED),
        ("two unknown extensions", json!(["x", "y"]), UNSUPPORTED),
        ("the extension `b64`", json!(["b64"]), UNSUPPORTED),
        ("the registered member `alg`", json!(["alg"]), UNSUPPORTED),
        ("the registered claim `exp`", json!(["exp"]), UNSUPPORTED),
        ("one extension twice", json!(["exp", "exp"]), UNSUPPORTED),
        ("an empty name", json!([""]), UNSUPPORTED),
        ("`crit` itself", json!(["crit"]), UNSUPPORTED),
        ("nothing", json!([]), MALFORMED),
        ("a name that is no list", json!("exp"), MALFORMED),
        ("an object", json!({"exp": true}), MALFORMED),
        ("false", json!(false), MALFORMED),
        ("zero", json!(0), MALFORMED),
        ("a number in the list", json!([1]), MALFORMED),
        ("a name and a null", json!(["exp", null]), MALFORMED),
        ("a list in a list", json!([["exp"]]), MALFORMED),
    ] {
        let phrase = format!("`crit` lists {what}");
        let token = setting.valid().header("crit", value);
        rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, code));
    }
    for (name, header, code) in [
        ("`crit` is null", r#"{"alg":"ES256","kid":"es256","crit":null}"#, MALFORMED),
        (
            "`crit` lists an extension that is there and that nobody knows",
            r#"{"alg":"ES256","kid":"es256","crit":["x"],"x":1}"#,
            UNSUPPORTED,
        ),
        (
            "`b64` is false, and `crit` says so",
            r#"{"alg":"ES256","kid":"es256","crit":["b64"],"b64":false}"#,
            UNSUPPORTED,
        ),
        (
            "`b64` is false, and nothing says so",
            r#"{"alg":"ES256","kid":"es256","b64":false}"#,
            MALFORMED,
        ),
        (
            "`b64` is true, and nothing says so",
            r#"{"alg":"ES256","kid":"es256","b64":true}"#,
            MALFORMED,
        ),
        ("`b64` is null", r#"{"alg":"ES256","kid":"es256","b64":null}"#, MALFORMED),
        (
            "`crit` is there twice, the second one empty",
            r#"{"alg":"ES256","kid":"es256","crit":["x"],"crit":[]}"#,
            MALFORMED,
        ),
        (
            "`crit` is written with an escape",
            r#"{"alg":"ES256","kid":"es256","cr\u0069t":["x"]}"#,
            UNSUPPORTED,
        ),
    ] {
        let token = setting.valid().raw_header(header);
        rows.push(Row::rejected(&setting.plain, name, stands_for, token, code));
    }
    rows
}

const UNSUPPORTED: &str = "unsupported_critical_header";
const MALFORMED: &str = "malformed_token";
