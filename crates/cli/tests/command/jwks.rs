//! `jwks check`.

use portcullis::{Algorithm, keys::SigningKey};
use serde_json::{Value, json};

use crate::support::{Folder, Run};

fn jwk(key: &SigningKey) -> Value {
    serde_json::from_str(&key.public_jwk().unwrap()).unwrap()
}

fn with(mut jwk: Value, member: &str, value: Value) -> Value {
    jwk[member] = value;
    jwk
}

fn check(keys: &[Value]) -> Run {
    let folder = Folder::new();
    folder.write("set.json", json!({"keys": keys}).to_string());
    folder.run(&["jwks", "check", "set.json"])
}

fn findings(run: &Run) -> String {
    let findings = run.json()["findings"].clone();
    findings.as_array().unwrap().iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_good_set_is_told_as_the_contract_has_it() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let run = check(&[jwk(&key)]);
    let report = run.json();
    assert_eq!(run.status, 0);
    assert_eq!(report["source"], "set.json");
    let expected = json!({
        "index": 0, "kid": key.key_id(), "kty": "EC", "alg": "ES256",
        "thumbprint": key.key_id(), "usable": true, "reason": null,
    });
    assert_eq!(report["keys"], json!([expected]));
    assert!(run.stdout.starts_with(r#"{"source":"set.json","keys":[{"index":0,"kid":"#));
    assert!(findings(&run).contains("rotation: there is one key"));
}

#[test]
fn keys_after_the_first_100_usable_ones_are_told_as_the_engine_has_it() {
    let key = jwk(&SigningKey::generate(Algorithm::EdDSA).unwrap());
    let unusable = with(key.clone(), "use", json!("enc"));
    let run = check(&[vec![unusable], vec![key; 103]].concat());
    let report = run.json();
    let usable: Vec<_> = (0..104).map(|index| report["keys"][index]["usable"] == true).collect();
    assert_eq!(usable.iter().filter(|usable| **usable).count(), 100);
    assert!(!usable[0] && usable[100] && !usable[101]);
    let reason = report["keys"][103]["reason"].as_str().unwrap();
    assert!(reason.contains("first 100 usable keys"), "{reason}");
    assert!(
        findings(&run)
            .contains("104 keys; only the first 100 usable ones are used, and 3 come after")
    );
}

#[test]
fn members_that_are_repeated_are_told_as_the_engine_has_it() {
    let key = jwk(&SigningKey::generate(Algorithm::EdDSA).unwrap()).to_string();
    let repeated = key.replacen('{', r#"{"kid":"first","#, 1);
    let folder = Folder::new();
    for (set, usable) in [
        (format!(r#"{{"keys":[{repeated},{key}]}}"#), vec![false, true]),
        (format!(r#"{{"keys":[{repeated}]}}"#), vec![false]),
        (repeated, vec![false]),
    ] {
        folder.write("set.json", &set);
        let run = folder.run(&["jwks", "check", "set.json"]);
        let report = run.json();
        let keys = report["keys"].as_array().unwrap();
        let told: Vec<_> = keys.iter().map(|key| key["usable"] == true).collect();
        assert_eq!(told, usable, "{set}");
        let reason = report["keys"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("repeated"), "{reason}");
    }
    folder.write("set.json", format!(r#"{{"keys":[],"keys":[{key}]}}"#));
    let run = folder.run(&["jwks", "check", "set.json"]);
    assert_eq!(run.status, 1);
    let reason = run.json()["keys"][0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("a member name is repeated"), "{reason}");
}

#[test]
fn each_unusable_key_has_its_reason() {
    let key = jwk(&SigningKey::generate(Algorithm::EdDSA).unwrap());
    let x = key["x"].as_str().unwrap();
    let cases = [
        (with(key.clone(), "use", json!("enc")), "use"),
        (with(key.clone(), "alg", json!("ES256")), "alg"),
        (with(key.clone(), "crv", json!("X25519")), "X25519"),
        (with(key.clone(), "x", json!(format!("{x}="))), "base64url"),
        (with(key.clone(), "d", json!("AAAA")), "private member `d`"),
        (json!({"kty": "oct", "k": "AAAA"}), "secret"),
        (json!({"kty": "RSA", "n": "sXch", "e": "AQAB"}), "RSA"),
        (json!("no key"), "not an object"),
    ];
    for (bad, reason) in cases {
        let run = check(&[bad, key.clone()]);
        let report = run.json();
        assert_eq!(run.status, 0, "one can be used");
        assert_eq!(report["keys"][0]["usable"], false, "{reason}");
        assert!(
            report["keys"][0]["reason"].as_str().unwrap().contains(reason),
            "{reason}: {report}"
        );
        assert_eq!(report["keys"][1]["usable"], true);
    }
}

#[test]
fn a_set_without_a_usable_key_is_rejected() {
    for keys in [vec![], vec![json!({"kty": "oct", "k": "AAAA"})]] {
        assert_eq!(check(&keys).status, 1);
    }
    let folder = Folder::new();
    for text in ["", "no JSON", "[]", "{}", r#"{"keys":{}}"#, "\u{feff}{}"] {
        folder.write("set.json", text);
        let run = folder.run(&["jwks", "check", "set.json"]);
        assert_eq!(run.status, 1, "{text}");
        assert!(!findings(&run).is_empty(), "{text}");
    }
    folder.write("set.json", b"{\"keys\":[]}\xff");
    assert_eq!(findings(&folder.run(&["jwks", "check", "set.json"])), "the document is not UTF-8");
}

#[test]
fn what_is_odd_about_a_set_is_found() {
    let (a, b) = (
        SigningKey::generate(Algorithm::ES256).unwrap(),
        SigningKey::generate(Algorithm::ES256).unwrap(),
    );
    let (a, b) = (jwk(&a), jwk(&b));
    let same = with(b.clone(), "kid", a["kid"].clone());
    assert!(findings(&check(&[a.clone(), same])).contains("stands at keys 0, 1"));
    assert!(findings(&check(&[a.clone(), a.clone()])).contains("keys 0, 1 are the same key"));
    let encryption = with(b.clone(), "use", json!("enc"));
    assert!(findings(&check(&[a.clone(), encryption])).contains("mixed use"));
    let mut private = b.clone();
    private["d"] = json!("AAAA");
    assert!(findings(&check(&[a.clone(), private])).contains("private members"));
    assert!(
        findings(&check(&[a.clone(), json!({"kty": "oct", "k": "AA"})])).contains("shared secret")
    );
    let weak = json!({"kty": "RSA", "e": "AQAB", "n": "s".repeat(171)});
    assert!(findings(&check(&[a.clone(), weak])).contains("is weak: RSA with 102"));
    let mut nameless = b.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    let found = findings(&check(&[a.clone(), nameless]));
    assert!(found.contains("has no `kid`") && found.contains("at one stroke"), "{found}");
    assert!(findings(&check(&[a.clone(), b])).contains("the next or the last"));
    assert!(findings(&check(&vec![a; 101])).contains("101 keys"));
}

#[test]
fn single_keys_and_byte_order_marks_are_taken_with_a_finding() {
    let folder = Folder::new();
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    folder.write("jwk.json", format!("\u{feff}{}", key.public_jwk().unwrap()));
    let run = folder.run(&["jwks", "check", "jwk.json"]);
    let found = findings(&run);
    assert_eq!(run.status, 0);
    assert!(found.contains("byte-order mark") && found.contains("a single JWK"), "{found}");
}

#[test]
fn text_fits_a_terminal() {
    let folder = Folder::new();
    let key = jwk(&SigningKey::generate(Algorithm::ES256).unwrap());
    let keys = [with(key, "kid", json!("1")), json!({"kty": "oct", "k": "AAAA"})];
    folder.write("set.json", json!({"keys": keys}).to_string());
    let run = folder.run(&["jwks", "check", "set.json", "--format", "text"]);
    assert!(run.stdout.starts_with("set.json\n\n  0  usable    EC   ES256  `1`\n"), "{run:?}");
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
}
