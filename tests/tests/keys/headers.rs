//! Headers that fetches send, and those of answers that decide when the next fetch comes.

use std::time::Duration;

use portcullis::{Algorithm, Issuer};
use portcullis_testkit::{KeyServer, Reply};

use super::{
    support::{clock, engine, key, now, patient_verdict, set, soon, token},
    wire::{PATH, Wire},
};

const OPENID: &str = "/.well-known/openid-configuration";

/// How long until the next fetch is due.
fn due_in(wire: &Wire) -> Duration {
    wire.auth.key_status()[0].next_due.saturating_since(now(&wire.clock))
}

/// Returns when the next fetch is due after a refresh that gets this answer.
async fn due_after(reply: Reply) -> Duration {
    let wire = Wire::new(|source| source);
    soon(wire.auth.ready()).await.unwrap();
    wire.server.reply(PATH, reply);
    wire.refresh(505).await;
    due_in(&wire)
}

#[tokio::test]
async fn rule_28_fetches_of_metadata_and_keys_send_a_user_agent() {
    let server = KeyServer::start();
    let issuer = server.issuer();
    let auth = engine(&clock(), [Issuer::discover(issuer.name())]);
    soon(auth.ready()).await.unwrap();
    for path in [OPENID, PATH] {
        let requests = server.requests(path);
        let sent = requests[0].header("user-agent").unwrap_or_default();
        assert!(sent.starts_with("portcullis/"), "{path}: {sent:?}");
    }
}

#[tokio::test]
async fn rule_29_a_server_that_names_a_time_is_not_asked_before() {
    for status in [429, 503] {
        let wire = Wire::new(|source| source);
        soon(wire.auth.ready()).await.unwrap();
        let limited = Reply::empty().status(status).header("retry-after", "30");
        wire.server.reply(PATH, limited);
        wire.refresh(505).await;
        assert!((30..=32).contains(&due_in(&wire).as_secs()), "{:?}", due_in(&wire));

        // Tokens of a new key start no fetch either.
        let old = token(&wire.issuer);
        wire.issuer.rotate(Algorithm::ES256);
        for _ in 0..5 {
            let verdict = patient_verdict(wire.auth.clone(), token(&wire.issuer)).await;
            assert_eq!(verdict, "keys_unavailable");
            wire.clock.advance(Duration::from_secs(5));
            assert_eq!(patient_verdict(wire.auth.clone(), old.clone()).await, "accepted");
        }
        assert_eq!(wire.server.hits(PATH), 2);

        wire.server.reply(PATH, Reply::json(set(&[key(&wire.issuer)])));
        wire.refresh(7).await;
        assert_eq!(patient_verdict(wire.auth.clone(), token(&wire.issuer)).await, "accepted");
        assert_eq!(wire.server.hits(PATH), 3);
    }
}

#[tokio::test]
async fn rule_29_a_time_that_the_server_names_is_at_least_a_second_and_at_most_10_minutes() {
    // A refresh comes 505 seconds after 2027-01-15 08:00:00.
    for (value, from, to) in [
        ("0", 1_000, 1_050),
        ("5", 5_000, 5_300),
        ("00060", 60_000, 63_000),
        ("601", 600_000, 630_000),
        ("99999999999999999999999", 600_000, 630_000),
        ("Fri, 15 Jan 2027 08:09:25 GMT", 60_000, 63_000),
        ("Friday, 15-Jan-27 08:09:25 GMT", 60_000, 63_000),
        ("Fri Jan 15 08:09:25 2027", 60_000, 63_000),
        ("Fri, 15 Jan 2027 08:00:00 GMT", 1_000, 1_050),
        ("Mon, 15 Jan 2029 08:00:00 GMT", 600_000, 630_000),
        // What is neither says nothing.
        ("-1", 950, 1_050),
        ("1.5", 950, 1_050),
        ("soon", 950, 1_050),
        ("", 950, 1_050),
    ] {
        let reply = Reply::empty().status(429).header("retry-after", value);
        let due = due_after(reply).await.as_millis();
        assert!((from..=to).contains(&due), "{value}: {due}");
    }
    // It counts with these two status codes alone.
    for status in [200, 301, 404, 500] {
        let reply = Reply::empty().status(status).header("retry-after", "300");
        let due = due_after(reply).await.as_millis();
        assert!((950..=1_050).contains(&due), "{status}: {due}");
    }
}

#[tokio::test]
async fn rule_29_metadata_that_are_limited_are_asked_for_once() {
    let server = KeyServer::start();
    let issuer = server.issuer();
    server.reply(OPENID, Reply::empty().status(429).header("retry-after", "30"));
    let clock = clock();
    let auth = engine(&clock, [Issuer::discover(issuer.name())]);
    soon(auth.ready()).await.unwrap_err();
    let due = auth.key_status()[0].next_due.saturating_since(now(&clock));
    assert!((30..=32).contains(&due.as_secs()), "{due:?}");
    // Its other places are on the same server.
    assert_eq!(server.hits("/.well-known/oauth-authorization-server"), 0);
}

#[tokio::test]
async fn rule_29_a_clock_that_is_set_back_does_not_prolong_the_time() {
    let wire = Wire::new(|source| source);
    soon(wire.auth.ready()).await.unwrap();
    wire.server.reply(PATH, Reply::empty().status(429).header("retry-after", "600"));
    wire.refresh(505).await;
    wire.issuer.rotate(Algorithm::ES256);
    wire.server.reply(PATH, Reply::json(set(&[key(&wire.issuer)])));
    wire.clock.set(now(&wire.clock).saturating_sub(Duration::from_secs(3600)));
    assert_eq!(patient_verdict(wire.auth.clone(), token(&wire.issuer)).await, "accepted");
}

#[tokio::test]
async fn rule_29_the_time_that_a_document_spent_in_caches_is_part_of_its_life() {
    let keys = set(&[key(&super::support::issuer(&clock()))]);
    for (age, from, to) in [
        (Some("60"), 30_400, 33_600),
        (Some("0"), 76_000, 84_000),
        // The shortest life that a document may have.
        (Some("100"), 22_800, 25_200),
        (Some("99999999999999999999999"), 22_800, 25_200),
        (Some("-60"), 76_000, 84_000),
        (Some("a while"), 76_000, 84_000),
        (None, 76_000, 84_000),
    ] {
        let reply = Reply::json(keys.clone()).cache_control("max-age=100");
        let reply = match age {
            Some(age) => reply.header("age", age),
            None => reply,
        };
        let due = due_after(reply.clone()).await.as_millis();
        assert!((from..=to).contains(&due), "{age:?}: {due}");
    }
    // Without `max-age` there is nothing that it could be part of.
    let due = due_after(Reply::json(keys).header("age", "500")).await.as_millis();
    assert!((456_000..=504_000).contains(&due), "{due}");
}
