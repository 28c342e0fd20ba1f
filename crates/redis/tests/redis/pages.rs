//! Pages of many entries, and the clean-up.

use portcullis::revocation::{ReplayStore, Revocation, RevocationStore, Use};

use crate::{ISSUER, Reader, prepared, read_all, seconds, server::IN_MEMORY, start, token, tokens};

async fn add(store: &impl RevocationStore, entries: &[Revocation]) {
    for part in entries.chunks(10_000) {
        store.add(part).await.unwrap();
    }
}

#[tokio::test]
async fn thirty_thousand_entries_with_the_same_end_are_read_in_pages() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let added = tokens("page", 30_000);
    let mut early = read_all(&store).await;
    add(&store, &added).await;
    let mut reader = Reader::default();
    let mut pages = 1;
    while reader.read_page(&store).await.unwrap() {
        pages += 1;
    }
    assert!(pages >= 15, "{pages}");
    assert!(reader.has_all(&added));
    early.catch_up(&store).await.unwrap();
    assert!(early.has_all(&added));
}

#[tokio::test]
async fn nothing_is_skipped_while_entries_are_deleted_prolonged_and_added() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let other = prepared(server.store()).await;
    // Ends in groups of 70, so that pages begin and end inside a group.
    let end = |number: usize| i64::try_from(1_000 + number / 70).unwrap();
    let entries: Vec<_> = tokens("page", 30_000)
        .into_iter()
        .enumerate()
        .map(|(number, entry)| entry.until(seconds(end(number))))
        .collect();
    add(&store, &entries).await;
    let mut reader = Reader::default();
    let mut round = 0;
    while reader.read_page(&store).await.unwrap() {
        if round == 10 {
            break;
        }
        round += 1;
        // Deletes entries that were read, and gives a later end to the last one of the page, whose group was
        // read in part, and to one that was not read.
        let last = reader.last.clone().unwrap();
        while RevocationStore::delete_expired(&other, last.until.unwrap()).await.unwrap() > 0 {}
        let prolonged = last.until(seconds(9_000));
        let unread = token(&format!("page-{}", 29_000 - round)).until(seconds(9_000));
        other.add(&[prolonged, unread, token(&format!("new-{round}"))]).await.unwrap();
    }
    reader.catch_up(&store).await.unwrap();
    assert!(reader.has_all(&entries));
    assert!(reader.has_all(&(1..=round).map(|it| token(&format!("new-{it}"))).collect::<Vec<_>>()));
}

/// A copy of the entries that lacks one would be a token that is accepted again.
#[tokio::test]
async fn a_read_from_the_start_agrees_with_find() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let added: Vec<_> = tokens("both", 12_000)
        .into_iter()
        .enumerate()
        .map(
            |(number, entry)| {
                if number % 3 == 0 { entry } else { entry.until(seconds(4_000_000_000)) }
            },
        )
        .collect();
    add(&store, &added).await;
    let reader = read_all(&store).await;
    assert_eq!(reader.entries.len(), added.len());
    let found = store.find(&added).await.unwrap();
    assert_eq!(found, added);
    assert!(found.iter().all(|it| reader.entries.get(&it.revoked) == Some(&it.until)));
}

#[tokio::test]
async fn an_entry_without_end_is_never_deleted() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    store.add(&[token("forever"), token("ends").until(seconds(5))]).await.unwrap();
    assert_eq!(RevocationStore::delete_expired(&store, seconds(i64::MAX)).await.unwrap(), 1);
    let found = store.find(&[token("forever"), token("ends")]).await.unwrap();
    assert_eq!(found, [token("forever")]);
    // Without expiry of Redis, whose clock may be wrong.
    assert_eq!(server.run::<i64>("TTL {portcullis}:set").await, -1);
}

#[tokio::test]
async fn a_clean_up_deletes_at_most_a_thousand_and_returns_how_many() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    let expired: Vec<_> =
        tokens("expired", 2_500).into_iter().map(|entry| entry.until(seconds(5))).collect();
    store.add(&expired).await.unwrap();
    for deleted in [1_000, 1_000, 500, 0] {
        let result = RevocationStore::delete_expired(&store, seconds(6)).await.unwrap();
        assert_eq!(result, deleted);
    }
    assert!(read_all(&store).await.entries.is_empty());
    for number in 0..1_001 {
        let jti = number.to_string();
        assert_eq!(store.consume(ISSUER, &jti, seconds(5)).await.unwrap(), Use::First);
    }
    for deleted in [1_000, 1, 0] {
        let result = ReplayStore::delete_expired(&store, seconds(6)).await.unwrap();
        assert_eq!(result, deleted);
    }
}

#[tokio::test]
async fn a_clean_up_shortens_the_log_but_never_to_nothing() {
    let server = start!(IN_MEMORY);
    let store = prepared(server.store()).await;
    // Items of two hours ago, as an idle server has them.
    let old = "{old}:log";
    let aged =
        portcullis_redis::RedisStore::builder(&server.url()).key_prefix("old").build().unwrap();
    let hours_ago = {
        let (now, _): (u64, u64) = server.run("TIME").await;
        now * 1_000 - 7_200_000
    };
    for number in 0..500 {
        let id = hours_ago + number;
        let _: String = server.run(&format!("XADD {old} {id} start old")).await;
    }
    let _: u64 = server.run("HSET {old}:set #schema 1 #epoch old").await;
    let aged = prepared(aged).await;
    let mut reader = read_all(&aged).await;
    RevocationStore::delete_expired(&aged, seconds(1)).await.unwrap();
    assert!(server.run::<u64>(&format!("XLEN {old}")).await <= 101);
    // The newest item is kept, however old it is.
    reader.catch_up(&aged).await.unwrap();
    // Young items are kept.
    store.add(&tokens("young", 300)).await.unwrap();
    RevocationStore::delete_expired(&store, seconds(1)).await.unwrap();
    assert_eq!(server.run::<u64>("XLEN {portcullis}:log").await, 301);
}
