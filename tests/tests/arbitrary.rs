//! Arbitrary requests, arbitrary edits of good tokens, and arbitrary JSON that a trusted key signed.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "what is no test function here runs in tests alone"
)]

use std::{cell::Cell, collections::HashSet};

use conformance::{AUDIENCE, LEEWAY, NOW, Request, Setting, compact};
use portcullis::{Algorithm, Authenticator};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};
use serde_json::{Map, Value, json};

const CASES: u32 = 4_000;

/// Runs a property, and shows the smallest input that breaks it.
#[track_caller]
fn run<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = CASES.max(Config::default().cases);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    match TestRunner::new(config).run(strategy, property) {
        Ok(()) => println!("arbitrary: {cases} cases"),
        Err(TestError::Fail(reason, input)) => panic!("{reason}, with {input:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn arbitrary_requests_never_panic_and_are_never_accepted() {
    let setting = Setting::new();
    let engines = [&setting.plain, &setting.paved, &setting.first, &setting.all];
    run(&requests(), |request| {
        for engine in engines {
            let verdict = engine.authenticate_now(&request);
            prop_assert!(verdict.result.is_err(), "accepted");
        }
        Ok(())
    });
}

fn requests() -> impl Strategy<Value = Request> {
    let fields = vec((select(vec!["authorization", "cookie"]), field_value()), 0..4);
    (fields, proptest::option::of(query())).prop_map(|(fields, query)| {
        let request = fields
            .into_iter()
            .fold(Request::new(), |request, (name, value)| request.field(name, value));
        match query {
            Some(query) => request.query(query),
            None => request,
        }
    })
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

fn field_value() -> impl Strategy<Value = Vec<u8>> {
    let starts = ["", "Bearer ", "bearer  ", "Bearer", "access_token=", "a=b; access_token=\""];
    let token = prop_oneof![bytes(64), bytes_of_a_token()];
    (select(starts.to_vec()), token, bytes(8))
        .prop_map(|(start, token, end)| [start.as_bytes(), &token, &end].concat())
}

/// Three segments and more, with anything inside.
fn bytes_of_a_token() -> impl Strategy<Value = Vec<u8>> {
    let header = prop_oneof![
        Just(br#"{"alg":"ES256","kid":"es256"}"#.to_vec()),
        Just(br#"{"alg":"none"}"#.to_vec()),
        json_value().prop_map(|value| value.to_string().into_bytes()),
        bytes(32),
    ];
    let payload = prop_oneof![
        json_value().prop_map(|value| value.to_string().into_bytes()),
        Just(br#"{"iss":"https://idp.test","sub":"alice"}"#.to_vec()),
        bytes(32),
    ];
    let signature = prop_oneof![vec(any::<u8>(), 64..65), bytes(80)];
    (header, payload, signature).prop_map(|parts| compact(parts.0, parts.1, parts.2).into_bytes())
}

fn query() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec!["&", "=", "%", "%5F", "access_token", "access_token=", "access%5ftoken=", "+"])
            .prop_map(str::to_owned),
        vec(any::<char>(), 0..16).prop_map(String::from_iter),
        bytes_of_a_token().prop_map(|token| String::from_utf8_lossy(&token).into_owned()),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// One change to the bytes of a token.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Insert(Index, u8),
    Delete(Index),
    Truncate(Index),
    /// A stretch of one good token in place of a stretch of another.
    Splice {
        from: Index,
        to: Index,
        other: Index,
        start: Index,
        end: Index,
    },
}

fn edits() -> impl Strategy<Value = Edit> {
    let index = any::<Index>;
    let byte = prop_oneof![any::<u8>(), select(b"AQgw-_.=+/~ \t\"{}\0".to_vec())];
    prop_oneof![
        3 => (index(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, 1 << bit)),
        3 => (index(), byte).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        2 => index().prop_map(Edit::Delete),
        1 => index().prop_map(Edit::Truncate),
        3 => (index(), index(), index(), index(), index()).prop_map(
            |(from, to, other, start, end)| Edit::Splice { from, to, other, start, end }
        ),
    ]
}

impl Edit {
    fn apply(&self, token: &mut Vec<u8>, others: &[String]) {
        // One place more than there are bytes, for the end.
        let place = |index: &Index, len: usize| index.index(len + 1);
        let len = token.len();
        match self {
            Self::Flip(at, mask) if len > 0 => token[at.index(len)] ^= mask,
            Self::Delete(at) if len > 0 => drop(token.remove(at.index(len))),
            Self::Flip(..) | Self::Delete(..) => {}
            Self::Insert(at, byte) => token.insert(place(at, len), *byte),
            Self::Truncate(at) => token.truncate(place(at, len)),
            Self::Splice { from, to, other, start, end } => {
                let other = others[other.index(others.len())].as_bytes();
                let stretch = |a, b, len| {
                    let (a, b) = (place(a, len), place(b, len));
                    a.min(b)..a.max(b)
                };
                let stretch_of_other = other[stretch(start, end, other.len())].to_vec();
                token.splice(stretch(from, to, len), stretch_of_other);
            }
        }
    }
}

#[test]
fn arbitrary_edits_of_good_tokens_never_panic_and_are_never_accepted() {
    let setting = Setting::new();
    let good = good_tokens(&setting);
    for token in &good {
        assert!(setting.mixed.authenticate_token_now(token).is_ok());
    }
    let (unchanged, rejected) = (Cell::new(0), Cell::new(0));
    run(&(any::<Index>(), vec(edits(), 1..4)), |(token, edits)| {
        let mut bytes = good[token.index(good.len())].clone().into_bytes();
        edits.iter().for_each(|edit| edit.apply(&mut bytes, &good));
        // Spaces around a token are no part of it.
        let text = bytes.trim_ascii();
        if good.iter().any(|good| good.as_bytes() == text) {
            unchanged.set(unchanged.get() + 1);
            return Ok(());
        }
        let request = Request::new().authorization([b"Bearer ", &*bytes].concat());
        let verdict = setting.mixed.authenticate_now(&request);
        prop_assert!(verdict.result.is_err(), "accepted {}", String::from_utf8_lossy(&bytes));
        rejected.set(rejected.get() + 1);
        Ok(())
    });
    println!("arbitrary: {} edits rejected, {} changed nothing", rejected.get(), unchanged.get());
    assert!(rejected.get() > 9 * unchanged.get());
}

/// Two callers, each with a token of every family.
fn good_tokens(setting: &Setting) -> Vec<String> {
    let of = |subject: &str| {
        let token = setting.valid().subject(subject);
        let by = |algorithm| token.clone().algorithm(algorithm).build();
        [
            by(Algorithm::ES256),
            by(Algorithm::EdDSA),
            by(Algorithm::RS256),
            token.clone().key(&setting.secret).build(),
        ]
    };
    [of("alice"), of("bob")].concat()
}

/// The members of an object as they are written: a name may be there twice.
type Members = Vec<(String, Value)>;

fn text_of(members: &Members) -> String {
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("{}:{value}", Value::from(&**name))).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn arbitrary_json_that_a_trusted_key_signed_is_accepted_only_by_the_rules() {
    let setting = Setting::new();
    let (accepted, rejected) = (Cell::new(0), Cell::new(0));
    run(&(header(), claims()), |(header, claims)| {
        let token = setting.valid().raw_header(text_of(&header)).raw_claims(text_of(&claims));
        let expected = header_is_good(&header) && claims_are_good(&claims);
        let got = judge(&setting.plain, &token.build());
        let counter = if got.is_ok() { &accepted } else { &rejected };
        counter.set(counter.get() + 1);
        prop_assert_eq!(got.is_ok(), expected, "{:?}", got);
        Ok(())
    });
    println!("arbitrary: {} accepted by the rules, {} rejected", accepted.get(), rejected.get());
    assert!(accepted.get() > 100 && rejected.get() > 100);
}

/// Documents that are no objects with the right names at all.
#[test]
fn arbitrary_json_documents_never_panic_and_are_never_accepted() {
    let setting = Setting::new();
    run(&(json_value(), json_value()), |(header, payload)| {
        let good = json!({"alg": "ES256", "kid": "es256"});
        for header in [header, good] {
            let token = setting.valid().raw_header(header.to_string());
            let token = token.raw_claims(payload.to_string()).build();
            prop_assert!(judge(&setting.plain, &token).is_err(), "accepted {token}");
        }
        Ok(())
    });
}

fn judge(engine: &Authenticator, token: &str) -> Result<String, &'static str> {
    match engine.authenticate_token_now(token) {
        Ok(caller) => Ok(caller.principal().subject().to_owned()),
        Err(error) => Err(error.kind().code()),
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    let known = [
        "https://idp.test",
        "https://idp.test/",
        AUDIENCE,
        "alice",
        "ES256",
        "es256",
        "none",
        "JWT",
        "at+jwt",
        "application/AT+JWT",
        "logout+jwt",
        "exp",
        "b64",
        "",
        "a b",
        "\u{0}",
        "🎟",
    ];
    prop_oneof![
        4 => select(known.to_vec()).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        2 => (NOW - 200..NOW + 200).prop_map(Value::from),
        1 => (NOW * 4 - 500..NOW * 4 + 500).prop_map(quarters),
        1 => select(vec![1e300, -1e300, 1e19, -0.5, 0.0]).prop_map(Value::from),
        2 => vec(any::<char>(), 1..8).prop_map(|text| String::from_iter(text).into()),
    ]
}

/// A number with a fraction that a float holds exactly.
#[expect(clippy::as_conversions, reason = "far below 2^53")]
fn quarters(count: i64) -> Value {
    Value::from(count as f64 / 4.0)
}

fn json_value() -> impl Strategy<Value = Value> {
    let names = select(vec!["sub", "iss", "act", "jkt", "a", "", "\"", "roles"]);
    leaf().prop_recursive(4, 24, 4, move |inner| {
        let member = (names.clone().prop_map(str::to_owned), inner.clone());
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            vec(member, 0..4).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// A member that is mostly good, sometimes missing, and sometimes anything.
fn member(
    name: &'static str,
    good: Vec<Value>,
    good_weight: u32,
    missing_weight: u32,
) -> impl Strategy<Value = Option<(String, Value)>> {
    let value = prop_oneof![
        good_weight => select(good).prop_map(Some),
        missing_weight => Just(None),
        1 => json_value().prop_map(Some),
    ];
    value.prop_map(move |value| value.map(|value| (name.to_owned(), value)))
}

fn header() -> impl Strategy<Value = Members> {
    let members = (
        member("alg", vec![json!("ES256")], 60, 1),
        member("kid", vec![json!("es256")], 30, 10),
        member("typ", vec![json!("JWT"), json!("Application/at+JWT")], 15, 15),
        member("crit", vec![json!(["exp"])], 1, 40),
        member("b64", vec![json!(false)], 1, 40),
        member("jwk", vec![json!({"kty": "oct"})], 1, 5),
        repeated(),
    );
    members.prop_map(|(alg, kid, typ, crit, b64, jwk, repeated)| {
        with_repeated(vec![jwk, alg, kid, typ, crit, b64], repeated)
    })
}

fn claims() -> impl Strategy<Value = Members> {
    let alice = || vec![json!("alice"), json!("al\u{0}ce\"")];
    let required = (
        member("iss", vec![json!("https://idp.test")], 40, 1),
        member("sub", alice(), 40, 1),
        member("aud", vec![json!(AUDIENCE), json!(["x", AUDIENCE]), json!([AUDIENCE])], 40, 1),
        member(
            "exp",
            vec![json!(NOW + 300), json!(NOW - LEEWAY + 1), quarters(NOW * 4 + 1)],
            40,
            1,
        ),
    );
    let past = || vec![json!(NOW), json!(NOW + LEEWAY), json!(0), json!(-1)];
    let optional = (
        member("iat", past(), 15, 10),
        member("nbf", past(), 15, 10),
        member("jti", alice(), 15, 15),
        member("client_id", alice(), 15, 15),
        member("azp", alice(), 15, 15),
        member("act", vec![json!({"sub": "a"}), json!({"sub": "a", "act": {"sub": "b"}})], 15, 15),
        member("cnf", vec![json!({"jkt": "a"})], 1, 40),
    );
    let grant = (
        member("scope", vec![json!("a b"), json!(["a"]), Value::Null], 10, 15),
        member("scp", vec![json!("a b")], 10, 15),
        member("roles", vec![json!(["a"]), json!("a")], 10, 15),
        member("groups", vec![json!([])], 10, 15),
        member("x", vec![json!({"a": 1})], 1, 5),
    );
    (required, optional, grant, repeated()).prop_map(|(required, optional, grant, repeated)| {
        let (iss, sub, aud, exp) = required;
        let (iat, nbf, jti, client_id, azp, act, cnf) = optional;
        let (scope, scp, roles, groups, x) = grant;
        let members = vec![
            x, iss, sub, aud, exp, iat, nbf, jti, client_id, azp, act, cnf, scope, scp, roles,
            groups,
        ];
        with_repeated(members, repeated)
    })
}

/// Which member comes twice, in one of twenty objects.
fn repeated() -> impl Strategy<Value = Option<Index>> {
    prop_oneof![19 => Just(None), 1 => any::<Index>().prop_map(Some)]
}

fn with_repeated(members: Vec<Option<(String, Value)>>, repeated: Option<Index>) -> Members {
    let mut members: Members = members.into_iter().flatten().collect();
    if let Some(index) = repeated
        && !members.is_empty()
    {
        members.push(members[index.index(members.len())].clone());
    }
    members
}

fn get<'a>(members: &'a Members, name: &str) -> Option<&'a Value> {
    members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
}

fn has_no_member_twice(members: &Members) -> bool {
    let mut names = HashSet::new();
    members.iter().all(|(name, _)| names.insert(name))
}

fn header_is_good(header: &Members) -> bool {
    let typ_is_good = |typ: &Value| {
        typ.as_str().is_some_and(|typ| {
            let typ = typ.to_ascii_lowercase();
            ["jwt", "at+jwt"].contains(&typ.strip_prefix("application/").unwrap_or(&typ))
        })
    };
    has_no_member_twice(header)
        && get(header, "alg") == Some(&json!("ES256"))
        && get(header, "kid").is_none_or(|kid| kid == "es256")
        && get(header, "typ").is_none_or(typ_is_good)
        && get(header, "crit").is_none()
        && get(header, "b64").is_none()
}

fn claims_are_good(claims: &Members) -> bool {
    let is_text_or_absent = |name| get(claims, name).is_none_or(Value::is_string);
    let date =
        |name| get(claims, name).map(|value| value.as_f64().filter(|date| date.abs() < 9.2e18));
    let past = |name| date(name).is_none_or(|date| date.is_some_and(|date| date <= late()));
    let audience = |aud: &Value| match aud {
        Value::String(aud) => aud == AUDIENCE,
        Value::Array(list) => {
            list.iter().all(Value::is_string) && list.iter().any(|aud| aud == AUDIENCE)
        }
        _ => false,
    };
    let texts = |value: &Value| match value {
        Value::Null | Value::String(_) => true,
        Value::Array(list) => list.iter().all(Value::is_string),
        _ => false,
    };
    let scope = get(claims, "scope").filter(|scope| !scope.is_null()).or(get(claims, "scp"));
    has_no_member_twice(claims)
        && get(claims, "iss") == Some(&json!("https://idp.test"))
        && get(claims, "sub").is_some_and(|sub| sub.as_str().is_some_and(|sub| !sub.is_empty()))
        && get(claims, "aud").is_some_and(audience)
        && date("exp").flatten().is_some_and(|exp| exp > early())
        && past("iat")
        && past("nbf")
        && ["jti", "client_id", "azp"].into_iter().all(is_text_or_absent)
        && get(claims, "cnf").is_none()
        && actors_are_good(get(claims, "act"))
        && scope.is_none_or(texts)
        && get(claims, "roles").is_none_or(texts)
        && get(claims, "groups").is_none_or(texts)
}

fn actors_are_good(act: Option<&Value>) -> bool {
    act.is_none_or(|act| {
        act.as_object().is_some_and(|actor| {
            actor.get("sub").is_some_and(Value::is_string)
                && actor.get("iss").is_none_or(Value::is_string)
                && actors_are_good(actor.get("act"))
        })
    })
}

#[expect(clippy::as_conversions, reason = "far below 2^53")]
fn late() -> f64 {
    (NOW + LEEWAY) as f64
}

#[expect(clippy::as_conversions, reason = "far below 2^53")]
fn early() -> f64 {
    (NOW - LEEWAY) as f64
}
