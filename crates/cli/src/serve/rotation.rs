//! Keys in turn.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use portcullis::keys::SigningKey;
use serde_json::{Value, json};

use crate::failure::warn;

/// How long a set that does not change may be kept.
const LIFETIME: Duration = Duration::from_secs(300);

/// The keys that are published.
///
/// Without rotation: all. With it: the current one and the one before it, so that tokens of the old key
/// stay good for one more turn. Given keys take turns; a single one is followed by new ones of its
/// algorithm.
pub(super) struct Rotation {
    every: Option<Duration>,
    given: Vec<SigningKey>,
    turn: Mutex<Turn>,
}

struct Turn {
    /// The position of the current key among those given.
    position: usize,
    published: Vec<SigningKey>,
}

impl Rotation {
    pub(super) fn new(given: Vec<SigningKey>, every: Option<Duration>) -> Self {
        let every = every.filter(|every| !every.is_zero());
        let published = match every {
            None => given.clone(),
            Some(_) => given.iter().take(1).cloned().collect(),
        };
        Self { every, given, turn: Mutex::new(Turn { position: 0, published }) }
    }

    pub(super) fn every(&self) -> Option<Duration> {
        self.every
    }

    pub(super) fn lifetime(&self) -> Duration {
        self.every.unwrap_or(LIFETIME).min(LIFETIME)
    }

    /// Returns the JWK Set.
    pub(super) fn document(&self) -> String {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let jwks = turn.published.iter().filter_map(SigningKey::public_jwk);
        let jwks: Vec<Value> = jwks.filter_map(|jwk| serde_json::from_str(&jwk).ok()).collect();
        json!({"keys": jwks}).to_string()
    }

    pub(super) fn algorithms(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.given.iter().map(|key| key.algorithm().name()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Goes on to the next key.
    pub(super) fn go_on(&self) {
        let generated = match self.given.as_slice() {
            [only] => match SigningKey::generate(only.algorithm()) {
                Ok(key) => Some(key),
                Err(error) => return warn(&format!("no new key: {error}")),
            },
            _ => None,
        };
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        turn.position = (turn.position + 1) % self.given.len().max(1);
        let Some(next) = generated.or_else(|| self.given.get(turn.position).cloned()) else {
            return;
        };
        let before = turn.published.first().cloned();
        turn.published = [Some(next), before].into_iter().flatten().collect();
    }
}

#[cfg(test)]
mod tests {
    use portcullis::Algorithm;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::generate(Algorithm::EdDSA).unwrap()
    }

    fn published(rotation: &Rotation) -> Vec<String> {
        let document: Value = serde_json::from_str(&rotation.document()).unwrap();
        let keys = document["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    fn ids(keys: &[&SigningKey]) -> Vec<String> {
        keys.iter().map(|key| key.key_id().unwrap().to_owned()).collect()
    }

    #[test]
    fn without_rotation_all_keys_are_published() {
        let (a, b) = (key(), key());
        let rotation = Rotation::new(vec![a.clone(), b.clone()], None);
        assert_eq!(published(&rotation), ids(&[&a, &b]));
        assert_eq!(rotation.lifetime(), LIFETIME);
        let never = Rotation::new(vec![a.clone(), b.clone()], Some(Duration::ZERO));
        assert_eq!(published(&never), ids(&[&a, &b]));
    }

    #[test]
    fn given_keys_take_turns_and_the_last_one_stays_for_one_more() {
        let (a, b, c) = (key(), key(), key());
        let given = vec![a.clone(), b.clone(), c.clone()];
        let rotation = Rotation::new(given, Some(Duration::from_secs(5)));
        assert_eq!(published(&rotation), ids(&[&a]));
        for expected in [[&b, &a], [&c, &b], [&a, &c]] {
            rotation.go_on();
            assert_eq!(published(&rotation), ids(&expected));
        }
        assert_eq!(rotation.lifetime(), Duration::from_secs(5));
    }

    #[test]
    fn a_single_key_is_followed_by_new_ones() {
        let a = key();
        let rotation = Rotation::new(vec![a.clone()], Some(Duration::from_secs(5)));
        rotation.go_on();
        let first = published(&rotation);
        assert_eq!(first[1], ids(&[&a])[0]);
        rotation.go_on();
        let second = published(&rotation);
        assert_eq!(second[1], first[0]);
        assert!(!second.contains(&first[1]));
        assert_eq!(rotation.algorithms(), ["EdDSA"]);
    }
}
