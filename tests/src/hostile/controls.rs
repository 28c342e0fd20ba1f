//! Good tokens and requests that look much like the hostile ones: whoever rejects everything fails
//! here.

use portcullis::{Algorithm, Issuer, JwkSet, VerificationKey, issuer::TokenProfile};
use serde_json::{Value, json};

use super::{claims::chain_of_actors, sizes};
use crate::{AUDIENCE, LEEWAY, NOW, Request, Row, Setting, public_key};

/// Returns the rows that must be accepted.
#[must_use]
pub fn rows(setting: &Setting) -> Vec<Row> {
    [tokens(setting), dates(setting), keys(setting), requests(setting)].concat()
}

fn tokens(setting: &Setting) -> Vec<Row> {
    let row = |name: &str, stands_for, token: portcullis_testkit::TokenBuilder| {
        Row::accepted(&setting.plain, name, stands_for, token, "alice")
    };
    let mut rows: Vec<_> = Algorithm::ALL
        .iter()
        .copied()
        .filter(|algorithm| !algorithm.is_symmetric())
        .map(|algorithm| {
            let token = setting.valid().algorithm(algorithm);
            row(&format!("a good token of {algorithm}"), "§8 two families of algorithms", token)
        })
        .collect();
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"] {
        let name = format!("a good token whose `typ` is {typ:?}");
        rows.push(row(&name, "§7 `typ` as a media type", setting.valid().header("typ", typ)));
    }
    let escaped =
        setting.valid().claims_json().replace("https://idp.test", r"\u0068ttps:\/\/idp.test");
    let claims = setting.valid().claims_json();
    let deep = format!(r#"{{"x":{}{},"#, "[".repeat(32), "]".repeat(32));
    let many: String = (0..600).map(|number| format!(r#""c{number}":{number},"#)).collect();
    rows.extend([
        row("no `kid`, and one key fits", "RFC 7515 App. D", setting.valid().without_key_id()),
        row(
            "`alg` is Ed25519",
            "§8 RFC 9864",
            setting.valid().algorithm(Algorithm::EdDSA).header("alg", "Ed25519"),
        ),
        row("`aud` is a list with ours", "§3", setting.valid().claim("aud", ["billing", AUDIENCE])),
        row("`aud` names ours twice", "§3", setting.valid().claim("aud", [AUDIENCE, AUDIENCE])),
        row("`iss` is written with escapes", "§3", setting.valid().raw_claims(escaped)),
        row("no `iat`", "§3", setting.valid().without_claim("iat")),
        row(
            "a subject that is hostile text",
            "§9",
            setting.valid().subject("alice").claim("name", "'; DROP--"),
        ),
        row("`act` is an actor", "§3", setting.valid().claim("act", chain_of_actors(1))),
        row("`act` is eight actors", "§3", setting.valid().claim("act", chain_of_actors(8))),
        row(
            "a member that is neither known nor critical",
            "RFC 7515 §4",
            setting.valid().header("x", json!({"a": [1]})),
        ),
        row(
            "`jku` in the header, which nobody reads",
            "§7",
            setting.valid().header("jku", "https://idp.test/keys").header("x5c", json!(7)),
        ),
        row(
            "white space around the claims",
            "RFC 8259",
            setting.valid().raw_claims(format!(" \r\n\t{claims}\n")),
        ),
        row("lists 32 deep", "§4", setting.valid().raw_claims(claims.replacen('{', &deep, 1))),
        row(
            "six hundred claims",
            "§4",
            setting.valid().raw_claims(claims.replacen('{', &format!("{{{many}"), 1)),
        ),
        row(
            "a claim with both halves of a surrogate pair",
            "§9",
            setting.valid().raw_claims(claims.replacen('{', r#"{"x":"\ud83c\udf9f","#, 1)),
        ),
        row(
            "a claim that is null and that nobody reads",
            "§3",
            setting.valid().claim("tenant", Value::Null),
        ),
        row("a scope that is null", "§3", setting.valid().claim("scope", Value::Null)),
        row("a scope that is a list", "§3", setting.valid().claim("scope", ["orders:read"])),
        row(
            "a claim named `__proto__`",
            "§9",
            setting.valid().claim("__proto__", json!({"sub": "admin"})),
        ),
    ]);
    rows.push(Row::accepted(
        &setting.plain,
        "a token of 16 KiB",
        "§4",
        sizes::padded_to(setting, 16 * 1024),
        "alice",
    ));
    rows
}

fn dates(setting: &Setting) -> Vec<Row> {
    let with = |claim: &str, text: &str| {
        let claims = setting.valid().claim(claim, "\u{2603}").claims_json();
        setting.valid().raw_claims(claims.replace("\"\u{2603}\"", text))
    };
    let row = |name: &str, claim, text: &str| {
        Row::accepted(&setting.plain, name, "§8, §9 dates", with(claim, text), "alice")
    };
    let (late, early) = (NOW - LEEWAY, NOW + LEEWAY);
    vec![
        row("`exp` comes within the leeway", "exp", &(late + 1).to_string()),
        row("`exp` comes a nanosecond within the leeway", "exp", &format!("{late}.000000001")),
        row("`exp` is 2^53 + 1", "exp", "9007199254740993"),
        row("`exp` is the last second there is", "exp", "9223372036854775807"),
        row("`exp` has an exponent", "exp", "19e8"),
        row("`exp` has a fraction", "exp", "1800003600.5"),
        row("`nbf` came within the leeway", "nbf", &early.to_string()),
        row("`nbf` has a fraction within the leeway", "nbf", &format!("{}.999999999", early - 1)),
        row("`nbf` is negative", "nbf", "-1"),
        row("`iat` came within the leeway", "iat", &early.to_string()),
        row("`iat` is zero", "iat", "0"),
    ]
}

fn keys(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    let plain_pem = |algorithm| {
        let key = setting.issuer.key(algorithm);
        let (form, pem) = public_key::forms_of(key).swap_remove(0);
        assert_eq!(form, "its PEM text");
        let pem = String::from_utf8(pem).expect("a text");
        setting.engine_with_keys([VerificationKey::from_pem(&pem).expect("a public key")])
    };
    // So that the rows which sign with these very texts attack with the right ones.
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        rows.push(Row::accepted(
            &plain_pem(algorithm),
            format!("a good token of {algorithm}, and its key as PEM"),
            "§1",
            setting.valid().algorithm(algorithm),
            "alice",
        ));
    }
    let set = JwkSet::from_json(&setting.issuer.jwk_set_json()).expect("usable keys");
    let any = setting.engine(Issuer::dangerous_any("anyone").jwk_set(&set));
    let unbound = setting.engine(setting.issuer.trusted().dangerous_ignore_binding());
    let strict = setting.engine(setting.issuer.trusted().profile(TokenProfile::AtJwt));
    let access_token = setting.valid().header("typ", "at+jwt").claim("client_id", "web");
    rows.extend([
        Row::accepted(
            &setting.mixed,
            "a good token of HS256, where public keys are trusted too",
            "§8 two families of algorithms",
            setting.valid().key(&setting.secret),
            "alice",
        ),
        Row::accepted(
            &setting.both,
            "a good token of the partner, whose key ids are the issuer's",
            "§2 CVE-2026-49998",
            setting.partner.token().audience(AUDIENCE).subject("carol"),
            "carol",
        ),
        Row::accepted(
            &any,
            "no `iss`, where any will do",
            "§3",
            setting.valid().without_claim("iss"),
            "alice",
        ),
        Row::accepted(
            &unbound,
            "`cnf`, where it is ignored on purpose",
            "§3",
            setting.valid().claim("cnf", json!({"jkt": "abc"})),
            "alice",
        ),
        Row::accepted(
            &strict,
            "an access token of RFC 9068",
            "§7",
            access_token.claim("jti", "1"),
            "alice",
        ),
    ]);
    rows
}

fn requests(setting: &Setting) -> Vec<Row> {
    let token = setting.valid().build();
    let bob = setting.valid().subject("bob").build();
    let bad = setting.valid().wrong_signature().build();
    let query = format!("access_token={token}");
    let row = |engine, name: &str, request: Request| {
        Row::accepted(engine, name, "RFC 6750 §2", request, "alice")
    };
    let (plain, paved) = (&setting.plain, &setting.paved);
    let with = |value: String| Request::new().authorization(value);
    vec![
        row(plain, "a scheme in lower case", with(format!("bearer {token}"))),
        row(plain, "a scheme in upper case", with(format!("BEARER {token}"))),
        row(plain, "many spaces behind the scheme", with(format!("Bearer     {token}"))),
        row(plain, "a space behind the token", with(format!("Bearer {token} "))),
        row(
            plain,
            "a header, and a query that nobody reads",
            Request::new().bearer(&token).query("access_token=x"),
        ),
        row(
            paved,
            "a header and a cookie of someone else",
            Request::new().bearer(&token).cookie(format!("access_token={bob}")),
        ),
        row(
            paved,
            "a header and a bad cookie",
            Request::new().bearer(&token).cookie(format!("access_token={bad}")),
        ),
        row(
            paved,
            "a header and two cookies",
            Request::new().bearer(&token).cookie("access_token=a; access_token=b"),
        ),
        row(
            paved,
            "another scheme, and a good query",
            Request::new().authorization("Basic YTpi").query(&query),
        ),
        row(paved, "a query alone", Request::new().query(format!("a=1&{query}&b=2"))),
        row(
            paved,
            "a parameter whose name is percent-encoded",
            Request::new().query(format!("%61ccess%5Ftoken={token}")),
        ),
        row(
            paved,
            "a value whose dots are percent-encoded",
            Request::new().query(query.replace('.', "%2E")),
        ),
        row(
            paved,
            "a query and a cookie of someone else",
            Request::new().query(&query).cookie(format!("access_token={bob}")),
        ),
        row(paved, "a cookie alone", Request::new().cookie(format!("a=1; {query}; b=2"))),
        row(
            paved,
            "a cookie in quotes",
            Request::new().cookie(format!("access_token=\"{token}\"")),
        ),
        row(
            paved,
            "a cookie without spaces around it",
            Request::new().cookie(format!("a=1;{query};b")),
        ),
        row(paved, "a cookie in the second field", Request::new().cookie("a=1").cookie(&*query)),
        row(
            &setting.first,
            "where the first counts: a bad query",
            Request::new().bearer(&token).query(format!("access_token={bad}")),
        ),
        row(
            &setting.first,
            "where the first counts: two fields",
            Request::new().bearer(&token).bearer(&bad),
        ),
        row(
            &setting.all,
            "where all count: four tokens",
            Request::new()
                .bearer(&token)
                .query(format!("access_token={bob}"))
                .cookie(format!("access_token={bob}; access_token={bob}")),
        ),
    ]
}
