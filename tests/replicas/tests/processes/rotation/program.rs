//! The program of a replica that mints tokens with shared keys, and verifies those of the others with the ring's own
//! key source.

use std::{env, io, time::Duration};

use portcullis::{
    Authenticator, Issuer, NumericDate,
    clock::{Clock, SystemClock},
};
use portcullis_mint::{
    KeyEncryptionKey, Minter, SharedSigningKeysBuilder, SigningKeys, SigningKeysError,
};
use portcullis_sql::{PostgresStore, SqliteStore};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

use crate::program::{AUDIENCE, ISSUER, REPLY, STORE};

/// How far the clock of the replica is ahead, in seconds.
pub(crate) const OFFSET: &str = "PORTCULLIS_REPLICA_OFFSET";
/// How long a key signs, and how long clients may keep the published keys, in milliseconds.
pub(crate) const ROTATE_EVERY: &str = "PORTCULLIS_REPLICA_ROTATE_EVERY";
pub(crate) const MAX_AGE: &str = "PORTCULLIS_REPLICA_MAX_AGE";

pub(crate) const READ_EVERY: Duration = Duration::from_millis(300);
pub(crate) const LIFETIME: Duration = Duration::from_secs(20);

/// A clock that is wrong.
#[derive(Clone, Copy, Debug)]
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> NumericDate {
        let now = SystemClock::default().now();
        let offset = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 { now.saturating_sub(offset) } else { now.saturating_add(offset) }
    }
}

struct Replica {
    keys: SigningKeys,
    minter: Minter,
    auth: Authenticator,
}

#[test]
#[ignore = "the program of a replica, which other tests start"]
fn replica() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (replica, port) = runtime.block_on(async {
        let replica = start(Ahead(number(OFFSET))).await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve(listener, replica.keys.clone()));
        (replica, port)
    });
    println!("{REPLY}ready {port}");
    for line in io::stdin().lines() {
        let line = line.unwrap();
        let (command, argument) = line.split_once(' ').unwrap();
        let reply = match command {
            "mint" => mint(&replica.minter, argument.parse().unwrap()),
            "check" => runtime.block_on(check(&replica.auth, argument)),
            _ => format!("unknown command {command}"),
        };
        println!("{REPLY}{reply}");
    }
}

async fn start(clock: Ahead) -> Replica {
    let keys = start_keys(clock).await;
    let auth = Authenticator::builder()
        .issuer(Issuer::new(ISSUER).key_source(keys.clone()))
        .audience(AUDIENCE)
        .clock(clock)
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    let minter = Minter::new(keys.clone()).issuer(ISSUER).lifetime(LIFETIME).clock(clock);
    Replica { keys, minter, auth }
}

/// The store may be busy, because all replicas start at once, on a busy machine.
async fn start_keys(clock: Ahead) -> SigningKeys {
    for _ in 0..50 {
        match settings().clock(clock).start().await {
            Ok(keys) => return keys,
            Err(SigningKeysError::Store(_) | SigningKeysError::Contended) => {}
            Err(error) => {
                println!("{REPLY}not ready: {error}");
                break;
            }
        }
    }
    std::process::abort()
}

fn settings() -> SharedSigningKeysBuilder {
    let url = env::var(STORE).unwrap();
    let keys = if url.starts_with("postgres:") {
        SigningKeys::shared(PostgresStore::open(&url).unwrap())
    } else {
        SigningKeys::shared(SqliteStore::open(&url))
    };
    let max_age = millis(MAX_AGE);
    keys.encryption_key(KeyEncryptionKey::from_bytes(&[7; 32]).unwrap())
        .rotate_every(millis(ROTATE_EVERY))
        .read_every(READ_EVERY)
        .max_age(max_age)
        .max_lifetime(LIFETIME)
}

/// Returns the tokens, or why there are none.
fn mint(minter: &Minter, count: usize) -> String {
    let claims = json!({"sub": "alice", "aud": AUDIENCE});
    let tokens: Result<Vec<_>, _> = (0..count).map(|_| minter.mint(&claims)).collect();
    match tokens {
        Ok(tokens) => {
            let tokens: Vec<_> = tokens.into_iter().map(|token| token.into_token()).collect();
            format!("minted {}", tokens.join(" "))
        }
        Err(error) => format!("failed {error}"),
    }
}

/// Returns the codes of the tokens that are rejected.
async fn check(auth: &Authenticator, tokens: &str) -> String {
    let mut rejected = Vec::new();
    for token in tokens.split(' ') {
        if let Err(error) = auth.authenticate_token(token).await {
            rejected.push(error.kind().code());
        }
    }
    format!("rejected {}", rejected.join(" "))
}

/// Serves the JWK Set at each path.
async fn serve(listener: TcpListener, keys: SigningKeys) {
    while let Ok((connection, _)) = listener.accept().await {
        tokio::spawn(respond(connection, keys.published()));
    }
}

async fn respond(mut connection: TcpStream, published: portcullis_mint::PublishedKeys) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/jwk-set+json\r\nCache-Control: max-age={}\r\n\
         ETag: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        published.max_age().as_secs(),
        published.etag(),
        published.json().len(),
        published.json()
    );
    drop(connection.write_all(response.as_bytes()).await);
}

fn millis(variable: &str) -> Duration {
    Duration::from_millis(number(variable).unsigned_abs())
}

fn number(variable: &str) -> i64 {
    env::var(variable).unwrap().parse().unwrap()
}
