//! Tasks, and what operators see of them.

use std::time::Duration;

use portcullis::{Algorithm, Issuer, ReloadableAuthenticator, keys::RefreshPolicy};
use tokio::runtime::{Builder, Runtime};

use super::support::{
    Answer, Control, World, chain, clock, engine, issuer, key, now, patient_verdict, settle, soon,
    token, verdict,
};

#[tokio::test]
async fn rule_21_the_refresh_task_survives_errors_and_panics() {
    let world = World::ready().await;
    world.source.answer(Answer::Panic);
    world.advance(505).await;
    let error = world.auth.key_status()[0].last_error.clone().unwrap();
    assert!(error.contains("panicked"), "{error}");
    world.source.answer(Answer::Error);
    world.advance(2).await;
    assert_eq!(world.auth.key_status()[0].failures, 2);
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    world.advance(3).await;
    assert_eq!((world.verdict(), world.auth.key_status()[0].failures), ("accepted", 0));
}

#[tokio::test]
async fn rule_21_a_fetch_that_never_answers_ends_after_30_seconds() {
    let world = World::ready().await;
    world.source.answer(Answer::Never);
    world.advance(505).await;
    assert_eq!(world.source.running(), 1);
    world.publish();
    world.advance(30).await;
    assert_eq!(world.source.running(), 0);
    let error = world.auth.key_status()[0].last_error.clone().unwrap();
    assert!(error.contains("no answer"), "{error}");
    world.advance(2).await;
    assert_eq!(world.auth.key_status()[0].failures, 0);
}

#[tokio::test]
async fn rule_21_tasks_and_fetches_end_with_the_last_handle() {
    let world = World::ready().await;
    world.source.hold();
    world.advance(505).await;
    assert_eq!(world.source.running(), 1);
    let World { auth, source, .. } = world;
    let clone = auth.clone();
    drop(auth);
    settle().await;
    assert_eq!(source.running(), 1);
    drop(clone);
    settle().await;
    assert_eq!(source.running(), 0);
    assert!(!source.is_held_elsewhere());
}

#[tokio::test]
async fn rule_21_shutdown_waits_until_tasks_and_fetches_are_over() {
    let world = World::ready().await;
    world.source.hold();
    world.advance(505).await;
    assert_eq!(world.source.running(), 1);
    soon(world.auth.shutdown()).await;
    assert_eq!(world.source.running(), 0);
    assert_eq!(world.verdict(), "accepted");
    world.source.release();
    world.advance(5000).await;
    assert_eq!(world.source.hits(), 2);
    soon(world.auth.shutdown()).await;
}

#[tokio::test]
async fn keys_are_there_soon_after_a_start_that_waits_for_none() {
    let world = World::new();
    settle().await;
    assert_eq!(world.source.hits(), 0);
    world.auth.start();
    assert_eq!(world.source.hits(), 0);
    settle().await;
    assert_eq!((world.source.hits(), world.auth.health().is_ok()), (1, true));
    world.auth.start();
    settle().await;
    assert_eq!(world.source.hits(), 1);
}

#[test]
fn a_start_outside_of_a_runtime_does_nothing() {
    let world = World::new();
    world.auth.start();
    assert!(world.auth.health().is_err());
}

#[tokio::test]
async fn after_a_shutdown_nobody_waits_for_keys() {
    let world = World::ready().await;
    world.source.hold();
    world.issuer.rotate(Algorithm::ES256);
    let waiting = tokio::spawn(patient_verdict(world.auth.clone(), world.token()));
    settle().await;
    soon(world.auth.shutdown()).await;
    // Nobody has looked the key up, and nobody will.
    assert_eq!(soon(waiting).await.unwrap(), "keys_unavailable");
    let waiting = patient_verdict(world.auth.clone(), world.token());
    assert_eq!(soon(waiting).await, "keys_unavailable");

    let never_started = World::new();
    soon(never_started.auth.shutdown()).await;
    soon(never_started.auth.ready()).await.unwrap_err();
    assert_eq!(never_started.source.hits(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_tasks_that_start_at_the_same_moment() {
    for _ in 0..200 {
        let world = World::new();
        let (auth, token) = (world.auth.clone(), world.token());
        let starter = tokio::spawn(async move { verdict(&auth, &token) });
        soon(world.auth.shutdown()).await;
        starter.await.unwrap();
        assert_eq!(world.source.running(), 0);
    }
}

#[test]
fn without_a_runtime_ready_says_what_is_missing_and_a_later_one_serves() {
    let world = World::new();
    assert_eq!(world.verdict(), "keys_unavailable");
    let waker = std::task::Waker::noop();
    let mut ready = Box::pin(world.auth.ready());
    let std::task::Poll::Ready(result) =
        ready.as_mut().poll(&mut std::task::Context::from_waker(waker))
    else {
        panic!("it waits for tasks that nobody runs")
    };
    assert!(chain(&result.unwrap_err()).contains("tokio runtime"));
    drop(ready);
    runtime().block_on(async {
        soon(world.auth.ready()).await.unwrap();
        assert_eq!(world.verdict(), "accepted");
    });
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn rule_21_tasks_whose_runtime_is_gone_start_again_in_the_next_one() {
    let world = World::new();
    runtime().block_on(async { soon(world.auth.ready()).await.unwrap() });
    for _ in 0..3 {
        let hits = world.source.hits();
        runtime().block_on(async {
            // Here it is a request that finds out.
            assert_eq!(world.verdict(), "accepted");
            world.advance(505).await;
            assert_eq!(world.source.hits(), hits + 1);
            world.issuer.rotate(Algorithm::ES256);
            world.publish();
            let waiting = patient_verdict(world.auth.clone(), world.token());
            assert_eq!(soon(waiting).await, "accepted");
            // And one that waited is served even where the next runtime must first notice.
            world.source.hold();
            world.advance(505).await;
            assert_eq!(world.source.running(), 1);
        });
        assert_eq!(world.source.running(), 0);
        world.source.release();
    }
    let World { auth, source, .. } = world;
    runtime().block_on(async {
        soon(auth.shutdown()).await;
        drop(auth);
        settle().await;
    });
    assert!(!source.is_held_elsewhere());
}

#[test]
fn rule_21_a_fetch_that_ended_with_its_runtime_is_made_up_for_at_once() {
    let world = World::new();
    runtime().block_on(async { soon(world.auth.ready()).await.unwrap() });
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    world.source.hold();
    runtime().block_on(async {
        assert_eq!(world.verdict(), "keys_unavailable");
        settle().await;
        assert_eq!((world.source.hits(), world.source.running()), (2, 1));
    });
    world.source.release();
    runtime().block_on(async {
        let waiting = patient_verdict(world.auth.clone(), world.token());
        assert_eq!(soon(waiting).await, "accepted");
    });
}

#[test]
fn rule_21_who_waits_elsewhere_when_a_runtime_ends_is_served() {
    for ready in [true, false] {
        let world = World::new();
        let other = runtime();
        if ready {
            runtime().block_on(async { soon(world.auth.ready()).await.unwrap() });
            world.issuer.rotate(Algorithm::ES256);
            world.publish();
        }
        world.source.hold();
        other.block_on(async {
            assert_eq!(world.verdict(), "keys_unavailable");
            settle().await;
            assert_eq!(world.source.running(), 1);
        });
        runtime().block_on(async {
            let auth = world.auth.clone();
            let token = world.token();
            let waiting = tokio::spawn(async move {
                if !ready {
                    auth.ready().await.unwrap();
                }
                patient_verdict(auth, token).await
            });
            settle().await;
            assert!(!waiting.is_finished());
            world.source.release();
            // From a thread of its own, because a runtime must not end inside of another.
            std::thread::scope(|scope| scope.spawn(|| drop(other)).join().unwrap());
            assert_eq!(soon(waiting).await.unwrap(), "accepted");
        });
    }
}

#[test]
fn after_a_shutdown_nothing_starts_in_another_runtime() {
    let world = World::new();
    let first = runtime();
    first.block_on(async { soon(world.auth.ready()).await.unwrap() });
    // Told to stop, but its runtime ends before it can.
    let mut shutdown = Box::pin(world.auth.shutdown());
    let waker = std::task::Waker::noop();
    let polled = shutdown.as_mut().poll(&mut std::task::Context::from_waker(waker));
    assert!(polled.is_pending());
    drop(first);
    runtime().block_on(async {
        soon(shutdown).await;
        assert_eq!(world.verdict(), "accepted");
        world.advance(505).await;
        soon(world.auth.shutdown()).await;
    });
    assert_eq!(world.source.hits(), 1);
}

#[tokio::test]
async fn rule_21_every_shutdown_waits_until_the_tasks_are_over() {
    let world = World::ready().await;
    world.source.hold();
    world.advance(505).await;
    assert_eq!(world.source.running(), 1);
    let (first, second) = (world.auth.clone(), world.auth.clone());
    let mut first = Box::pin(first.shutdown());
    let waker = std::task::Waker::noop();
    let polled = first.as_mut().poll(&mut std::task::Context::from_waker(waker));
    assert!(polled.is_pending());
    soon(second.shutdown()).await;
    assert_eq!(world.source.running(), 0);
    soon(first).await;
}

#[tokio::test]
async fn rule_24_the_status_tells_all_without_a_request() {
    let world = World::new();
    let status = &world.auth.key_status()[0];
    assert!(!status.usable && status.last_success.is_none() && status.keys.is_empty());
    world.auth.health().unwrap_err();

    world.auth.ready().await.unwrap();
    let start = now(&world.clock);
    world.auth.health().unwrap();
    let status = &world.auth.key_status()[0];
    assert_eq!(
        (status.issuer.as_str(), status.source.as_str()),
        ("https://idp.test", "the source")
    );
    assert_eq!((status.usable, status.failures), (true, 0));
    assert_eq!((status.last_success, &status.last_error), (Some(start), &None));
    assert!((456..=504).contains(&status.next_due.saturating_since(start).as_secs()));
    let key = &status.keys[0];
    assert_eq!(key.key_id.as_deref(), Some("es256"));
    assert_eq!(key.key_type, Some("EC"));
    assert_eq!(key.algorithms, [Algorithm::ES256]);
    assert_eq!(key.thumbprint.as_ref().map(String::len), Some(43));
    assert!(status.json.as_ref().unwrap().contains("es256"));

    world.source.answer(Answer::Error);
    world.advance(505).await;
    let status = &world.auth.key_status()[0];
    assert_eq!((status.usable, status.failures, status.keys.len()), (true, 1, 1));
    assert_eq!(status.last_success, Some(start));
    assert!(status.last_error.as_ref().unwrap().contains("the script says no"));
}

#[tokio::test]
async fn rule_24_a_change_is_told_to_whoever_listens_until_the_engine_is_gone() {
    let world = World::ready().await;
    let mut changes = world.auth.key_changes();
    let listener = tokio::spawn(async move {
        let mut count = 0;
        while changes.changed().await {
            count += 1;
        }
        count
    });
    settle().await;
    for _ in 0..3 {
        world.advance(505).await;
    }
    assert!(!listener.is_finished());
    drop(world);
    assert_eq!(soon(listener).await.unwrap(), 3);
}

#[tokio::test]
async fn rule_24_health_names_the_first_issuer_without_keys() {
    let clock = clock();
    let issuer = issuer(&clock);
    let (good, bad) = (
        Control::new("good", RefreshPolicy::default()),
        Control::new("bad", RefreshPolicy::default()),
    );
    good.serve(&[key(&issuer)]);
    let auth = engine(
        &clock,
        [
            Issuer::new(issuer.name()).key_source(good.source()),
            Issuer::new("https://other.test").key_source(bad.source()),
        ],
    );
    assert_eq!(auth.ready().await.unwrap_err().issuer(), Some("https://other.test"));
    assert_eq!(auth.health().unwrap_err().issuer(), Some("https://other.test"));
    assert_eq!(verdict(&auth, &token(&issuer)), "accepted");
    bad.serve(&[key(&issuer)]);
    clock.advance(Duration::from_secs(2));
    settle().await;
    auth.health().unwrap();
}

#[tokio::test]
async fn a_key_that_is_withdrawn_while_a_new_engine_is_waited_for_does_not_come_back() {
    let (clock, policy) = (clock(), RefreshPolicy::every(Duration::from_secs(5)));
    let (issuer, label) = (issuer(&clock), "the source");
    let old = Control::new(label, policy);
    old.serve(&[key(&issuer)]);
    let trusted = |source: &Control| Issuer::new(issuer.name()).key_source(source.source());
    let reloadable = ReloadableAuthenticator::new(engine(&clock, [trusted(&old)]));
    let auth = reloadable.authenticator();
    auth.ready().await.unwrap();
    let withdrawn = token(&issuer);
    assert_eq!(verdict(&auth, &withdrawn), "accepted");
    // The new engine cannot reach the source, and waits for that of another issuer.
    let (new, slow) = (
        Control::new(label, RefreshPolicy::default()),
        Control::new("slow", RefreshPolicy::default()),
    );
    slow.answer(Answer::Never);
    let other = Issuer::new("https://other.test").key_source(slow.source());
    let replacing = reloadable.replace(engine(&clock, [trusted(&new), other]));
    let meanwhile = async {
        settle().await;
        assert_eq!(slow.running(), 1);
        issuer.rotate(Algorithm::ES256);
        old.serve(&[key(&issuer)]);
        let hits = old.hits();
        clock.advance(Duration::from_secs(5));
        settle().await;
        assert!(old.hits() > hits && verdict(&auth, &withdrawn) != "accepted");
        clock.advance(Duration::from_secs(6));
    };
    let (replaced, ()) = tokio::join!(replacing, meanwhile);
    replaced.unwrap();
    assert_eq!(auth.key_status().len(), 2, "it is the new engine");
    assert_ne!(verdict(&auth, &withdrawn), "accepted");
    assert_eq!(verdict(&auth, &token(&issuer)), "accepted");
}
