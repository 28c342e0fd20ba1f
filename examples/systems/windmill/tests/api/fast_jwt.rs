//! Tokens that `fast-jwt` has signed, as Windmill's own documentation does.
//!
//! `PORTCULLIS_INTEROP_WINDMILL_SCRIPT` names the script that signs them.

use std::{env, process::Command};

use portcullis_testkit::{KeyServer, Reply};
use serde_json::Value;

use crate::server::{WHOAMI, Windmill};

const VARIABLE: &str = "PORTCULLIS_INTEROP_WINDMILL_SCRIPT";

fn sign() -> Value {
    let script = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} must name a script: `cargo xtask test` puts it in place and sets it")
    });
    let output = Command::new("node").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn s5_3_tokens_of_fast_jwt_are_judged_like_those_of_windmill() {
    let signed = sign();
    let server = KeyServer::start();
    server.reply("/jwks.json", Reply::json(signed["jwks"].to_string()));
    let (url, pem) = (server.url("/jwks.json"), signed["publicKey"].as_str().unwrap());
    let windmill = Windmill::start(&[("JWT_EXT_JWKS_URL", &url), ("JWT_EXT_PUBLIC_KEY", pem)]);
    for (name, method, path, status) in [
        ("single", "GET", "users/whoami", 200),
        ("workspaces", "GET", "users/whoami", 200),
        ("scoped", "GET", "users/whoami", 403),
        ("scoped", "POST", "jobs/run/p/f/team/x", 201),
        ("scoped", "POST", "jobs/run/p/u/alice/x", 403),
        ("expired", "GET", "users/whoami", 401),
        ("stranger", "GET", "users/whoami", 401),
        ("otherAlgorithm", "GET", "users/whoami", 401),
        ("unknownKid", "GET", "users/whoami", 401),
        ("noKid", "GET", "users/whoami", 401),
        ("RS256", "GET", "users/whoami", 200),
        ("ES256", "GET", "users/whoami", 200),
        ("EdDSA", "GET", "users/whoami", 200),
    ] {
        let token = signed["tokens"][name].as_str().unwrap();
        let answer = windmill.ask(method, &format!("/api/w/demo/{path}"), token);
        assert_eq!(answer.status, status, "{name} {path}: {}", answer.body);
    }
    let token = signed["tokens"]["ES256"].as_str().unwrap();
    let cookie = windmill.whoami(&format!("cookie: token={token}\r\n"));
    let query = windmill.send("GET", &format!("{WHOAMI}?token={token}"), "", "");
    for answer in [cookie, query] {
        assert_eq!(answer.json()["email"], "alice@example.com");
    }
}
