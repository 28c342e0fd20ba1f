//! Token requests over real sockets: what is sent, and which responses are accepted.

#![cfg(feature = "remote")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{collections::HashMap, error::Error, time::Duration};

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use portcullis::NumericDate;
use portcullis_jose::{Algorithm, SigningKey};
use portcullis_mint::{
    ClientCredentialsSource, ClientCredentialsSourceBuilder, IssuedToken, MintError, OAuthClient,
    RenewingToken, TokenError, TokenExchangeClient, TokenRequestError, TokenSource,
};
use portcullis_testkit::{KeyServer, ManualClock, RecordedRequest, Reply};
use serde_json::{Value, json};

type BoxError = Box<dyn Error + Send + Sync>;

const START: NumericDate = NumericDate::from_seconds(1_800_000_000);

fn token_response(token: &str) -> Reply {
    Reply::json(
        json!({"access_token": token, "token_type": "Bearer", "expires_in": 300}).to_string(),
    )
}

fn server() -> KeyServer {
    let server = KeyServer::start();
    server.reply("/token", token_response("abc"));
    server
}

fn secret() -> OAuthClient {
    OAuthClient::secret_basic("orders", "s3cret")
}

fn credentials(server: &KeyServer) -> ClientCredentialsSourceBuilder {
    ClientCredentialsSource::at(server.url("/token"), secret())
}

fn form(request: &RecordedRequest) -> Vec<(String, String)> {
    assert_eq!(request.method(), "POST");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    url::form_urlencoded::parse(request.body()).into_owned().collect()
}

fn last_form(server: &KeyServer) -> Vec<(String, String)> {
    form(server.requests("/token").last().unwrap())
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

async fn rejected(source: &impl TokenSource) -> TokenRequestError {
    *source.token().await.unwrap_err().downcast().unwrap()
}

#[tokio::test]
async fn the_request_has_the_grant_and_each_parameter() {
    let server = server();
    let source = credentials(&server)
        .scope("a b")
        .audience("https://x.test")
        .resource("https://y.test/1?q")
        .resource("urn:z");
    let issued = source.build().unwrap().token().await.unwrap();
    assert_eq!(issued.token(), "abc");
    assert_eq!(
        last_form(&server),
        pairs([
            ("grant_type", "client_credentials"),
            ("scope", "a b"),
            ("audience", "https://x.test"),
            ("resource", "https://y.test/1?q"),
            ("resource", "urn:z"),
        ])
    );
    let request = server.requests("/token").remove(0);
    assert_eq!(request.header("authorization"), Some("Basic b3JkZXJzOnMzY3JldA=="));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.header("user-agent").unwrap().starts_with("portcullis/"));
}

#[tokio::test]
async fn client_id_and_secret_are_form_encoded_before_they_are_joined() {
    let server = server();
    let client = OAuthClient::secret_basic("a:b %+é", "p:q/ %+é&=");
    ClientCredentialsSource::at(server.url("/token"), client)
        .build()
        .unwrap()
        .token()
        .await
        .unwrap();
    let request = server.requests("/token").remove(0);
    let basic = request.header("authorization").unwrap().strip_prefix("Basic ").unwrap();
    let basic = String::from_utf8(STANDARD.decode_to_vec(basic).unwrap()).unwrap();
    assert_eq!(basic, "a%3Ab+%25%2B%C3%A9:p%3Aq%2F+%25%2B%C3%A9%26%3D");
}

#[tokio::test]
async fn a_secret_can_be_in_the_form() {
    let server = server();
    let client = OAuthClient::secret_post("orders", "s&é t");
    ClientCredentialsSource::at(server.url("/token"), client)
        .build()
        .unwrap()
        .token()
        .await
        .unwrap();
    assert_eq!(
        last_form(&server),
        pairs([
            ("grant_type", "client_credentials"),
            ("client_id", "orders"),
            ("client_secret", "s&é t"),
        ])
    );
    assert_eq!(server.requests("/token").remove(0).header("authorization"), None);
}

#[tokio::test]
async fn each_request_has_an_assertion_of_its_own() {
    let server = server();
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let clock = ManualClock::at(START);
    let client = OAuthClient::private_key_jwt("orders", key.clone());
    let claims_of = async |client: OAuthClient| {
        let source = ClientCredentialsSource::at(server.url("/token"), client).clock(clock.clone());
        source.build().unwrap().token().await.unwrap();
        let form: HashMap<_, _> = last_form(&server).into_iter().collect();
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!((&*form["client_assertion_type"], &*form["client_id"]), (kind, "orders"));
        let auth = portcullis::Authenticator::builder()
            .issuer(portcullis::Issuer::new("orders").key(key.verification_key().unwrap()))
            .audience(if form.contains_key("scope") { "x" } else { "any" })
            .clock(clock.clone())
            .build()
            .unwrap();
        let claims = form["client_assertion"].split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(claims).unwrap()).unwrap();
        // The signature is verified before the audience.
        let code = auth.authenticate_token_now(&form["client_assertion"]).map(|_| ());
        assert_eq!(code.unwrap_err().kind().code(), "wrong_audience");
        claims
    };
    let first = claims_of(client.clone()).await;
    let second = claims_of(client.clone()).await;
    assert_eq!((&first["iss"], &first["sub"]), (&json!("orders"), &json!("orders")));
    assert_eq!(first["aud"], json!(server.url("/token")));
    assert_eq!(first["exp"], json!(START.seconds() + 60));
    assert_eq!(
        (&first["iat"], &first["nbf"]),
        (&json!(START.seconds() - 10), &json!(START.seconds() - 10))
    );
    assert!(first["jti"].as_str().unwrap().len() > 20 && first["jti"] != second["jti"]);
    let third = claims_of(client.assertion_audience("https://idp.test")).await;
    assert_eq!(third["aud"], json!("https://idp.test"));
}

#[tokio::test]
async fn the_endpoint_is_found_by_its_issuer_and_again_after_a_failure() {
    const METADATA: &str = "/.well-known/openid-configuration";
    let server = server();
    let _issuer = server.issuer();
    let source = ClientCredentialsSource::discover(server.url(""), secret()).build().unwrap();
    source.token().await.unwrap();
    source.token().await.unwrap();
    assert_eq!((server.hits(METADATA), server.hits("/token")), (1, 2));
    server.reply_once("/token", Reply::empty().status(404));
    assert_eq!(rejected(&source).await.status(), Some(404));
    source.token().await.unwrap();
    assert_eq!(server.hits(METADATA), 2);
}

#[tokio::test]
async fn metadata_of_another_issuer_or_with_an_unsafe_endpoint_get_no_credentials() {
    let server = server();
    let own = server.url("");
    let metadata = |issuer: &str, endpoint: &str| {
        let document = json!({"issuer": issuer, "token_endpoint": endpoint});
        server.reply("/.well-known/openid-configuration", Reply::json(document.to_string()));
    };
    for (issuer, endpoint) in [
        (format!("{own}/"), server.url("/token")),
        ("https://idp.test".to_owned(), server.url("/token")),
        (own.clone(), "http://idp.test/token".to_owned()),
        (own.clone(), "ftp://127.0.0.1/token".to_owned()),
        (own.clone(), format!("http://user:pw@{}/token", server.address())),
    ] {
        metadata(&issuer, &endpoint);
        let source = ClientCredentialsSource::discover(own.clone(), secret()).build().unwrap();
        assert_eq!(rejected(&source).await.status(), None, "{issuer} {endpoint}");
        assert_eq!(server.hits("/token"), 0, "{issuer} {endpoint}");
    }
    metadata(&own, &server.url("/token"));
    let source = ClientCredentialsSource::discover(own, secret()).build().unwrap();
    source.token().await.unwrap();
}

#[tokio::test]
async fn only_a_bearer_token_of_a_known_lifetime_is_accepted() {
    let good = json!({"access_token": "a.b-c", "token_type": "bEARER", "expires_in": 300});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body.to_string()
    };
    let server = server();
    let clock = ManualClock::at(START);
    let ask = async |body: String| -> Result<i64, String> {
        server.reply("/token", Reply::json(body));
        let source = credentials(&server).build().unwrap();
        let token = RenewingToken::from_source(source).clock(clock.clone()).build().unwrap();
        let issued = token.token().await.map_err(|error| match error {
            TokenError::Source(error) => error.to_string(),
            other => other.to_string(),
        })?;
        Ok(issued.expiry().unwrap().seconds() - START.seconds())
    };
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    for (body, lifetime) in [
        (good.to_string(), 300),
        (with("expires_in", json!("300")), 300),
        (without("expires_in"), 600),
        (with("issued_token_type", json!(access_token)), 300),
        (with("other", json!([1])), 300),
    ] {
        assert_eq!(ask(body.clone()).await, Ok(lifetime), "{body}");
    }
    for body in [
        without("access_token"),
        with("access_token", json!("")),
        with("access_token", json!(7)),
        with("access_token", json!("a b")),
        with("access_token", json!("a\r\nb")),
        without("token_type"),
        with("token_type", json!("DPoP")),
        with("token_type", json!("N_A")),
        with("token_type", json!(["Bearer"])),
        with("expires_in", json!(-1)),
        with("expires_in", json!(0)),
        with("expires_in", json!(1.5)),
        with("expires_in", json!(null)),
        with("expires_in", json!("")),
        with("expires_in", json!("1e3")),
        with("expires_in", json!(true)),
        with("issued_token_type", json!("urn:ietf:params:oauth:token-type:id_token")),
        with("issued_token_type", json!(null)),
        r#"{"access_token":"a","token_type":"Bearer","access_token":"b"}"#.to_owned(),
        format!("[{good}]"),
        "\"abc\"".to_owned(),
        String::new(),
        format!("{good}{good}"),
    ] {
        let error = ask(body.clone()).await.expect_err(&body);
        assert!(!error.contains("a.b-c"), "{error}");
    }
}

#[tokio::test]
async fn a_response_is_bounded_and_a_redirect_is_not_followed() {
    let server = server();
    let source = credentials(&server).build().unwrap();
    let body = |len: usize| {
        let start = r#"{"token_type":"Bearer","access_token":""#;
        format!("{start}{}\"}}", "a".repeat(len - start.len() - 2))
    };
    server.reply("/token", Reply::json(body(64 * 1024)));
    source.token().await.unwrap();
    for reply in [
        Reply::json(body(64 * 1024 + 1)),
        Reply::endless(" "),
        Reply::redirect(307, server.url("/other")),
        Reply::redirect(302, server.url("/other")),
        Reply::garbage(""),
        Reply::json(body(100)).truncate(50),
        Reply::json(body(100)).status(201),
    ] {
        server.reply("/other", token_response("other"));
        server.reply("/token", reply.clone());
        let error = rejected(&source).await;
        assert!(!error.to_string().contains("aaaa"), "{error}");
        assert_eq!(server.hits("/other"), 0, "{reply:?}");
    }
}

#[tokio::test]
async fn errors_have_the_code_and_no_secret() {
    let server = server();
    let source = credentials(&server).build().unwrap();
    for (status, body, code) in [
        (401, r#"{"error":"invalid_client","error_description":"s3cret"}"#, Some("invalid_client")),
        (400, r#"{"error":"invalid_scope"}"#, Some("invalid_scope")),
        (400, r#"{"error":"s3cret!"}"#, None),
        (400, r#"{"error":["x"]}"#, None),
        (400, "", None),
        (500, "s3cret", None),
    ] {
        server.reply("/token", Reply::json(body).status(status));
        let error = rejected(&source).await;
        assert_eq!((error.status(), error.code()), (Some(status), code), "{body}");
        let shown = format!("{error} {error:?} {source:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
    server.reject_connections();
    let error = rejected(&source).await;
    assert!(error.to_string().contains("cannot be reached") && error.status().is_none(), "{error}");
}

#[tokio::test]
async fn a_server_that_names_a_time_is_not_asked_before() {
    for (value, seconds) in [
        ("30", 30),
        // Ten minutes at most.
        ("86400", 600),
        ("Fri, 15 Jan 2027 08:00:45 GMT", 45),
        // Shorter than the pause after a failure.
        ("0", 1),
        ("soon", 1),
    ] {
        let server = server();
        let clock = ManualClock::at(START);
        let source = credentials(&server).clock(clock.clone()).build().unwrap();
        let token = RenewingToken::from_source(source).clock(clock.clone()).build().unwrap();
        server.reply_once("/token", Reply::empty().status(429).header("retry-after", value));
        token.token().await.unwrap_err();
        clock.advance(Duration::from_secs(seconds) - Duration::from_millis(1));
        token.token().await.unwrap_err();
        assert_eq!(server.hits("/token"), 1, "{value}");
        // A pause is prolonged by up to a quarter, so that clients do not ask at the same time.
        clock.advance(Duration::from_secs(seconds) / 4 + Duration::from_millis(1));
        token.token().await.unwrap();
        assert_eq!(server.hits("/token"), 2, "{value}");
    }
}

#[tokio::test]
async fn an_exchange_sends_the_tokens_of_subject_and_actor() {
    let server = server();
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    let exchange = || TokenExchangeClient::at(server.url("/token"), secret()).audience("stock");
    let subject = || IssuedToken::new("caller.token");
    exchange().build().unwrap().for_subject(subject()).token().await.unwrap();
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
    assert_eq!(
        last_form(&server),
        pairs([
            grant,
            ("subject_token", "caller.token"),
            ("subject_token_type", access_token),
            ("audience", "stock"),
        ])
    );
    // Tokens of its own for the actor, which it requests once.
    server.reply("/own", token_response("own"));
    let own = ClientCredentialsSource::at(server.url("/own"), secret()).build().unwrap();
    let own = RenewingToken::from_source(own).build().unwrap();
    let exchange = exchange()
        .subject_token_type("urn:ietf:params:oauth:token-type:jwt")
        .actor(own)
        .scope("s")
        .resource("urn:r")
        .build()
        .unwrap();
    for _ in 0..2 {
        let issued = exchange.for_subject(subject()).token().await.unwrap();
        assert_eq!(issued.token(), "abc");
    }
    assert_eq!(
        last_form(&server),
        pairs([
            grant,
            ("subject_token", "caller.token"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("actor_token", "own"),
            ("actor_token_type", access_token),
            ("audience", "stock"),
            ("scope", "s"),
            ("resource", "urn:r"),
        ])
    );
    assert_eq!((server.hits("/own"), server.hits("/token")), (1, 3));
}

#[tokio::test]
async fn without_a_subject_token_nothing_is_exchanged() {
    let server = server();
    let exchange = TokenExchangeClient::at(server.url("/token"), secret()).build().unwrap();
    let fails = || async { Err::<IssuedToken, _>(BoxError::from("no subject")) };
    let error = exchange.for_subject(fails).token().await.unwrap_err();
    assert_eq!((error.to_string().as_str(), server.hits("/token")), ("no subject", 0));
    let debug = format!("{exchange:?}");
    assert!(!debug.contains("s3cret"), "{debug}");
}

#[test]
fn a_source_that_would_leak_or_fail_is_a_mistake_of_the_configuration() {
    let at = |url: &str| ClientCredentialsSource::at(url, secret());
    let https = || at("https://idp.test/token");
    for bad in [
        at("http://idp.test/token"),
        at("http://localhost.idp.test/token"),
        at("ftp://idp.test/token"),
        at("https://user:s3cret@idp.test/token"),
        at("idp.test/token"),
        at(""),
        ClientCredentialsSource::discover("http://idp.test", secret()),
        ClientCredentialsSource::at("https://idp.test", OAuthClient::secret_basic("", "s3cret")),
        ClientCredentialsSource::at("https://idp.test", OAuthClient::secret_post("a", "")),
        https().scope(""),
        https().scope("a  b"),
        https().scope("a\"b"),
        https().resource("orders"),
        https().resource("https://x.test/#a"),
        https().audience(""),
    ] {
        let shown = format!("{bad:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        let rejected = bad.build();
        let Err(MintError::InvalidTokenSource { reason }) = rejected else { panic!("{shown}") };
        assert!(!reason.contains("s3cret"), "{reason}");
    }
    at("http://idp.test/token").dangerous_allow_http().build().unwrap();
    at("http://127.0.0.1:1/token").build().unwrap();
    https().scope("a b!").build().unwrap();
}
