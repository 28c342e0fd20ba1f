//! Tokens for outgoing calls, from an OpenID provider that we did not write.

use conformance::provider::{AUDIENCE, Provider};
use portcullis::{Algorithm, Authenticator, Issuer, issuer::TokenProfile, keys::SigningKey};
use portcullis_tonic::mint::{
    ClientCredentialsSource, ClientCredentialsSourceBuilder, OAuthClient, RenewingToken,
    TokenRequestError, TokenSource,
};

/// Requests a token, and verifies it as the service that it is for. Returns its client id.
async fn client_of(provider: &Provider, source: ClientCredentialsSourceBuilder) -> String {
    let source = source.scope("orders:read").resource(AUDIENCE).build().unwrap();
    let token = RenewingToken::from_source(source).build().unwrap();
    let issued = token.token().await.expect("a token");
    let auth = Authenticator::builder()
        .issuer(Issuer::discover(&provider.issuer).profile(TokenProfile::AtJwt))
        .audience(AUDIENCE)
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    let caller = auth.authenticate_token(issued.token()).await.expect("an accepted token");
    assert!(caller.grant().scope().iter().eq(["orders:read"]), "{:?}", caller.grant());
    // The provider says that tokens are valid for an hour.
    let expiry = caller.principal().expires_at().unwrap();
    let difference = expiry.seconds() - issued.expiry().unwrap().seconds();
    assert!(difference.abs() <= 10, "{difference}");
    caller.principal().client_id().unwrap().to_owned()
}

async fn code_of(source: ClientCredentialsSourceBuilder) -> String {
    let error = source.resource(AUDIENCE).build().unwrap().token().await.unwrap_err();
    let error = error.downcast::<TokenRequestError>().unwrap();
    error.code().unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[tokio::test]
async fn a_client_authenticates_with_a_secret_whose_characters_need_encoding() {
    let Some(provider) = Provider::start() else { return };
    let client = OAuthClient::secret_basic("a:b %+", "p:q %+/&=");
    let found = ClientCredentialsSource::discover(&provider.issuer, client.clone());
    assert_eq!(client_of(&provider, found).await, "a:b %+");
    let known = ClientCredentialsSource::at(format!("{}/token", provider.issuer), client.clone());
    assert_eq!(client_of(&provider, known).await, "a:b %+");
    let posted = OAuthClient::secret_post("es256", "interop-secret");
    let posted = ClientCredentialsSource::discover(&provider.issuer, posted);
    assert_eq!(client_of(&provider, posted).await, "es256");

    for (id, secret) in [("a:b %+", "p:q %+/&"), ("a", "b %+:p:q %+/&="), ("nobody", "x")] {
        let wrong = OAuthClient::secret_basic(id, secret);
        let wrong = ClientCredentialsSource::discover(&provider.issuer, wrong);
        assert_eq!(code_of(wrong).await, "invalid_client", "{id}");
    }
    let right = || ClientCredentialsSource::discover(&provider.issuer, client.clone());
    assert_eq!(code_of(right().resource("https://other.test")).await, "invalid_target");
    println!("interop: oidc-provider: client secrets: 7 verdicts");
}

#[tokio::test]
async fn a_client_authenticates_with_a_private_key() {
    let Some(mut provider) = Provider::start() else { return };
    for algorithm in [Algorithm::ES256, Algorithm::RS256] {
        let (key, id) = (SigningKey::generate(algorithm).unwrap(), algorithm.name());
        let client = || OAuthClient::private_key_jwt(id, key.clone());
        let jwk = key.public_jwk().unwrap();
        provider.tell(&format!("client {id} {id} {jwk}"), &format!("client {id}"));
        let (issuer, endpoint) = (provider.issuer.clone(), format!("{}/token", provider.issuer));
        for source in [
            ClientCredentialsSource::discover(&issuer, client()),
            ClientCredentialsSource::at(&endpoint, client()),
            ClientCredentialsSource::at(&endpoint, client().assertion_audience(&issuer)),
        ] {
            assert_eq!(client_of(&provider, source).await, id);
        }
        // One source makes a new assertion for each request, which the provider accepts once.
        let source = ClientCredentialsSource::discover(&issuer, client()).resource(AUDIENCE);
        let source = source.build().unwrap();
        for _ in 0..3 {
            source.token().await.unwrap();
        }
        let stranger = SigningKey::generate(algorithm).unwrap();
        let wrong_key = OAuthClient::private_key_jwt(id, stranger);
        let wrong_audience = client().assertion_audience("https://other.test");
        for wrong in [wrong_key, wrong_audience] {
            let wrong = ClientCredentialsSource::discover(&issuer, wrong);
            assert_eq!(code_of(wrong).await, "invalid_client");
        }
    }
    println!("interop: oidc-provider: private_key_jwt: 16 verdicts");
}
