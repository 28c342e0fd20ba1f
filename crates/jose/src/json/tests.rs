use proptest::prelude::*;

use super::{JsonError, Kind, MAX_DEPTH, Name, Object};

#[test]
fn reads_members_of_every_type() {
    let object = Object::parse(
        "\u{20}{ \"s\" : \"a\" , \"n\":-1.5e+3,\"b\":true,\"z\":null,\"a\":[1, [2]],\"o\":{\"x\":{}}}\n",
    )
    .unwrap();
    for (name, kind, text) in [
        ("s", Kind::String { escaped: false }, "\"a\""),
        ("n", Kind::Number, "-1.5e+3"),
        ("b", Kind::Bool, "true"),
        ("z", Kind::Null, "null"),
        ("a", Kind::Array, "[1, [2]]"),
        ("o", Kind::Object, "{\"x\":{}}"),
    ] {
        let value = object.find(name).unwrap();
        assert_eq!((value.kind(), &*value.json()), (kind, text));
    }
    assert!(object.find("x").is_none());
}

#[test]
fn reads_escapes_in_names_and_values() {
    let object = Object::parse(r#"{"\u0069ss":"a\n\ud83c\udf9f","plain":"grüße"}"#).unwrap();
    assert_eq!(object.find("iss").unwrap().as_str().unwrap(), "a\n🎟");
    assert_eq!(object.find("plain").unwrap().as_str().unwrap(), "grüße");
}

#[test]
fn every_registered_name_has_a_place_of_its_own() {
    let names = [
        "act",
        "alg",
        "aud",
        "azp",
        "b64",
        "_claim_names",
        "client_id",
        "cnf",
        "crit",
        "events",
        "exp",
        "groups",
        "hasgroups",
        "iat",
        "iss",
        "jti",
        "kid",
        "nbf",
        "roles",
        "scope",
        "scp",
        "sub",
        "typ",
    ];
    assert_eq!(names.len(), Name::COUNT);
    let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":\"{name}\"")).collect();
    let text = format!("{{{}}}", members.join(","));
    let object = Object::parse(&text).unwrap();
    for name in names {
        assert_eq!(object.get(Name::of(name.as_bytes()).unwrap()).unwrap().as_str().unwrap(), name);
        let twice = format!("{{\"{name}\":1,\"x\":2,\"{name}\":3}}");
        assert_eq!(Object::parse(&twice).unwrap_err(), JsonError::DuplicateMember);
        assert!(Object::parse("{\"x\":0}").unwrap().find(name).is_none());
    }
    assert_eq!(Name::of(b"Iss"), None);
}

#[test]
fn rejects_duplicate_names_however_they_are_written() {
    let many: String = (0..40).map(|i| format!("\"m{i}\":0,")).collect();
    for text in [
        r#"{"a":1,"b":2,"a":3}"#.to_owned(),
        r#"{"iss":1,"\u0069ss":2}"#.to_owned(),
        format!("{{{many}\"m7\":1}}"),
    ] {
        assert_eq!(Object::parse(&text).unwrap_err(), JsonError::DuplicateMember, "{text}");
    }
    assert!(Object::parse(&format!("{{{many}\"m40\":1}}")).is_ok());
}

#[test]
fn rejects_what_is_no_object() {
    for text in ["", " ", "[]", "1", "\"a\"", "null", "\u{feff}{}"] {
        assert_eq!(Object::parse(text).unwrap_err(), JsonError::NotAnObject, "{text}");
    }
}

#[test]
fn rejects_bad_syntax() {
    for text in [
        "{",
        "{}}",
        "{}x",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":NaN}",
        "{\"a\":tru}",
        "{\"a\":[1,]}",
        "{\"a\":[}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\u00g0\"}",
        "{\"a\":\"\\u+123\"}",
        "{\"a\":\"",
        "{\"a",
        "{\"a\":\"\\",
        "{\"a\":1 \"b\":2}",
    ] {
        assert_eq!(Object::parse(text).unwrap_err(), JsonError::Syntax, "{text}");
    }
}

#[test]
fn limits_the_depth() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(Object::parse(&nested(usize::from(MAX_DEPTH))).is_ok());
    assert_eq!(Object::parse(&nested(usize::from(MAX_DEPTH) + 1)).unwrap_err(), JsonError::TooDeep);
    assert_eq!(Object::parse(&nested(8_000)).unwrap_err(), JsonError::TooDeep);
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::hash_map(".{0,6}", inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// `serde_json` as the second opinion: `None` if it does not read the text as an object.
fn second_opinion(text: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(text).ok()
}

proptest! {
    #[test]
    fn agrees_with_serde_json_on_valid_objects(
        members in prop::collection::hash_map(".{0,8}", json_value(), 0..24),
        pretty in any::<bool>(),
    ) {
        let value = serde_json::Value::Object(members.clone().into_iter().collect());
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let object = Object::parse(&text).unwrap();
        for (name, value) in &members {
            let found = object.find(name).unwrap();
            // Both through text: reading a float back may move its last digit.
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            prop_assert_eq!(read(&found.json()), read(&value.to_string()));
            let string = found.as_str();
            prop_assert_eq!(string.as_deref(), value.as_str());
        }
    }

    /// Texts one edit away from valid ones: whatever we accept, `serde_json` accepts too, and the
    /// other way round, but for duplicates and depth.
    #[test]
    fn agrees_with_serde_json_on_damaged_objects(
        members in prop::collection::hash_map(".{0,4}", json_value(), 0..6),
        at in any::<prop::sample::Index>(),
        damage in prop::sample::select(vec!['"', '\\', '{', '}', '[', ',', ':', '0', 'e', '-', 'u', '\u{1}', ' ']),
        replace in any::<bool>(),
    ) {
        let value = serde_json::Value::Object(members.into_iter().collect());
        let mut chars: Vec<char> = value.to_string().chars().collect();
        let at = at.index(chars.len());
        if replace { chars[at] = damage } else { chars.insert(at, damage) }
        let text: String = chars.into_iter().collect();
        match Object::parse(&text) {
            Ok(_) => prop_assert!(
                serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text
            ),
            Err(JsonError::DuplicateMember | JsonError::TooDeep) => {}
            // A number that no float holds is JSON all the same; `serde_json` rejects it.
            Err(_) => prop_assert!(second_opinion(&text).is_none(), "{}", text),
        }
    }

    #[test]
    fn never_panics(text in "\\PC{0,64}") {
        let _ = Object::parse(&text);
    }
}
