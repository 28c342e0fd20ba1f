//! Credentials never appear in texts, and can come from a file.

use std::{error::Error, fmt::Debug, fs};

use portcullis::revocation::{
    ReplayStore, RevocationStore, StoreError,
    StoreErrorKind::{Unavailable, Unusable},
};
use portcullis_redis::RedisStore;

use crate::{
    kind, prepared,
    server::{IN_MEMORY, until},
    start, token,
};

const SECRET: &str = "s3cret-of-redis";

fn assert_hidden(text: &str) {
    assert!(!text.contains(SECRET) && !text.contains("alice"), "{text}");
}

fn assert_error_hides(error: &StoreError) {
    assert_hidden(&format!("{error} {error:?} {error:#?}"));
    let mut source = error.source();
    while let Some(error) = source {
        assert_hidden(&format!("{error} {error:?}"));
        source = error.source();
    }
}

fn assert_debug_hides(value: &impl Debug) {
    assert_hidden(&format!("{value:?} {value:#?}"));
}

#[tokio::test]
async fn credentials_are_in_no_text() {
    let server = start!(IN_MEMORY);
    let url = server.url().replace("redis://", &format!("redis://alice:{SECRET}@"));
    let builder = RedisStore::builder(&url);
    assert_debug_hides(&builder);
    let store = builder.build().unwrap();
    assert_debug_hides(&store);
    assert_hidden(RevocationStore::label(&store));
    assert_hidden(ReplayStore::label(&store));
    let error = RevocationStore::prepare(&store).await.unwrap_err();
    assert_eq!(error.kind(), Unusable, "{error}");
    assert_error_hides(&error);
}

#[tokio::test]
async fn credentials_are_in_no_error_of_a_url_or_connection() {
    for url in [
        format!("redis://alice:{SECRET}@localhost:port"),
        format!("alice:{SECRET}@localhost"),
        format!("rediss://alice:{SECRET}@localhost/#insecure"),
        format!("redis://alice:{SECRET}@localhost/{SECRET}"),
    ] {
        assert_error_hides(&RedisStore::open(&url).unwrap_err());
    }
    let closed = RedisStore::open(&format!("redis://alice:{SECRET}@127.0.0.1:1")).unwrap();
    let error = RevocationStore::prepare(&closed).await.unwrap_err();
    assert_eq!(error.kind(), Unavailable);
    assert_error_hides(&error);
}

/// A server without `AUTH` repeats the arguments of the unknown command: the password.
#[tokio::test]
async fn a_server_that_repeats_the_password_does_not_reveal_it() {
    let server =
        start!(&["--save", "", "--rename-command", "AUTH", "", "--rename-command", "HELLO", ""]);
    let url = server.url().replace("redis://", &format!("redis://:{SECRET}@"));
    let error = RevocationStore::prepare(&RedisStore::open(&url).unwrap()).await.unwrap_err();
    assert_error_hides(&error);
}

#[tokio::test]
async fn a_password_file_is_read_for_each_connection() {
    let server = start!(&["--save", "", "--requirepass", "first"]);
    let url = server.url();
    let admin = |password: &str| url.replace("redis://", &format!("redis://:{password}@"));
    let path = server.folder().join("password");
    let store = RedisStore::builder(&url).password_file(&path).build().unwrap();
    let error = RevocationStore::prepare(&store).await.unwrap_err();
    assert_eq!(error.kind(), Unusable, "{error}");
    fs::write(&path, "first\n").unwrap();
    until("the file is read again", async || RevocationStore::prepare(&store).await.is_ok()).await;
    prepared(RedisStore::open(&admin("first")).unwrap()).await;
    // The password is replaced: the connection of before stays, and a new one uses the new password.
    fs::write(&path, "second").unwrap();
    let client = redis::Client::open(admin("first")).unwrap();
    let mut operator = client.get_multiplexed_async_connection().await.unwrap();
    let set = redis::cmd("CONFIG").arg(&["SET", "requirepass", "second"]).to_owned();
    set.exec_async(&mut operator).await.unwrap();
    let end = redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]).to_owned();
    end.exec_async(&mut operator).await.unwrap();
    until("the store connects again", async || store.add(&[token("x")]).await.is_ok()).await;
    assert_eq!(kind(store.find(&[token("x")]).await), None);
}
