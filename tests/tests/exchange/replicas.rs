//! One token at two replicas at once: one in axum, one in actix-web, and one SQLite file for both.

use std::net::SocketAddr;

use conformance::NOW;
use portcullis::{Algorithm, Authenticator, NumericDate};
use portcullis_axum::mint::{Minter, exchange::TokenExchangeEndpoint};
use portcullis_sql::SqliteStore;
use portcullis_testkit::{ManualClock, TestIssuer};

use super::{
    http::Request,
    servers::Framework,
    world::{GATEWAY, ORDERS, TOKEN, form_of},
};

const REQUESTS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn of_200_exchanges_of_one_token_one_succeeds() {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let idp = TestIssuer::new("https://idp.test").clock(clock.clone());
    let folder = std::env::temp_dir().join(format!("portcullis-exchange-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let replicas = Framework::ALL.map(|framework| {
        let store = SqliteStore::open(folder.join("used.db"));
        start(framework, &clock, &idp, store)
    });
    let token = idp.token().audience(GATEWAY).claim("jti", "1");
    let form = form_of(&token);
    let tasks: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let request = Request::post(TOKEN).form(&*form);
            tokio::spawn(request.send(replicas[number % replicas.len()]))
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().status);
    }
    let count = |status| statuses.iter().filter(|own| **own == status).count();
    // The store may have been too slow for some.
    assert_eq!(count(200), 1, "{statuses:?}");
    assert_eq!(count(400) + count(503), REQUESTS - 1, "{statuses:?}");
    for replica in replicas {
        assert_eq!(Request::post(TOKEN).form(&*form).send(replica).await.status, 400);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn start(
    framework: Framework,
    clock: &ManualClock,
    idp: &TestIssuer,
    store: SqliteStore,
) -> SocketAddr {
    let auth = Authenticator::builder()
        .issuer(idp.trusted())
        .audience(GATEWAY)
        .clock(clock.clone())
        .replay_store(store)
        .build()
        .unwrap();
    let key = portcullis::jose::SigningKey::generate(Algorithm::ES256).unwrap();
    let minter = Minter::new(key).issuer("https://own.test").clock(clock.clone());
    let endpoint = TokenExchangeEndpoint::builder(&auth, minter)
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .one_time()
        .build()
        .unwrap();
    framework.start(&[(TOKEN, endpoint)])
}
