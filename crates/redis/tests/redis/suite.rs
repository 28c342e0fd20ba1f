//! The suite that every store must pass.

use portcullis::revocation::{ReplayStore, RevocationStore, Use};
use portcullis_testkit::store_suite;

use crate::{ISSUER, prepared, read_all, seconds, server::IN_MEMORY, start, tokens};

#[tokio::test]
async fn passes_the_suite_for_revocations() {
    let server = start!(IN_MEMORY);
    store_suite::revocations(async || server.store()).await;
}

#[tokio::test]
async fn passes_the_suite_for_used_tokens() {
    let server = start!(IN_MEMORY);
    store_suite::replays(async || server.store()).await;
}

/// A cluster rejects a command whose keys are not all in one slot.
#[tokio::test]
async fn works_on_a_cluster_of_one_node() {
    let server = start!(&["--save", "", "--cluster-enabled", "yes"]);
    let _: () = server.run("CLUSTER ADDSLOTSRANGE 0 16383").await;
    crate::server::until("the cluster has all slots", async || {
        server.run::<String>("CLUSTER INFO").await.contains("cluster_state:ok")
    })
    .await;
    let store = prepared(server.store()).await;
    let added = tokens("cluster", 10);
    store.add(&added).await.unwrap();
    assert!(read_all(&store).await.has_all(&added));
    assert_eq!(store.find(&added).await.unwrap().len(), 10);
    assert_eq!(store.consume(ISSUER, "once", seconds(i64::MAX)).await.unwrap(), Use::First);
    assert_eq!(RevocationStore::delete_expired(&store, seconds(1)).await.unwrap(), 0);
    assert_eq!(ReplayStore::delete_expired(&store, seconds(1)).await.unwrap(), 0);
}
