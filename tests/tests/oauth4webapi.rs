//! `oauth4webapi`, a client that we did not write, exchanges tokens at our endpoint in axum and in actix-web.
//!
//! `PORTCULLIS_INTEROP_EXCHANGE_SCRIPT` names its script: `interop/exchange.mjs`, whose first lines say what it reads
//! and what it reports.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what is no test function here runs in tests alone"
)]

#[path = "exchange/servers.rs"]
mod servers;

use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use portcullis::{
    Algorithm, Authenticator, Issuer, JwkSet, jose::SigningKey, revocation::MemoryStore,
};
use portcullis_axum::mint::{
    Minter,
    exchange::{ClientAssertions, ClientSecrets, TokenExchangeBuilder, TokenExchangeEndpoint},
};
use portcullis_testkit::{TestIssuer, TokenBuilder};
use serde_json::{Value, json};
use servers::Framework;

const VARIABLE: &str = "PORTCULLIS_INTEROP_EXCHANGE_SCRIPT";
/// The issuer of the exchanged tokens.
const OWN: &str = "https://own.interop.example";
const ORDERS: &str = "https://orders.interop.example";
const INVOICES: &str = "urn:example:invoices";
/// Every kind of character that needs an escape.
const SECRET: &str = "a: +%&=\"\\ü";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_author_exchanges_tokens() {
    let Some(script) = env::var_os(VARIABLE) else {
        println!("SKIPPED oauth4webapi: no Node ({VARIABLE} is set by `cargo xtask test`)");
        return;
    };
    for framework in Framework::ALL {
        let service = Service::new();
        let script = script.clone();
        let runtime = tokio::runtime::Handle::current();
        let (service, report) = tokio::task::spawn_blocking(move || {
            let _runtime = runtime.enter();
            let report = service.run(framework, &script);
            (service, report)
        })
        .await
        .unwrap();
        let verdicts = service.check(&report).await;
        println!("interop: oauth4webapi: {framework:?}: {verdicts} verdicts");
    }
}

/// The issuers, and the engine that verifies exchanged tokens.
struct Service {
    idp: TestIssuer,
    key: SigningKey,
    orders: Authenticator,
}

impl Service {
    fn new() -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let own = Issuer::new(OWN).key(key.verification_key().unwrap());
        let orders = Authenticator::builder().issuer(own).audience(ORDERS).build().unwrap();
        Self { idp: TestIssuer::new("https://idp.interop.example"), key, orders }
    }

    /// Starts the endpoints, and runs the client.
    fn run(&self, framework: Framework, script: &OsString) -> Value {
        let mut client = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("node is there");
        let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
        let public_key = lines.next().unwrap().unwrap();

        let secrets = ClientSecrets::new([("web:1", SECRET), ("other", "secret")]).unwrap();
        let secrets = self.endpoint().client_authentication(secrets).build().unwrap();
        let signed = self.endpoint().client_authentication(assertions(&public_key));
        let signed = signed.build().unwrap();
        let address = framework.start(&[("/secrets", secrets), ("/signed", signed)]);
        let settings = json!({
            "issuer": OWN,
            "secrets": format!("http://{address}/secrets"),
            "signed": format!("http://{address}/signed"),
            "clients": {"web:1": SECRET},
            "calls": self.calls(),
        });
        let mut input = client.stdin.take().unwrap();
        writeln!(input, "{settings}").unwrap();
        let report = lines.next().expect("the client reports").unwrap();
        assert!(client.wait().unwrap().success());
        serde_json::from_str(&report).unwrap()
    }

    fn endpoint(&self) -> TokenExchangeBuilder {
        let auth = Authenticator::builder()
            .issuer(self.idp.trusted())
            .audience(OWN)
            .replay_store(MemoryStore::new())
            .build()
            .unwrap();
        let minter = Minter::new(self.key.clone()).issuer(OWN).token_type("at+jwt");
        TokenExchangeEndpoint::builder(&auth, minter).audience(ORDERS).audience(INVOICES).one_time()
    }

    fn token(&self, id: &str) -> TokenBuilder {
        self.idp.token().audience(OWN).claim("jti", id).scope("read write")
    }

    fn calls(&self) -> Value {
        let worker = self.token("actor").subject("worker").build();
        let call = |name: &str, method: &str, token: &TokenBuilder, more: &[(&str, &str)]| {
            let token = token.build();
            let least = [("subject_token", &*token), ("subject_token_type", ACCESS_TOKEN)];
            let parameters: Vec<_> = least.iter().chain(more).collect();
            let client = if method == "jwt" { "signed" } else { "web:1" };
            json!({"name": name, "client": client, "method": method, "parameters": parameters})
        };
        let orders = ("audience", ORDERS);
        let with = |mut call: Value, name: &str, value: &str| {
            call[name] = value.into();
            call
        };
        json!([
            call("basic", "basic", &self.token("1"), &[orders, ("scope", "read")]),
            call("post", "post", &self.token("2"), &[("resource", ORDERS), ("scope", "read more")]),
            call("jwt", "jwt", &self.token("3"), &[orders, ("requested_token_type", JWT)]),
            call("again", "jwt", &self.token("3"), &[orders]),
            call(
                "several",
                "basic",
                &self.token("4"),
                &[
                    orders,
                    ("audience", INVOICES),
                    ("resource", INVOICES),
                    ("actor_token", &worker),
                    ("actor_token_type", JWT),
                ]
            ),
            call("expired", "basic", &self.token("5").expired(), &[orders]),
            call("used", "basic", &self.token("1"), &[orders]),
            call("target", "basic", &self.token("6"), &[("audience", "other")]),
            call("scope", "basic", &self.token("6"), &[orders, ("scope", "admin")]),
            call("no_type", "basic", &self.token("6"), &[orders, ("actor_token", &worker)]),
            with(call("grant", "basic", &self.token("6"), &[orders]), "grantType", "x"),
            with(call("bad_basic", "basic", &self.token("6"), &[orders]), "secret", "x"),
            with(call("bad_post", "post", &self.token("6"), &[orders]), "secret", "x"),
            with(call("stranger", "jwt", &self.token("6"), &[orders]), "client", "stranger"),
            // None of the failures has used the token.
            call("still", "post", &self.token("6"), &[orders]),
        ])
    }

    async fn check(&self, report: &Value) -> usize {
        let token_of = |name: &str| {
            let response = &report[name]["token"];
            // The library writes it in lower case.
            assert_eq!(response["token_type"], "bearer", "{name}: {report:#}");
            assert_eq!(response["expires_in"], 900, "{name}: {report:#}");
            response["access_token"].as_str().unwrap()
        };
        for (name, client, scope, issued_scope, issued_type) in [
            ("basic", "web:1", Value::Null, "read", ACCESS_TOKEN),
            ("post", "web:1", "read".into(), "read", ACCESS_TOKEN),
            ("jwt", "signed", "read write".into(), "read write", JWT),
            ("several", "web:1", "read write".into(), "read write", ACCESS_TOKEN),
            ("still", "web:1", "read write".into(), "read write", ACCESS_TOKEN),
        ] {
            let caller = self.orders.authenticate_token(token_of(name)).await.unwrap();
            let (principal, grant) = (caller.principal(), caller.grant());
            assert_eq!((principal.issuer(), principal.subject()), (OWN, "alice"), "{name}");
            assert_eq!(principal.client_id(), Some(client), "{name}");
            assert_eq!(grant.scope().to_string(), issued_scope, "{name}");
            let response = &report[name]["token"];
            assert_eq!(
                (&response["scope"], &response["issued_token_type"]),
                (&scope, &issued_type.into())
            );
            let actor = principal.actor().map(|actor| (actor.subject(), actor.issuer()));
            let worker = Some(("worker", Some(self.idp.name())));
            assert_eq!(actor, if name == "several" { worker } else { None }, "{name}");
            assert_eq!(principal.has_audience(INVOICES), name == "several");
        }
        5 + check_errors(report)
    }
}

fn check_errors(report: &Value) -> usize {
    let unacceptable = "the subject token or the actor token is not acceptable";
    for (name, error) in [
        ("again", "invalid_request"),
        ("expired", "invalid_request"),
        ("used", "invalid_request"),
        ("target", "invalid_target"),
        ("scope", "invalid_scope"),
        ("no_type", "invalid_request"),
        ("grant", "unsupported_grant_type"),
    ] {
        let call = &report[name];
        assert_eq!(
            (&call["status"], &call["error"]),
            (&400.into(), &error.into()),
            "{name}: {call}"
        );
        if ["again", "expired", "used"].contains(&name) {
            assert_eq!(call["description"], unacceptable, "{name}");
        }
    }
    for name in ["bad_post", "stranger"] {
        let call = &report[name];
        assert_eq!(
            (&call["status"], &call["error"]),
            (&401.into(), &"invalid_client".into()),
            "{call}"
        );
    }
    let challenged = &report["bad_basic"];
    assert_eq!(challenged["status"], 401, "{challenged}");
    assert_eq!(challenged["challenges"][0]["scheme"], "basic", "{challenged}");
    assert_eq!(
        challenged["challenges"][0]["parameters"]["realm"], "token endpoint",
        "{challenged}"
    );
    10
}

/// The client with a key is its own issuer.
fn assertions(public_key: &str) -> ClientAssertions {
    let mut key: Value = serde_json::from_str(public_key).unwrap();
    key.as_object_mut()
        .unwrap()
        .retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
    let keys = JwkSet::from_json(&json!({"keys": [key]}).to_string()).unwrap();
    let clients = Authenticator::builder()
        .issuer(Issuer::new("signed").jwk_set(&keys))
        .audience(OWN)
        .replay_store(MemoryStore::new())
        .build()
        .unwrap();
    ClientAssertions::new(clients).unwrap()
}
