//! `jws verify`.

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{Algorithm, keys::SigningKey};
use serde_json::{Value, json};

use crate::support::Folder;

/// The example of RFC 7515, appendix A.1, with HS256.
const RFC_7515_A1: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RFC_7515_A1_KEY: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;

fn signed(key: &SigningKey, header: &Value, payload: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    let input = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload));
    format!("{input}.{}", encode(&key.sign(input.as_bytes()).unwrap()))
}

#[test]
fn the_example_of_the_standard_is_verified_with_a_secret_in_a_jwk() {
    let folder = Folder::new();
    folder.write("key.json", RFC_7515_A1_KEY);
    let run = folder.run_with(&["jws", "verify", "--jwks", "key.json"], RFC_7515_A1);
    assert_eq!(run.status, 0, "{run:?}");
    let line = run.json();
    assert_eq!(line["header"], json!({"typ": "JWT", "alg": "HS256"}));
    assert_eq!(line["key"], json!({"kid": null, "thumbprint": null}));
    assert!(RFC_7515_A1.contains(line["payload"].as_str().unwrap()));
}

#[test]
fn lines_are_told_as_the_contract_has_it() {
    let folder = Folder::new();
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let thumbprint = key.key_id().unwrap();
    folder.write("set.json", format!("{{\"keys\":[{}]}}", key.public_jwk().unwrap()));
    let good = signed(&key, &json!({"alg": "ES256"}), b"\xff\x00");
    let other =
        signed(&SigningKey::generate(Algorithm::ES256).unwrap(), &json!({"alg": "ES256"}), b"");
    let run = folder
        .run_with(&["jws", "verify", "--jwks", "set.json"], format!("{good}\n\n{other}\n\u{e9}\n"));
    let expected = format!(
        "{{\"line\":1,\"result\":\"verified\",\"header\":{{\"alg\":\"ES256\"}},\"payload\":\"_wA\",\"key\":{{\"kid\":\"{thumbprint}\",\"thumbprint\":\"{thumbprint}\"}}}}\n\
         {{\"line\":2,\"result\":\"rejected\",\"code\":\"no_credentials\"}}\n\
         {{\"line\":3,\"result\":\"rejected\",\"code\":\"signature_mismatch\"}}\n\
         {{\"line\":4,\"result\":\"rejected\",\"code\":\"malformed_request\"}}\n"
    );
    assert_eq!((run.status, run.stdout), (1, expected));
}

#[test]
fn keys_come_in_every_form() {
    let folder = Folder::new();
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let jws = signed(&key, &json!({"alg": algorithm.name()}), b"x");
        let mut forms = Vec::new();
        if let Some(secret) = key.secret() {
            folder.write("key", [secret, b"\n"].concat());
            forms.push(("--secret", "key"));
        } else {
            folder.write("public.pem", key.public_key_pem().unwrap().unwrap());
            folder.write("private.pem", key.to_pem().unwrap().unwrap());
            folder.write("jwk.json", format!("\u{feff}{}", key.public_jwk().unwrap()));
            forms.extend([
                ("--key", "public.pem"),
                ("--key", "private.pem"),
                ("--jwks", "jwk.json"),
            ]);
        }
        for (option, file) in forms {
            let run = folder.run_with(&["jws", "verify", option, file], &jws);
            assert_eq!(run.status, 0, "{algorithm} {option} {file}: {run:?}");
            let thumbprint = &run.json()["key"]["thumbprint"];
            assert_eq!(thumbprint.as_str(), key.key_id(), "{algorithm} {option} {file}");
        }
    }
}

#[test]
fn algorithms_can_be_narrowed() {
    let folder = Folder::new();
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    folder.write("key.pem", key.public_key_pem().unwrap().unwrap());
    let jws = signed(&key, &json!({"alg": "RS256"}), b"x");
    let verify = |more: &[&str]| {
        let arguments = [&["jws", "verify", "--key", "key.pem"], more].concat();
        folder.run_with(&arguments, &jws).json()
    };
    assert_eq!(verify(&["--alg", "PS256", "--alg", "RS256"])["result"], "verified");
    assert_eq!(verify(&["--alg", "PS256"])["code"], "algorithm_not_allowed");
}

#[test]
fn one_line_break_at_the_end_of_a_secret_does_not_count() {
    let folder = Folder::new();
    for (file, secret) in [
        (&b"0123456789abcdef0123456789abcdef"[..], &b"0123456789abcdef0123456789abcdef"[..]),
        (b"0123456789abcdef0123456789abcdef\n", b"0123456789abcdef0123456789abcdef"),
        (b"0123456789abcdef0123456789abcdef\n\n", b"0123456789abcdef0123456789abcdef\n"),
        (&[0xff; 32], &[0xff; 32]),
    ] {
        folder.write("secret", file);
        let key = SigningKey::from_secret(secret, Algorithm::HS256).unwrap();
        let jws = signed(&key, &json!({"alg": "HS256"}), b"x");
        let run = folder.run_with(&["jws", "verify", "--secret", "secret"], &jws);
        assert_eq!(run.status, 0, "{run:?}");
    }
}

#[test]
fn keys_that_cannot_be_used_are_mistakes() {
    let folder = Folder::new();
    folder.write("short", "short");
    let secret = |more: &[&str]| {
        let arguments = [&["jws", "verify", "--secret", "short"], more].concat();
        folder.run_with(&arguments, "")
    };
    secret(&[]).assert_mistake("32");
    secret(&["--alg", "ES256"]).assert_mistake("--alg");
    folder.write("short.json", r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#);
    folder.run(&["jws", "verify", "--jwks", "short.json"]).assert_mistake("short.json");
    let both = ["jws", "verify", "--secret", "short", "--jwks", "short.json"];
    folder.run(&both).assert_mistake("cannot be used with");
}

#[test]
fn keys_that_are_passed_over_are_told() {
    let folder = Folder::new();
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let set = format!(r#"{{"keys":[{{"kty":"oct","k":"AAAA"}},{}]}}"#, key.public_jwk().unwrap());
    folder.write("set.json", set);
    let jws = signed(&key, &json!({"alg": "EdDSA"}), b"x");
    let run = folder.run_with(&["jws", "verify", "--jwks", "set.json"], jws);
    assert_eq!(run.status, 0);
    assert!(run.stderr.starts_with("warning: set.json: key 0"), "{run:?}");
}

#[test]
fn payloads_may_be_long_and_have_an_end() {
    let folder = Folder::new();
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    folder.write("key.pem", key.public_key_pem().unwrap().unwrap());
    let long = signed(&key, &json!({"alg": "EdDSA"}), &[b'x'; 700_000]);
    let longer = signed(&key, &json!({"alg": "EdDSA"}), &[b'x'; 900_000]);
    let run =
        folder.run_with(&["jws", "verify", "--key", "key.pem"], format!("{long}\n{longer}\n"));
    let lines = run.json_lines();
    assert_eq!(lines[0]["result"], "verified");
    assert_eq!(lines[1]["code"], "token_too_large");
}
