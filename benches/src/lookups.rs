//! Reaching the key set and finding a key in it, without the rest of a request.

use std::hint::black_box;

use portcullis::{
    Algorithm, Authenticator, Issuer, VerificationKey,
    future::BoxFuture,
    keys::{KeyDocument, KeySource, KeySourceError, Loaded, Validators},
};
use portcullis_testkit::SigningKey;

use crate::Case;

const ISSUER: &str = "https://idp.example.com";

/// How many keys there are.
pub const KEY_COUNTS: [u32; 4] = [1, 10, 100, 1000];

/// How many keys one run of a case looks up, so that the loop around it does not count.
pub const LOOKUPS: u32 = 64;

/// Sets one case up for each number of keys. They come from a source, as those of a URL do.
///
/// # Panics
///
/// Panics if the keys cannot be made, or are not found.
#[must_use]
pub fn lookup_cases() -> Vec<Case> {
    let key = SigningKey::generate(Algorithm::EdDSA, "any").verification_key().expect("a key");
    KEY_COUNTS
        .into_iter()
        .map(|count| {
            let ids: Vec<String> = (0..count).map(key_id).collect();
            let keys = ids.iter().map(|id| key.clone().key_id(id).expect("an id")).collect();
            let auth = engine(Keys(keys));
            let find = auth.key_finder(ISSUER).expect("the issuer");
            let ids: Vec<String> = ids.into_iter().cycle().take(1024).collect();
            let run = move || {
                for id in ids.iter().step_by(16) {
                    assert!(black_box(find(black_box(id), Algorithm::EdDSA)));
                }
            };
            Case::new(format!("{count} keys"), move || Box::new(run))
        })
        .collect()
}

/// Ids as issuers make them: of one length, and unlike each other.
fn key_id(number: u32) -> String {
    let mixed = u64::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016x}-4f7a-9c21-{number:08x}")
}

fn engine(keys: Keys) -> Authenticator {
    let auth = Authenticator::builder()
        .issuer(Issuer::new(ISSUER).key_source(keys))
        .audience("https://api.example.com")
        .build()
        .expect("an engine");
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(auth.ready()).expect("keys");
    auth
}

#[derive(Debug)]
struct Keys(Vec<VerificationKey>);

impl KeySource for Keys {
    fn label(&self) -> &str {
        "keys"
    }

    fn load<'a>(
        &'a self,
        _: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(async { Ok(Loaded::Document(KeyDocument::new(self.0.iter().cloned()))) })
    }
}
