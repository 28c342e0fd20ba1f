//! Claims other than dates.

use portcullis::{GrantMapping, Issuer, JwkSet, issuer::TokenProfile};
use portcullis_testkit::TokenBuilder;
use serde_json::{Value, json};

use crate::{AUDIENCE, Row, Setting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [
        audiences(setting),
        events(setting),
        issuers(setting),
        strings(setting),
        actors(setting),
        grants(setting),
        not_included(setting),
        rules_of_the_issuer(setting),
    ]
    .concat()
}

fn audiences(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, value, code) in [
        ("another service", json!("billing"), "wrong_audience"),
        ("empty", json!(""), "wrong_audience"),
        ("ours in upper case", json!("ORDERS"), "wrong_audience"),
        ("ours with a space", json!("orders "), "wrong_audience"),
        ("ours with a slash", json!("orders/"), "wrong_audience"),
        ("a prefix of ours", json!("order"), "wrong_audience"),
        ("ours with more behind it", json!("orders-admin"), "wrong_audience"),
        ("two names in one text, ours first", json!("orders billing"), "wrong_audience"),
        ("two names with a comma, ours last", json!("billing,orders"), "wrong_audience"),
        ("an empty list", json!([]), "wrong_audience"),
        ("a list of others", json!(["billing", "mail"]), "wrong_audience"),
        ("a list of an empty text", json!([""]), "wrong_audience"),
        ("a number", json!(1), "malformed_claim"),
        ("true", json!(true), "malformed_claim"),
        ("null", json!(null), "malformed_claim"),
        ("an object with ours as a value", json!({"aud": "orders"}), "malformed_claim"),
        ("an object with ours as a name", json!({"orders": true}), "malformed_claim"),
        ("a list of numbers", json!([1, 2]), "malformed_claim"),
        ("a list with ours and a number", json!(["orders", 1]), "malformed_claim"),
        ("a list with a null and ours", json!([null, "orders"]), "malformed_claim"),
        ("a list with ours and an object", json!(["orders", {}]), "malformed_claim"),
        ("a list in a list", json!([["orders"]]), "malformed_claim"),
    ] {
        let phrase = format!("`aud` is {what}");
        let token = setting.valid().claim("aud", value);
        let stands_for = "§3 CVE-2020-26160, CVE-2023-22482";
        rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, code));
    }
    rows.push(Row::rejected(
        &setting.plain,
        "`aud` is absent",
        "§3 CVE-2020-26160",
        setting.valid().without_claim("aud"),
        "missing_claim",
    ));
    let any = setting.engine(setting.issuer.trusted().dangerous_any_audience());
    rows.push(Row::rejected(
        &any,
        "`aud` is a number, where any audience will do",
        "§3 wrong types",
        setting.valid().claim("aud", 1),
        "malformed_claim",
    ));
    rows
}

/// Logout tokens and other security events, which are made out to the same names as access tokens.
fn events(setting: &Setting) -> Vec<Row> {
    let logout = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let any_type = setting.engine(setting.issuer.trusted().dangerous_any_token_type());
    let mut rows = Vec::new();
    for (what, value) in [
        ("a logout", logout),
        ("empty", json!({})),
        ("null", json!(null)),
        ("a text", json!("logout")),
    ] {
        let token = setting.valid().claim("events", value);
        let phrase = format!("`events` is {what}");
        rows.push(Row::rejected(
            &setting.plain,
            &*phrase,
            "§7 RFC 8725 §3.12",
            token.clone(),
            "wrong_type",
        ));
        let token = token.header("typ", "logout+jwt");
        let phrase = format!("{phrase}, where any `typ` will do");
        rows.push(Row::rejected(&any_type, phrase, "§7 RFC 8725 §3.12", token, "wrong_type"));
    }
    rows
}

fn issuers(setting: &Setting) -> Vec<Row> {
    let own = setting.issuer.name();
    let stands_for = "§3 CVE-2024-5037, CVE-2024-53861, CVE-2025-30144";
    let mut rows = Vec::new();
    let mut row = |what: &str, value: Value, code| {
        let token = setting.valid().claim("iss", value);
        let phrase = format!("`iss` is {what}");
        rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, code));
    };
    for (what, name) in [
        ("ours with a slash", "https://idp.test/"),
        ("ours in upper case", "HTTPS://IDP.TEST"),
        ("ours with an upper-case host", "https://IDP.test"),
        ("a prefix of ours", "https://idp"),
        ("a part of ours", "idp.test"),
        ("ours with more behind it", "https://idp.test.attacker.test"),
        ("ours as user of another host", "https://idp.test@attacker.test"),
        ("ours with its port", "https://idp.test:443"),
        ("ours with another scheme", "http://idp.test"),
        ("ours with a query", "https://idp.test?x"),
        ("ours with a space before it", " https://idp.test"),
        ("ours with a newline", "https://idp.test\n"),
        ("ours with a NUL", "https://idp.test\0"),
        ("ours, percent-encoded", "https://idp%2Etest"),
        ("ours with a Cyrillic letter", "https://іdp.test"),
        ("ours with a full-width stop", "https://idp．test"),
        ("`__proto__`", "__proto__"),
        ("`constructor`", "constructor"),
        ("a pattern", "https://*"),
        ("empty", ""),
    ] {
        row(what, name.into(), "untrusted_issuer");
    }
    for (what, value) in [
        ("a list with ours", json!([own])),
        ("a list with ours and another", json!(["https://attacker.test", own])),
        ("an object", json!({"issuer": own})),
        ("an object whose `toString` is ours", json!({"toString": own})),
        ("a number", json!(0)),
        ("true", json!(true)),
        ("null", json!(null)),
    ] {
        row(what, value, "malformed_claim");
    }
    rows.push(Row::rejected(
        &setting.plain,
        "`iss` is absent",
        stands_for,
        setting.valid().without_claim("iss"),
        "missing_claim",
    ));
    rows
}

fn strings(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for claim in ["sub", "jti", "client_id", "azp"] {
        for (what, value) in wrong_for_a_string() {
            let phrase = format!("`{claim}` is {what}");
            let token = setting.valid().claim(claim, value);
            let stands_for = "§3 CVE-2025-30144 (fast-jwt #552)";
            rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, "malformed_claim"));
        }
    }
    rows.push(Row::rejected(
        &setting.plain,
        "`azp` is a number beside a `client_id` that is a text",
        "§3 wrong types",
        setting.valid().claim("client_id", "web").claim("azp", 5),
        "malformed_claim",
    ));
    for (what, token, code) in [
        ("`sub` is absent", setting.valid().without_claim("sub"), "missing_claim"),
        ("`sub` is empty", setting.valid().subject(""), "malformed_claim"),
    ] {
        rows.push(Row::rejected(&setting.plain, what, "§3 subjects", token, code));
    }
    let anyone = setting.engine(setting.issuer.trusted().dangerous_optional_subject());
    rows.push(Row::rejected(
        &anyone,
        "`sub` is null, where it may be absent",
        "§3 wrong types",
        setting.valid().claim("sub", Value::Null),
        "malformed_claim",
    ));
    rows
}

fn wrong_for_a_string() -> [(&'static str, Value); 5] {
    [
        ("a number", json!(7)),
        ("true", json!(true)),
        ("null", json!(null)),
        ("a list of one text", json!(["alice"])),
        ("an object", json!({"sub": "alice"})),
    ]
}

fn actors(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, value, code) in [
        ("a text", json!("bob"), "malformed_claim"),
        ("null", json!(null), "malformed_claim"),
        ("a list", json!([{"sub": "bob"}]), "malformed_claim"),
        ("an object without `sub`", json!({"iss": "https://idp.test"}), "malformed_claim"),
        ("an object whose `sub` is a number", json!({"sub": 1}), "malformed_claim"),
        ("an object whose `iss` is a list", json!({"sub": "b", "iss": []}), "malformed_claim"),
        (
            "an actor behind which a text acts",
            json!({"sub": "b", "act": "carol"}),
            "malformed_claim",
        ),
        ("nine actors deep", chain_of_actors(9), "malformed_token"),
        ("thirty actors deep", chain_of_actors(30), "malformed_token"),
    ] {
        let token = setting.valid().claim("act", value);
        let phrase = format!("`act` is {what}");
        rows.push(Row::rejected(&setting.plain, phrase, "§3 RFC 8693 §4.1", token, code));
    }
    for (what, value) in [
        ("a thumbprint of a certificate", json!({"x5t#S256": "abc"})),
        ("a thumbprint of a DPoP key", json!({"jkt": "abc"})),
        ("an empty object", json!({})),
        ("null", json!(null)),
        ("a text", json!("abc")),
    ] {
        let token = setting.valid().claim("cnf", value);
        let phrase = format!("`cnf` is {what}, and nothing proves that the sender holds the key");
        let stands_for = "§3 RFC 7800 §3.1";
        rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, "wrong_binding"));
    }
    rows
}

/// Returns the value of `act` for this many actors.
pub(super) fn chain_of_actors(count: usize) -> Value {
    (1..count).fold(json!({"sub": "first"}), |act, _| json!({"sub": "next", "act": act}))
}

fn grants(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for (claim, what, value) in [
        ("scope", "a number", json!(1)),
        ("scope", "an object", json!({"orders:read": true})),
        ("scope", "a list with a number", json!(["orders:read", 1])),
        ("roles", "true", json!(true)),
        ("roles", "an object", json!({"admin": true})),
        ("roles", "a list in a list", json!([["admin"]])),
        ("groups", "a number", json!(0)),
    ] {
        let phrase = format!("`{claim}` is {what}");
        let token = setting.valid().claim(claim, value);
        rows.push(Row::rejected(
            &setting.plain,
            phrase,
            "§3 wrong types, RFC 9068 §4",
            token,
            "malformed_claim",
        ));
    }
    let mapping = GrantMapping::default().roles(["/realm_access/roles"]);
    let keycloak = setting.engine(setting.issuer.trusted().grant_mapping(mapping));
    let twice = r#"{"realm_access":{"roles":["admin"],"roles":["blocked"]},"#;
    let claims = setting.valid().claims_json().replacen('{', twice, 1);
    rows.push(Row::rejected(
        &keycloak,
        "the object that holds the roles has them twice",
        "§9 duplicate members inside nested objects",
        setting.valid().raw_claims(claims),
        "malformed_token",
    ));
    rows
}

/// Claims that the engine evaluates, and that the token names without their values.
fn not_included(setting: &Setting) -> Vec<Row> {
    const STANDS_FOR: &str = "§3 OpenID Connect Core §5.6.2";
    let mut rows = Vec::new();
    for name in ["act", "cnf", "client_id", "azp", "jti", "nbf", "exp", "aud", "sub", "iss"] {
        let phrase = format!("`_claim_names` names `{name}`");
        let token = setting.valid().claim("_claim_names", json!({name: "source"}));
        rows.push(Row::rejected(&setting.plain, phrase, STANDS_FOR, token, "claim_not_included"));
    }
    for (what, value) in
        [("a text", json!("act")), ("a list", json!(["act"])), ("true", json!(true))]
    {
        let phrase = format!("`_claim_names` is {what}");
        let token = setting.valid().claim("_claim_names", value);
        rows.push(Row::rejected(&setting.plain, phrase, STANDS_FOR, token, "malformed_claim"));
    }
    rows
}

fn rules_of_the_issuer(setting: &Setting) -> Vec<Row> {
    let trusted = || setting.issuer.trusted();
    let profile = || {
        let token = setting.valid().header("typ", "at+jwt");
        token.claim("client_id", "web").claim("jti", "1")
    };
    let row = |issuer: Issuer, name: &str, token: TokenBuilder, code: &str| {
        Row::rejected(&setting.engine(issuer), name, "§3 rules of the issuer", token, code)
    };
    let set = JwkSet::from_json(&setting.issuer.jwk_set_json()).expect("usable keys");
    let at_jwt = || trusted().profile(TokenProfile::AtJwt);
    vec![
        row(
            trusted().required_claims(["tenant"]),
            "a required claim is absent",
            setting.valid(),
            "missing_claim",
        ),
        row(
            trusted().required_claims(["/tenant/id"]),
            "a required claim is null",
            setting.valid().claim("tenant", json!({"id": null})),
            "missing_claim",
        ),
        row(
            trusted().subjects(["bob", "alice2"]),
            "the issuer may not speak for the subject",
            setting.valid(),
            "wrong_subject",
        ),
        row(
            at_jwt(),
            "an access token has the type JWT",
            profile().header("typ", "JWT"),
            "wrong_type",
        ),
        row(
            at_jwt(),
            "an access token has no type",
            profile().header("typ", json!(null)),
            "wrong_type",
        ),
        row(
            at_jwt(),
            "an access token lacks `jti`",
            profile().without_claim("jti"),
            "missing_claim",
        ),
        row(
            at_jwt(),
            "an access token lacks `client_id`",
            profile().without_claim("client_id"),
            "missing_claim",
        ),
        row(
            Issuer::dangerous_any("anyone").jwk_set(&set),
            "`iss` is a list, where any issuer will do",
            setting.valid().claim("iss", json!([setting.issuer.name()])),
            "malformed_claim",
        ),
        row(
            trusted().audience("ours"),
            "the audience of the builder does not count for an issuer that has its own",
            setting.valid().audience(AUDIENCE),
            "wrong_audience",
        ),
    ]
}
