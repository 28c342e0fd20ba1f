//! `keygen` and `mint`.

use std::fs;

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::Algorithm;
use serde_json::{Value, json};

use crate::support::{Folder, Run};

fn parts(token: &str) -> (Value, Value) {
    let part = |index| {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
    };
    (part(0), part(1))
}

fn keygen(folder: &Folder, algorithm: &str, more: &[&str]) -> Run {
    folder.run(&[&["keygen", "--alg", algorithm, "--out", "key"], more].concat())
}

#[test]
fn each_algorithm_makes_a_key_that_signs_with_it() {
    for &algorithm in Algorithm::ALL {
        let (folder, name) = (Folder::new(), algorithm.name());
        let more: &[&str] = if algorithm.is_symmetric() { &[] } else { &["--jwk", "key.json"] };
        let made = keygen(&folder, name, more);
        assert_eq!((made.status, made.json()["alg"].as_str()), (0, Some(name)), "{made:?}");
        let minted = folder.run(&["mint", "--key", "key", "--claims", r#"{"sub":"alice"}"#]);
        let (header, claims) = parts(minted.stdout.trim());
        assert_eq!((&header["alg"], &claims["sub"]), (&json!(name), &json!("alice")));
        assert_eq!(header.get("kid"), made.json().get("kid").filter(|kid| !kid.is_null()));
        let verify: &[&str] = if algorithm.is_symmetric() {
            &["jws", "verify", "--secret", "key"]
        } else {
            &["jws", "verify", "--jwks", "key.json"]
        };
        let verified = folder.run_with(verify, &minted.stdout);
        assert_eq!(verified.status, 0, "{name}: {verified:?}");
    }
}

#[test]
fn the_public_half_is_what_a_configuration_names() {
    let folder = Folder::new();
    keygen(&folder, "ES256", &["--jwk", "key.json"]);
    folder.write(
        "portcullis.toml",
        "[[issuer]]\nissuer = 'https://idp.test'\naudience = ['orders']\njwks_file = 'key.json'\n",
    );
    let checked = folder.run(&["config", "check", "portcullis.toml"]);
    assert_eq!(checked.status, 0, "{checked:?}");
    let claims = r#"{"iss":"https://idp.test","aud":"orders","sub":"alice"}"#;
    let minted = folder.run(&["mint", "--key", "key", "--claims", claims]);
    let verified = folder.run_with(&["verify", "--config", "portcullis.toml"], &minted.stdout);
    assert_eq!(verified.status, 0, "{verified:?}");
}

#[cfg(unix)]
#[test]
fn private_files_are_for_their_owner_alone_even_in_place_of_old_ones() {
    use std::os::unix::fs::PermissionsExt;
    for algorithm in ["EdDSA", "HS256"] {
        let folder = Folder::new();
        let old = folder.write("key", "old");
        keygen(&folder, algorithm, &[]).assert_mistake("--force");
        assert_eq!(folder.read("key"), "old");
        fs::set_permissions(&old, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(keygen(&folder, algorithm, &["--force"]).status, 0);
        assert_ne!(folder.read("key"), "old");
        assert_eq!(fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 1, "nothing is left behind");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_file_behind() {
    // A limit of the process simulates a disk that has no room, or room for a part of a key.
    for blocks in ["0", "1"] {
        let folder = Folder::new();
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" keygen --alg RS512 --out key --jwk key.json"
        );
        let run = std::process::Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_portcullis")])
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        let left = fs::read_dir(folder.path("")).unwrap().count();
        assert!(!run.status.success() && left == 0, "{blocks}: {run:?}, {left} left");
    }
}

#[test]
fn an_existing_jwk_stops_it_before_anything_is_written() {
    let folder = Folder::new();
    folder.write("key.json", "old");
    keygen(&folder, "ES256", &["--jwk", "key.json"]).assert_mistake("key.json");
    keygen(&folder, "ES256", &["--jwk", "key", "--force"]).assert_mistake("same file");
    assert!(!folder.path("key").exists());
}

#[test]
fn secrets_have_no_public_half_and_are_text() {
    let folder = Folder::new();
    keygen(&folder, "HS256", &["--jwk", "key.json"]).assert_mistake("--jwk");
    assert!(!folder.path("key").exists());
    keygen(&folder, "HS384", &[]);
    let text = folder.read("key");
    assert_eq!(URL_SAFE_NO_PAD.decode_to_vec(text.trim_end()).unwrap().len(), 48);
    assert!(text.ends_with('\n'));
    let serve = folder.run(&["serve-jwks", "--key", "key"]);
    serve.assert_mistake("no public half");
}

#[test]
fn tokens_are_dated_and_named() {
    let folder = Folder::new();
    keygen(&folder, "ES256", &[]);
    let mint = |more: &[&str]| {
        let arguments = [&["mint", "--key", "key", "--now", "1000"], more].concat();
        let run = folder.run(&arguments);
        assert_eq!(run.status, 0, "{run:?}");
        run.stdout.trim_end().to_owned()
    };
    let (header, claims) = parts(&mint(&["--claims", "{}"]));
    assert_eq!(header["typ"], "JWT");
    assert_eq!(
        (&claims["iat"], &claims["nbf"], &claims["exp"]),
        (&json!(1000), &json!(1000), &json!(4600))
    );
    assert!(claims["jti"].as_str().unwrap().len() > 20);
    let (header, claims) = parts(&mint(&[
        "--claims",
        r#"{"exp":5}"#,
        "--ttl",
        "10m",
        "--kid",
        "k1",
        "--type",
        "at+jwt",
    ]));
    assert_eq!(
        (&header["kid"], &header["typ"], &claims["exp"]),
        (&json!("k1"), &json!("at+jwt"), &json!(5))
    );
    assert_eq!(parts(&mint(&["--claims", "{}", "--ttl", "1h30m"])).1["exp"], 6400);
    let prefixed = mint(&["--claims", "{}", "--prefix", "orders_"]);
    assert!(prefixed.starts_with("orders_ey"));
    let asked: Value =
        serde_json::from_str(&mint(&["--claims", "{}", "--format", "json"])).unwrap();
    assert_eq!(asked["exp"], 4600);
    assert_eq!(asked["jti"], parts(asked["token"].as_str().unwrap()).1["jti"]);
}

#[test]
fn mistakes_are_named() {
    let folder = Folder::new();
    keygen(&folder, "ES256", &[]);
    let mint = |more: &[&str]| folder.run(&[&["mint", "--key", "key"], more].concat());
    mint(&["--claims", "[]"]).assert_mistake("--claims");
    mint(&["--claims", "{"]).assert_mistake("--claims");
    mint(&["--claims", "{}", "--ttl", "10"]).assert_mistake("no unit");
    mint(&["--claims", "{}", "--alg", "RS256"]).assert_mistake("does not fit");
    folder.write("key", "short");
    mint(&["--claims", "{}"]).assert_mistake("32");
    folder.write("key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    mint(&["--claims", "{}"]).assert_mistake("PUBLIC KEY");
}
