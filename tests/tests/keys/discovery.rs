//! Metadata, and clients of the application's own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis::{
    Issuer,
    future::BoxFuture,
    keys::{Fetch, FetchError, FetchRequest, FetchResponse, RemoteJwkSet},
};
use portcullis_testkit::{KeyServer, Reply, TestIssuer};
use serde_json::json;

use super::support::{chain, clock, engine, issuer, key, set, settle, soon, token, verdict};

const OPENID: &str = "/.well-known/openid-configuration";

/// A client that writes down what it is asked, and answers from a list.
#[derive(Clone, Debug, Default)]
struct Faked {
    documents: Arc<Vec<(String, String)>>,
    asked: Arc<Mutex<Vec<FetchRequest>>>,
}

impl Fetch for Faked {
    fn fetch<'a>(
        &'a self,
        request: &'a FetchRequest,
    ) -> BoxFuture<'a, Result<FetchResponse, FetchError>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(request.clone());
            let mut documents = self.documents.iter();
            let document = documents.find(|(url, _)| *url == request.url);
            Ok(document.map_or_else(
                || FetchResponse { status: 404, ..FetchResponse::default() },
                |(_, body)| FetchResponse {
                    status: 200,
                    body: body.clone().into_bytes(),
                    ..FetchResponse::default()
                },
            ))
        })
    }
}

impl Faked {
    fn urls(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|request| request.url.clone()).collect()
    }
}

#[tokio::test]
async fn rule_14_a_client_is_told_the_limits_and_what_it_brings_is_measured() {
    let clock = clock();
    let issuer = issuer(&clock);
    let uri = "https://idp.test/jwks.json";
    let long = format!("{}{}", set(&[key(&issuer)]), " ".repeat(256 * 1024));
    let fetch = Faked { documents: Arc::new(vec![(uri.to_owned(), long)]), ..Faked::default() };
    let source = RemoteJwkSet::new(uri).fetch(fetch.clone());
    let auth = engine(&clock, [Issuer::new(issuer.name()).key_source(source)]);
    let error = chain(&auth.ready().await.unwrap_err());
    assert!(error.contains("longer than 262144 bytes"), "{error}");
    let asked = fetch.asked.lock().unwrap()[0].clone();
    assert_eq!((asked.max_len, asked.timeout), (256 * 1024, Duration::from_secs(5)));
}

#[tokio::test]
async fn rule_25_one_client_of_the_application_serves_discovery_and_every_later_fetch() {
    let clock = clock();
    let issuer = issuer(&clock);
    let metadata = json!({"issuer": issuer.name(), "jwks_uri": "https://keys.test/k"}).to_string();
    let documents = vec![
        (format!("{}{OPENID}", issuer.name()), metadata),
        ("https://keys.test/k".to_owned(), set(&[key(&issuer)])),
    ];
    let fetch = Faked { documents: Arc::new(documents), ..Faked::default() };
    let source = RemoteJwkSet::discover(issuer.name()).fetch(fetch.clone());
    let auth = engine(&clock, [Issuer::new(issuer.name()).key_source(source)]);
    auth.ready().await.unwrap();
    assert_eq!(verdict(&auth, &token(&issuer)), "accepted");
    clock.advance(Duration::from_secs(505));
    settle().await;
    let (first, second) =
        ("https://idp.test/.well-known/openid-configuration", "https://keys.test/k");
    assert_eq!(fetch.urls(), [first, second, first, second]);
}

#[derive(Debug)]
struct Panics;

impl Fetch for Panics {
    fn fetch<'a>(
        &'a self,
        _: &'a FetchRequest,
    ) -> BoxFuture<'a, Result<FetchResponse, FetchError>> {
        panic!("a client of the application's own")
    }
}

#[tokio::test]
async fn rule_21_a_panic_in_a_client_of_the_application_is_a_failed_fetch() {
    let source = RemoteJwkSet::new("https://idp.test/jwks.json").fetch(Panics);
    let auth = engine(&clock(), [Issuer::new("https://idp.test").key_source(source)]);
    let error = chain(&auth.ready().await.unwrap_err());
    assert!(error.contains("panicked"), "{error}");
}

#[tokio::test]
async fn rule_27_metadata_are_found_in_each_standard_place() {
    for (name, place) in [
        ("", "/.well-known/openid-configuration"),
        ("", "/.well-known/oauth-authorization-server"),
        ("/tenant", "/tenant/.well-known/openid-configuration"),
        ("/tenant", "/.well-known/oauth-authorization-server/tenant"),
        ("/tenant", "/.well-known/openid-configuration/tenant"),
    ] {
        let server = KeyServer::start();
        let clock = clock();
        let issuer = TestIssuer::new(server.url(name)).clock(clock.clone());
        let metadata = json!({"issuer": issuer.name(), "jwks_uri": server.url("/k")});
        server.reply(place, Reply::json(metadata.to_string()));
        server.reply("/k", Reply::json(set(&[key(&issuer)])));
        let auth = engine(&clock, [Issuer::discover(issuer.name())]);
        soon(auth.ready()).await.unwrap();
        assert_eq!(verdict(&auth, &token(&issuer)), "accepted", "{place}");
    }
}

#[tokio::test]
async fn rule_27_the_issuer_of_the_metadata_must_be_the_configured_one_byte_for_byte() {
    let server = KeyServer::start();
    let issuer = TestIssuer::new(server.url(""));
    server.reply("/k", Reply::json(set(&[key(&issuer)])));
    let upper = issuer.name().replace("http", "HTTP");
    for other in [format!("{}/", issuer.name()), "https://evil.test".to_owned(), upper] {
        let metadata = json!({"issuer": other, "jwks_uri": server.url("/k")}).to_string();
        server.reply(OPENID, Reply::json(metadata));
        let auth = engine(&clock(), [Issuer::discover(issuer.name())]);
        let error = chain(&soon(auth.ready()).await.unwrap_err());
        assert!(error.contains("the metadata are those of issuer"), "{error}");
    }
    assert_eq!(server.hits("/k"), 0);
}

#[tokio::test]
async fn rule_24_what_a_server_sends_fills_no_status_and_makes_no_line_of_its_own() {
    let server = KeyServer::start();
    let name = format!("https://evil.test\r\nERROR {}", "x".repeat(100_000));
    let metadata = json!({"issuer": name, "jwks_uri": server.url("/k")}).to_string();
    server.reply(OPENID, Reply::json(metadata));
    let auth = engine(&clock(), [Issuer::discover(server.url(""))]);
    soon(auth.ready()).await.unwrap_err();
    let error = auth.key_status()[0].last_error.clone().unwrap();
    assert!(error.contains("evil.test  ERROR xxx") && error.len() <= 1024, "{error}");
}
