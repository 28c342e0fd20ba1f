//! What the configuration makes of the metadata.

use serde_json::{Value, json};

use super::*;
use crate::{
    Attempt, Authenticator, AuthenticatorBuilder, ConfigError, Credential, Issuer, ResourceError,
    Strategy, TokenLocation, VerificationKey,
};

fn issuer(issuer: Issuer) -> Issuer {
    issuer.key(VerificationKey::from_secret(vec![7; 32], crate::Algorithm::HS256).unwrap())
}

fn builder<const N: usize>(issuers: [&str; N]) -> AuthenticatorBuilder {
    let trust = |builder: AuthenticatorBuilder, name| builder.issuer(issuer(Issuer::new(name)));
    issuers.into_iter().fold(Authenticator::builder(), trust)
}

fn document(builder: AuthenticatorBuilder, resource: ProtectedResource) -> Value {
    let auth = builder.resource(resource).build().unwrap();
    let metadata = auth.resource_metadata().unwrap();
    assert_eq!(serde_json::to_string(&*metadata).unwrap(), metadata.json());
    serde_json::from_str(metadata.json()).unwrap()
}

fn rejected(builder: AuthenticatorBuilder, resource: ProtectedResource) -> String {
    builder.resource(resource).build().unwrap_err().to_string()
}

/// The example of RFC 9728 §3.2, but for `body`, which is no place of ours.
#[test]
fn the_example_of_the_standard_is_what_its_configuration_gives() {
    let issuers = builder(["https://as1.example.com", "https://as2.example.net"]);
    let resource = ProtectedResource::new("https://resource.example.com")
        .scopes_supported(["profile", "email", "phone"])
        .resource_documentation("https://resource.example.com/resource_documentation.html");
    let expected = json!({
        "resource": "https://resource.example.com",
        "authorization_servers": ["https://as1.example.com", "https://as2.example.net"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["profile", "email", "phone"],
        "resource_documentation": "https://resource.example.com/resource_documentation.html"
    });
    assert_eq!(document(issuers, resource), expected);
}

#[test]
fn nothing_is_published_without_a_resource() {
    let auth = builder(["https://idp.test"]).audience("orders").build().unwrap();
    assert!(auth.resource_metadata().is_none());
    assert_eq!(auth.challenge_settings().resource_metadata, None);
}

#[test]
fn every_issuer_that_clients_can_find_is_told_of() {
    let issuers = builder([
        "https://idp.test/realms/a",
        "http://127.0.0.1:8080",
        "http://idp.test",
        "https://idp.test?x",
        "https://",
        "workers",
    ])
    .issuer(issuer(Issuer::dangerous_any("https://any.test")));
    let found = document(issuers, "https://api.test".into());
    assert_eq!(
        found["authorization_servers"],
        json!(["https://idp.test/realms/a", "http://127.0.0.1:8080"])
    );
}

#[test]
fn issuers_can_be_left_out() {
    let names = ["https://a.test", "https://b.test"];
    let resource = || ProtectedResource::new("https://api.test");
    let one = resource().authorization_servers(["https://b.test"]);
    assert_eq!(document(builder(names), one)["authorization_servers"], json!(["https://b.test"]));
    let none = resource().authorization_servers(Vec::<String>::new());
    assert_eq!(document(builder(names), none).get("authorization_servers"), None);

    let untrusted = resource().authorization_servers(["https://b.test/"]);
    assert!(rejected(builder(names), untrusted).contains("`https://b.test/` is no trusted issuer"));
    let no_url = resource().authorization_servers(["workers"]);
    assert!(rejected(builder(["workers"]), no_url).contains("leave it out"));
}

#[derive(Debug)]
struct Introspection;

impl Strategy for Introspection {
    fn name(&self) -> &str {
        "https://opaque.test"
    }

    fn attempt(&self, _: &Credential<'_>) -> Attempt {
        Attempt::Abstain
    }
}

#[test]
fn strategies_are_told_of_by_name_alone() {
    let builder = || builder(["https://a.test"]).strategy(Introspection);
    let resource = || ProtectedResource::new("https://api.test");
    let told = |resource| document(builder(), resource)["authorization_servers"].clone();
    assert_eq!(told(resource()), json!(["https://a.test"]));
    let named = resource().authorization_servers(["https://opaque.test"]);
    assert_eq!(told(named), json!(["https://opaque.test"]));
}

#[test]
fn only_the_places_of_the_standard_are_told_of() {
    let methods = |places: &[TokenLocation]| {
        let builder = builder(["https://idp.test"]).locations(places.to_vec());
        document(builder, "https://api.test".into()).get("bearer_methods_supported").cloned()
    };
    assert_eq!(
        methods(&TokenLocation::header_query_cookie("access_token")),
        Some(json!(["header", "query"]))
    );
    assert_eq!(methods(&[TokenLocation::query("access_token")]), Some(json!(["query"])));
    let bearer = TokenLocation::header("Authorization").scheme("bearer");
    assert_eq!(methods(&[TokenLocation::cookie("access_token"), bearer]), Some(json!(["header"])));
    for other in [
        TokenLocation::query("token"),
        TokenLocation::cookie("access_token"),
        TokenLocation::header("authorization"),
        TokenLocation::header("authorization").scheme("token"),
        TokenLocation::header("x-access").scheme("bearer"),
        TokenLocation::bearer().prefix("v1_"),
        TokenLocation::query("access_token").prefix("v1_"),
    ] {
        assert_eq!(methods(std::slice::from_ref(&other)), None, "{other:?}");
    }
}

#[test]
fn parameters_without_a_value_are_left_out() {
    let resource = ProtectedResource::new("https://api.test")
        .parameter("resource_name#it", "Ordini")
        .parameter("dpop_bound_access_tokens_required", true)
        .parameter("dpop_signing_alg_values_supported", Vec::<String>::new())
        .parameter("signed_metadata", None::<String>);
    let found = document(builder(["https://idp.test"]), resource);
    let members: Vec<_> = found.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "authorization_servers",
            "bearer_methods_supported",
            "dpop_bound_access_tokens_required",
            "resource",
            "resource_name#it"
        ]
    );
}

#[test]
fn a_parameter_that_clients_could_not_use_is_rejected() {
    let resource = || ProtectedResource::new("https://api.test");
    let no_json = std::collections::HashMap::from([((1, 2), 3)]);
    for (resource, parameter, reason) in [
        (resource().scopes_supported(["a", "b c"]), "scopes_supported", "`b c`"),
        (resource().scopes_supported(["a\"b"]), "scopes_supported", "RFC 6749 §3.3"),
        (resource().parameter("resource", "https://other.test"), "resource", "configuration"),
        (resource().parameter("scopes_supported", ["a"]), "scopes_supported", "setter"),
        (resource().parameter("", 1), "", "a name"),
        (resource().resource_name("a").parameter("resource_name", "b"), "resource_name", "once"),
        (resource().resource_tos_uri("javascript:alert(1)"), "resource_tos_uri", "https://"),
        (resource().parameter("resource_policy_uri", 1), "resource_policy_uri", "https://"),
        (resource().parameter("x", no_json), "x", "no JSON value"),
    ] {
        let message = rejected(builder(["https://idp.test"]), resource);
        assert!(message.contains(&format!("`{parameter}`")), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn a_url_that_names_no_resource_is_rejected_and_its_password_not_shown() {
    let rejected = builder(["https://idp.test"]).resource("https://me:pa@ss@api.test/m").build();
    let Err(ConfigError::Resource(ResourceError::InvalidIdentifier { resource, reason })) =
        rejected
    else {
        panic!("{rejected:?}")
    };
    assert_eq!(resource, "***@api.test/m");
    assert_eq!(reason, "leave user name and password out");
}

#[test]
fn challenges_name_the_metadata_unless_told_another_url() {
    let url = |builder: AuthenticatorBuilder| {
        let auth = builder.resource("https://api.test/mcp?tenant=1").build().unwrap();
        auth.challenge_settings().resource_metadata.clone().unwrap()
    };
    assert_eq!(
        url(builder(["https://idp.test"])),
        "https://api.test/.well-known/oauth-protected-resource/mcp?tenant=1"
    );
    let explicit = builder(["https://idp.test"]).resource_metadata("https://docs.test/metadata");
    assert_eq!(url(explicit), "https://docs.test/metadata");
}

#[test]
fn the_longest_resource_fits_in_a_challenge() {
    let resource = format!("https://api.test/{}", "x".repeat(200 - 17));
    let auth = builder(["https://idp.test"]).resource(resource).build().unwrap();
    assert_eq!(auth.resource_metadata().unwrap().url().len(), 237);
}

#[test]
fn anyone_may_read_the_document_and_nothing_else() {
    let auth = builder(["https://idp.test"]).resource("https://api.test/mcp").build().unwrap();
    let metadata = auth.resource_metadata().unwrap();
    for (method, query, status, body) in [
        ("GET", None, 200, metadata.json()),
        ("GET", Some("v=1"), 200, metadata.json()),
        ("HEAD", None, 200, metadata.json()),
        ("OPTIONS", None, 204, ""),
        ("POST", None, 405, ""),
        ("get", None, 405, ""),
    ] {
        let response = metadata.respond(method, query);
        assert_eq!((response.status, response.body), (status, body), "{method} {query:?}");
        assert!(response.headers.contains(&("access-control-allow-origin", "*")), "{method}");
        assert!(response.headers.iter().all(|(name, _)| *name == name.to_ascii_lowercase()));
    }
}

#[test]
fn a_query_in_the_name_of_the_resource_tells_it_from_others() {
    let auth = builder(["https://idp.test"]).resource("https://api.test/mcp?t=1").build().unwrap();
    let metadata = auth.resource_metadata().unwrap();
    assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/mcp");
    for (query, status) in
        [(Some("t=1"), 200), (Some("t=2"), 404), (Some("t=1&x"), 404), (None, 404)]
    {
        assert_eq!(metadata.respond("GET", query).status, status, "{query:?}");
    }
}
