//! The documents in which an issuer tells about itself.

use portcullis::Algorithm;
use serde_json::json;

use crate::TestIssuer;

/// Returns the documents of an issuer and their paths on a server at `origin`.
pub(super) fn documents(origin: &str, issuer: &TestIssuer) -> [(String, String); 4] {
    let path = path_on(origin, issuer.name());
    let metadata = metadata(origin, path, issuer);
    let keys = issuer.jwk_set_json();
    [
        // OpenID Connect adds to the path, and OAuth puts its own part before it.
        (format!("{path}/.well-known/openid-configuration"), metadata.clone()),
        (format!("/.well-known/oauth-authorization-server{path}"), metadata),
        (format!("{path}/.well-known/jwks.json"), keys.clone()),
        (format!("{path}/jwks.json"), keys),
    ]
}

/// Returns the path of an issuer that is on this server, and the empty one for others.
fn path_on<'a>(origin: &str, name: &'a str) -> &'a str {
    let path = name.strip_prefix(origin).unwrap_or_default();
    if path.starts_with('/') { path.trim_end_matches('/') } else { "" }
}

fn metadata(origin: &str, path: &str, issuer: &TestIssuer) -> String {
    let public = |algorithm: &Algorithm| issuer.key(*algorithm).secret().is_none();
    let algorithms = Algorithm::ALL.iter().copied().filter(public).map(Algorithm::name);
    json!({
        "issuer": issuer.name(),
        "jwks_uri": format!("{origin}{path}/jwks.json"),
        "authorization_endpoint": format!("{origin}{path}/authorize"),
        "token_endpoint": format!("{origin}{path}/token"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms.collect::<Vec<_>>(),
    })
    .to_string()
}
