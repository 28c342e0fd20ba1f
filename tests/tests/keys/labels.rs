//! What logs, metrics and errors show of a key URL.

use portcullis::{
    Authenticator, ConfigError, Issuer, ReloadableAuthenticator,
    error::KeySourceConfigError,
    future::BoxFuture,
    keys::{Fetch, FetchError, FetchRequest, FetchResponse, RemoteJwkSet},
};
use portcullis_testkit::{KeyServer, Reply, TestIssuer};
use serde_json::json;

use super::support::{chain, clock, engine, issuer, key, set, soon, token, verdict};

const SECRET: &str = "s3cret";

#[tokio::test]
async fn the_query_of_a_key_url_is_sent_and_shown_nowhere() {
    let server = KeyServer::start();
    let clock = clock();
    let issuer = issuer(&clock);
    let public = server.url("/jwks.json");
    let uri = format!("{public}?api_key={SECRET}#{SECRET}");
    let shown = |auth: &Authenticator| format!("{auth:?} {:?}", auth.key_status());
    for reply in [Reply::empty().status(500), Reply::json("{}"), Reply::garbage("")] {
        server.reply("/jwks.json", reply);
        let auth = engine(&clock, [Issuer::new(issuer.name()).jwk_set_uri(&uri)]);
        let error = chain(&soon(auth.ready()).await.unwrap_err());
        let shown = shown(&auth);
        assert!(!error.contains(SECRET) && !shown.contains(SECRET), "{error} {shown}");
        assert!(error.contains(&public), "{error}");
    }
    server.reject_connections();
    let rejected = engine(&clock, [Issuer::new(issuer.name()).jwk_set_uri(&uri)]);
    let error = chain(&soon(rejected.ready()).await.unwrap_err());
    assert!(!error.contains(SECRET) && error.contains(&public), "{error}");
    server.accept_connections();

    server.reply("/jwks.json", Reply::json(set(&[key(&issuer)])));
    let auth = engine(&clock, [Issuer::new(issuer.name()).jwk_set_uri(&uri)]);
    soon(auth.ready()).await.unwrap();
    assert_eq!(auth.key_status()[0].source, public);
    let requests = server.requests("/jwks.json");
    assert_eq!(requests.last().unwrap().query(), Some("api_key=s3cret"));
    let source = RemoteJwkSet::new(&uri);
    assert!(!format!("{source:?}").contains(SECRET));
}

#[tokio::test]
async fn the_query_of_a_key_url_that_metadata_name_is_shown_nowhere() {
    let server = KeyServer::start();
    let place = "/.well-known/openid-configuration";
    for jwks_uri in [
        server.url(&format!("/k?api_key={SECRET}")),
        format!("http://192.0.2.1/k?api_key={SECRET}"),
        format!("https://user:{SECRET}@idp.test/k"),
        format!("ftp://user:{SECRET}@idp.test/k"),
        format!("/k?api_key={SECRET}"),
    ] {
        let metadata = json!({"issuer": server.url(""), "jwks_uri": jwks_uri});
        server.reply(place, Reply::json(metadata.to_string()));
        let auth = engine(&clock(), [Issuer::discover(server.url(""))]);
        let error = chain(&soon(auth.ready()).await.unwrap_err());
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[test]
fn an_unusable_key_url_is_not_shown_with_its_query_or_password() {
    for uri in [
        format!("http://idp.test/k?api_key={SECRET}"),
        format!("https://user:{SECRET}@idp.test/k"),
        format!("https://{SECRET}@idp.test/k"),
        format!("ftp://user:{SECRET}@idp.test/k"),
        format!("idp.test/k?api_key={SECRET}"),
        format!("https://user:{SECRET}@idp.test:port/k"),
    ] {
        for trusted in [
            Issuer::new("https://idp.test").jwk_set_uri(&uri),
            Issuer::new("https://idp.test").key_source(RemoteJwkSet::discover(&uri)),
        ] {
            let error = Authenticator::builder().issuer(trusted).audience("a").build().unwrap_err();
            assert!(
                matches!(
                    error,
                    ConfigError::KeySource(KeySourceConfigError::InvalidLocation { .. })
                ),
                "{error:?}"
            );
            let shown = format!("{} {error:?}", chain(&error));
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}

/// Answers each query with the key of one issuer, or fails.
#[derive(Debug)]
struct ByQuery(Vec<(&'static str, TestIssuer)>);

impl Fetch for ByQuery {
    fn fetch<'a>(
        &'a self,
        request: &'a FetchRequest,
    ) -> BoxFuture<'a, Result<FetchResponse, FetchError>> {
        Box::pin(async move {
            let of_query = |(query, _): &&(&str, TestIssuer)| request.url.ends_with(query);
            let (_, issuer) =
                self.0.iter().find(of_query).ok_or_else(|| FetchError::new("an outage"))?;
            let body = set(&[key(issuer)]).into_bytes();
            Ok(FetchResponse { status: 200, body, ..FetchResponse::default() })
        })
    }
}

#[tokio::test]
async fn sources_that_differ_in_the_query_alone_keep_their_own_keys_on_reload() {
    let clock = clock();
    let (a, b) = (issuer(&clock), issuer(&clock));
    let source = |query: &str, known: Vec<(&'static str, TestIssuer)>| {
        RemoteJwkSet::new(format!("https://keys.test/k?{query}")).fetch(ByQuery(known))
    };
    let both = || vec![("tenant=a", a.clone()), ("tenant=b", b.clone())];
    let trusted = Issuer::new(a.name())
        .key_source(source("tenant=a", both()))
        .key_source(source("tenant=b", both()));
    let old = engine(&clock, [trusted]);
    old.ready().await.unwrap();
    assert_eq!((verdict(&old, &token(&a)), verdict(&old, &token(&b))), ("accepted", "accepted"));

    // One source is gone, and the other one is down: its keys alone are taken over.
    let reloadable = ReloadableAuthenticator::new(old);
    let trusted = Issuer::new(a.name()).key_source(source("tenant=b", Vec::new()));
    reloadable.replace(engine(&clock, [trusted])).await.unwrap();
    let auth = reloadable.authenticator();
    assert_eq!(verdict(&auth, &token(&b)), "accepted");
    assert_ne!(verdict(&auth, &token(&a)), "accepted");
    assert_eq!(auth.key_status()[0].source, "https://keys.test/k");
}
