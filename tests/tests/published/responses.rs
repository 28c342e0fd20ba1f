//! What each request gets.

use std::time::Duration;

use portcullis::{Algorithm, keys::SigningKey};
use serde_json::{Value, json};

use super::world::{Response, World, worlds};

const OPEN: (&str, &str) = ("access-control-allow-origin", "*");

fn assert_fields(response: &Response, expected: &[(&str, &str)], what: &str) {
    let mut expected: Vec<_> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    expected.sort();
    assert_eq!(response.fields, expected, "{what}");
}

fn paths(world: &World) -> [(String, &'static str); 3] {
    [
        (world.discovery.jwk_set_path().to_owned(), "application/jwk-set+json"),
        (world.discovery.openid_path(), "application/json"),
        (world.discovery.oauth_path(), "application/json"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn get_has_the_document_and_head_the_same_fields() {
    for world in worlds("/tasks") {
        for (path, content_type) in paths(&world) {
            let what = format!("{:?} {path}", world.framework);
            let response = world.send("GET", &path, "").await;
            assert_eq!(response.status, 200, "{what}");
            let etag = response.get("etag").unwrap().to_owned();
            assert!(etag.starts_with('"') && etag.ends_with('"'), "{what}: {etag}");
            let expected = [
                ("content-type", content_type),
                ("content-length", &response.body.len().to_string()),
                ("cache-control", "public, max-age=60"),
                ("etag", &etag),
                OPEN,
            ];
            assert_fields(&response, &expected, &what);
            let head = world.send("HEAD", &path, "").await;
            assert_eq!(head, Response { body: String::new(), ..response }, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_the_document_gets_304() {
    for world in worlds("") {
        for (path, content_type) in paths(&world) {
            let first = world.send("GET", &path, "").await;
            let etag = first.get("etag").unwrap().to_owned();
            for (fields, is_known) in [
                (format!("if-none-match: {etag}\r\n"), true),
                (format!("If-None-Match: W/{etag}\r\n"), true),
                (format!("if-none-match: \"x\", {etag}\r\n"), true),
                (format!("if-none-match: \"x\"\r\nif-none-match: {etag}\r\n"), true),
                ("if-none-match: *\r\n".to_owned(), true),
                ("if-none-match: \"x\"\r\n".to_owned(), false),
                (format!("if-none-match: {}\r\n", etag.trim_matches('"')), false),
                ("if-none-match: \r\n".to_owned(), false),
                // It needs a date of the last change, which there is none of.
                ("if-modified-since: Sun, 29 Nov 2037 22:00:00 GMT\r\n".to_owned(), false),
            ] {
                for method in ["GET", "HEAD"] {
                    let what = format!("{:?} {method} {path} {fields}", world.framework);
                    let response = world.send(method, &path, &fields).await;
                    assert_eq!(response.status, if is_known { 304 } else { 200 }, "{what}");
                    assert_eq!(response.get("etag"), Some(&*etag), "{what}");
                    assert_eq!(response.get("cache-control"), Some("public, max-age=60"));
                    assert_eq!(response.get(OPEN.0), Some(OPEN.1), "{what}");
                    if is_known {
                        // A length would be that of a 200.
                        let length = response.get("content-length");
                        assert!(length.is_none(), "{what}: {response:?}");
                        assert_eq!(response.get("content-type"), None, "{what}");
                        assert_eq!(response.body, "", "{what}");
                    } else {
                        assert_eq!(response.get("content-type"), Some(content_type), "{what}");
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_document_has_another_tag() {
    for world in worlds("") {
        let before = paths(&world);
        let mut tags = Vec::new();
        for (path, _) in &before {
            tags.push(world.send("GET", path, "").await.get("etag").unwrap().to_owned());
        }
        // The next key has another algorithm, so that the metadata change too.
        world.keys.rotate(SigningKey::generate(Algorithm::EdDSA).unwrap()).unwrap();
        for ((path, _), tag) in before.iter().zip(&tags) {
            let response = world.send("GET", path, &format!("if-none-match: {tag}\r\n")).await;
            assert_eq!(response.status, 200, "{:?} {path}", world.framework);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_rejected_and_preflights_answered() {
    for world in worlds("") {
        for (path, _) in paths(&world) {
            for method in ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"] {
                let what = format!("{:?} {method} {path}", world.framework);
                let response = world.send(method, &path, "if-none-match: *\r\n").await;
                assert_eq!((response.status, &*response.body), (405, ""), "{what}");
                let expected = [("allow", "GET, HEAD, OPTIONS"), ("content-length", "0"), OPEN];
                assert_fields(&response, &expected, &what);
            }
            let fields = "origin: https://a.test\r\naccess-control-request-method: GET\r\n";
            let response = world.send("OPTIONS", &path, fields).await;
            assert_eq!((response.status, &*response.body), (204, ""), "{:?}", world.framework);
            assert_eq!(response.get(OPEN.0), Some(OPEN.1));
            assert_eq!(response.get("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_have_only_what_is_true() {
    for world in worlds("/tasks") {
        world.clock.advance(Duration::from_secs(1));
        world.keys.rotate(SigningKey::generate(Algorithm::EdDSA).unwrap()).unwrap();
        let read = async |path: &str| -> Value {
            serde_json::from_str(&world.send("GET", path, "").await.body).unwrap()
        };
        let issuer = &world.issuer;
        let expected = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
            "grant_types_supported": [],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "EdDSA"],
        });
        assert_eq!(read("/tasks/.well-known/openid-configuration").await, expected);
        assert_eq!(read("/.well-known/oauth-authorization-server/tasks").await, expected);
        let keys = read("/tasks/.well-known/jwks.json").await;
        let keys: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| &key["alg"]).collect();
        assert_eq!(keys, ["ES256", "EdDSA"]);
    }
}
