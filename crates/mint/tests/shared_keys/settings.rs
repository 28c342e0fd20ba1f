//! Settings that cannot work.

use std::time::Duration;

use portcullis_jose::Algorithm;
use portcullis_mint::{KeyEncryptionKey, SharedSigningKeysBuilder, SigningKeys, SigningKeysError};
use portcullis_testkit::MemoryKeyStore;

use crate::replica::{ROTATE_EVERY, RuntimeClock, builder};

async fn error(
    change: impl FnOnce(SharedSigningKeysBuilder) -> SharedSigningKeysBuilder,
) -> SigningKeysError {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let error = change(builder(&store, clock)).start().await.unwrap_err();
    assert!(store.keys().is_empty(), "nothing is written");
    error
}

#[tokio::test]
async fn settings_that_cannot_work_are_rejected() {
    let second = Duration::from_secs(1);
    let ahead = error(|it| it.publish_ahead(4 * second)).await;
    assert!(matches!(ahead, SigningKeysError::PublishAhead { .. }), "{ahead}");
    let secret = error(|it| it.algorithm(Algorithm::HS512)).await;
    assert_eq!(secret, SigningKeysError::Secret);
    // 10 s ahead, 3 reads, 2 s for engines, and the read that makes the next key.
    let often = error(|it| it.rotate_every(16 * second - Duration::from_millis(1))).await;
    let shortest = 16 * second;
    let rotate_every = shortest - Duration::from_millis(1);
    assert_eq!(often, SigningKeysError::RotateEvery { rotate_every, shortest });
    let many = error(|it| it.max_lifetime(ROTATE_EVERY * 50)).await;
    assert_eq!(many, SigningKeysError::TooMany);
}

#[tokio::test]
async fn private_keys_are_not_kept_unencrypted_by_default() {
    let store = MemoryKeyStore::new(RuntimeClock::new());
    let started = SigningKeys::shared(store).start().await;
    assert_eq!(started.unwrap_err(), SigningKeysError::Unencrypted);
}

#[test]
fn an_encryption_key_has_32_bytes() {
    for length in [0, 16, 31, 33, 64] {
        let key = KeyEncryptionKey::from_bytes(&vec![7; length]);
        assert_eq!(key.unwrap_err(), SigningKeysError::EncryptionKey);
    }
    let text = base64_simd::STANDARD.encode_to_string([7; 32]);
    for text in [text.as_str(), text.trim_end_matches('='), &format!("{text}\n")] {
        assert!(text.parse::<KeyEncryptionKey>().is_ok());
    }
    for text in ["", "AAAA", "no base64 at all, no base64 at all, no base"] {
        assert!(text.parse::<KeyEncryptionKey>().is_err(), "{text}");
    }
}
