//! Our client of token endpoints against our endpoint.

use std::time::Duration;

use conformance::NOW;
use portcullis::{
    Algorithm, Authenticator, Issuer, NumericDate, keys::SigningKey, revocation::MemoryStore,
};
use portcullis_mint::{
    IssuedToken, OAuthClient, RenewingToken, TokenExchangeClient, TokenRequestError, TokenSource,
    exchange::{ClientAssertions, ClientSecrets},
};
use portcullis_testkit::ManualClock;

use super::world::{ORDERS, World, worlds, worlds_with};

fn clock() -> ManualClock {
    ManualClock::at(NumericDate::from_seconds(NOW))
}

fn client_of(world: &World, client: OAuthClient) -> TokenExchangeClient {
    let client = TokenExchangeClient::at(world.url(), client).audience(ORDERS).clock(clock());
    client.build().unwrap()
}

fn caller_token(world: &World) -> IssuedToken {
    IssuedToken::new(world.token().subject("alice").build())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_token_is_exchanged_for_one_that_is_renewed() {
    const ID: &str = "a:b %+é";
    const SECRET: &str = "p:q/ %+é&=";
    let with_secret = |endpoint: portcullis_mint::exchange::TokenExchangeBuilder| {
        endpoint.client_authentication(ClientSecrets::new([(ID, SECRET)]).unwrap())
    };
    for world in worlds_with(|auth, _| auth, with_secret) {
        for client in [OAuthClient::secret_basic(ID, SECRET), OAuthClient::secret_post(ID, SECRET)]
        {
            let source = client_of(&world, client).for_subject(caller_token(&world));
            let token = RenewingToken::from_source(source).clock(clock()).build().unwrap();
            let issued = token.token().await.unwrap();
            assert_eq!(issued.token().split('.').count(), 3);
            assert_eq!(issued.expiry(), Some(NumericDate::from_seconds(NOW + 900)));
        }
        let wrong = OAuthClient::secret_basic(ID, "p:q/ %+é&");
        let source = client_of(&world, wrong).for_subject(caller_token(&world));
        assert_eq!(code_of(&source).await, "invalid_client");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_key_exchanges_tokens() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let with_key = |endpoint: portcullis_mint::exchange::TokenExchangeBuilder| {
        let issuer = Issuer::new("gateway").key(key.verification_key().unwrap());
        let clients = Authenticator::builder()
            .issuer(issuer.max_lifetime(Duration::from_secs(300)))
            .audience("https://orders.test/token")
            .replay_store(MemoryStore::new())
            .clock(clock())
            .build()
            .unwrap();
        endpoint.client_authentication(ClientAssertions::new(clients).unwrap())
    };
    for world in worlds_with(|auth, _| auth, with_key) {
        let client = || OAuthClient::private_key_jwt("gateway", key.clone());
        let addressed = client().assertion_audience("https://orders.test/token");
        let source = client_of(&world, addressed).for_subject(caller_token(&world));
        // An assertion is accepted once, so each request must have another.
        for _ in 0..3 {
            source.token().await.unwrap();
        }
        let source = client_of(&world, client()).for_subject(caller_token(&world));
        assert_eq!(code_of(&source).await, "invalid_client");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_endpoint_have_their_codes() {
    for world in worlds() {
        let client = client_of(&world, OAuthClient::secret_basic("web", "secret"));
        let other = IssuedToken::new(world.idp.token().audience("https://other.test").build());
        assert_eq!(code_of(&client.for_subject(other)).await, "invalid_request");
        let client =
            TokenExchangeClient::at(world.url(), OAuthClient::secret_basic("web", "secret"))
                .audience("https://stock.test");
        let source = client.build().unwrap().for_subject(caller_token(&world));
        assert_eq!(code_of(&source).await, "invalid_target");
    }
}

async fn code_of(source: &impl TokenSource) -> String {
    let error = source.token().await.unwrap_err().downcast::<TokenRequestError>().unwrap();
    error.code().unwrap_or_else(|| panic!("{error}")).to_owned()
}
