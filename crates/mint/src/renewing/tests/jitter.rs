//! Chance in the times of renewals.

use super::*;
use crate::renewing::jitter::{MAX_DRAW, draw};

/// Returns the first second of the life of a token in which it is renewed.
async fn renewed_at(draw: fn() -> u32, lifetime: u64, margin: u64) -> i64 {
    let (source, clock) = (Scripted::new([]), Moved::new());
    let token = RenewingToken::from_source(source.clone())
        .clock(clock.clone())
        .draw(draw)
        .lifetime(Duration::from_secs(lifetime))
        .margin(Duration::from_secs(margin))
        .build()
        .unwrap();
    token.token().await.unwrap();
    let mut second = 0;
    loop {
        clock.set(second * 1_000);
        token.current().unwrap();
        settle().await;
        if source.asked() == 2 {
            return second;
        }
        second += 1;
    }
}

#[tokio::test]
async fn a_token_is_renewed_up_to_a_tenth_of_its_life_before_the_margin() {
    for (lifetime, margin, earliest, latest) in
        [(600, 60, 480, 540), (3_600, 60, 3_180, 3_540), (100, 95, 3, 5)]
    {
        assert_eq!(renewed_at(|| MAX_DRAW, lifetime, margin).await, earliest, "{lifetime}");
        assert_eq!(renewed_at(|| 0, lifetime, margin).await, latest, "{lifetime}");
        let between = renewed_at(|| MAX_DRAW / 2, lifetime, margin).await;
        assert!(earliest < between && between < latest, "{lifetime} {between}");
    }
}

#[test]
fn draws_cover_their_range() {
    let draws: Vec<_> = (0..2_000).map(|_| draw()).collect();
    assert!(draws.iter().all(|draw| *draw <= MAX_DRAW));
    let spread = draws.iter().max().unwrap() - draws.iter().min().unwrap();
    assert!(spread > MAX_DRAW * 9 / 10, "{spread}");
}

#[tokio::test]
async fn a_pause_after_a_failure_is_prolonged_by_a_quarter_at_most() {
    let (source, clock) = (Scripted::new([Answer::Failure, Answer::Failure]), Moved::new());
    let builder = RenewingToken::from_source(source.clone()).clock(clock.clone());
    let token = builder.draw(|| MAX_DRAW).build().unwrap();
    token.token().await.unwrap_err();
    for (before, after) in [(1_249, 1_250), (3_749, 3_750)] {
        let asked = source.asked();
        clock.set(before);
        token.token().await.unwrap_err();
        assert_eq!(source.asked(), asked);
        clock.set(after);
        let _ = token.token().await;
        assert_eq!(source.asked(), asked + 1);
    }
    token.token().await.unwrap();
}
