//! What signs and what verifies (§3.3).

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;
use portcullis_axum::{
    Algorithm, Issuer, VerificationKey,
    keys::{JwkSetFile, RefreshPolicy, RemoteJwkSet, SigningKey},
};
use serde_json::{Value, json};
use std::time::Duration;

use crate::Variables;

const SECRET: &str = "AIRFLOW__API_AUTH__JWT_SECRET";
const PRIVATE_KEY: &str = "AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH";
const JWK_SET: &str = "AIRFLOW__API_AUTH__TRUSTED_JWKS_URL";
const ALGORITHM: &str = "AIRFLOW__API_AUTH__JWT_ALGORITHM";

/// How often a JWK Set is fetched.
const REFRESH: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) signing: SigningKey,
    /// Empty: what the keys allow.
    algorithms: Vec<Algorithm>,
    jwk_set: Option<String>,
}

impl Keys {
    pub(crate) fn new(variables: &Variables) -> Result<Self, String> {
        let algorithms = algorithms(variables)?;
        let key_id = variables.text("AIRFLOW__API_AUTH__JWT_KID");
        let jwk_set = variables.text(JWK_SET).map(ToOwned::to_owned);
        let signing = match (variables.text(SECRET), variables.text(PRIVATE_KEY)) {
            (None, None) => return Err(format!("set {SECRET} (jwt_secret) or {PRIVATE_KEY}")),
            (Some(_), Some(_)) => return Err(format!("set {SECRET} or {PRIVATE_KEY}, not both")),
            (Some(_), None) if jwk_set.is_some() => {
                return Err(format!("{JWK_SET} needs {PRIVATE_KEY}, and no {SECRET}"));
            }
            (Some(secret), None) => {
                let algorithm = algorithms.first().copied().unwrap_or(Algorithm::HS512);
                let key = SigningKey::dangerous_from_short_secret(secret, algorithm);
                let key = key.map_err(|error| format!("{SECRET}: {error}"))?;
                key.with_key_id(key_id.unwrap_or("not-used"))
            }
            (None, Some(path)) => {
                let key = SigningKey::from_pem_file(path);
                let key = key.map_err(|error| format!("{PRIVATE_KEY}: {error}"))?;
                let thumbprint = key_id.map_or_else(|| thumbprint(&key), |id| Some(id.to_owned()));
                let unknown = || format!("{PRIVATE_KEY}: the key is neither RSA nor Ed25519");
                let key = key.with_key_id(&thumbprint.ok_or_else(unknown)?);
                with_algorithm(key, algorithms.first().copied())?
            }
        };
        Ok(Self { signing, algorithms, jwk_set })
    }

    /// Whether the secret is shorter than the hash of its algorithm.
    pub(crate) fn is_short_secret(&self) -> bool {
        self.signing.verification_key().is_ok_and(|key| key.is_short())
    }

    /// Adds the keys that verify.
    pub(crate) fn verify(&self, issuer: Issuer) -> Result<Issuer, String> {
        if let Some(place) = &self.jwk_set {
            let policy = RefreshPolicy::every(REFRESH);
            let issuer = issuer.match_key_ids();
            let issuer = if place.starts_with("http") {
                issuer.key_source(RemoteJwkSet::new(place).refresh_policy(policy))
            } else {
                let file =
                    JwkSetFile::read(place).map_err(|error| format!("{JWK_SET}: {error}"))?;
                issuer.key_source(file)
            };
            let listed = self.algorithms.iter().copied();
            return Ok(if self.algorithms.is_empty() { issuer } else { issuer.algorithms(listed) });
        }
        let algorithm = [self.signing.algorithm()];
        let used = if self.algorithms.is_empty() { &algorithm[..] } else { &self.algorithms };
        used.iter().try_fold(issuer, |issuer, algorithm| match self.signing.secret() {
            // Without a key id: Airflow does not look at `kid` then.
            Some(secret) => VerificationKey::dangerous_from_short_secret(secret, *algorithm)
                .map(|key| issuer.key(key))
                .map_err(|error| format!("{ALGORITHM}: {error}")),
            None => with_algorithm(self.signing.clone(), Some(*algorithm))?
                .verification_key()
                .map(|key| issuer.match_key_ids().key(key))
                .map_err(|error| format!("{PRIVATE_KEY}: {error}")),
        })
    }
}

fn algorithms(variables: &Variables) -> Result<Vec<Algorithm>, String> {
    let names = variables.list(ALGORITHM);
    if names == ["GUESS"] {
        return Ok(Vec::new());
    }
    let algorithms = names.iter().map(|name| name.parse());
    algorithms.collect::<Result<_, _>>().map_err(|_| format!("{ALGORITHM}: unknown algorithm"))
}

fn with_algorithm(key: SigningKey, algorithm: Option<Algorithm>) -> Result<SigningKey, String> {
    let Some(algorithm) = algorithm else { return Ok(key) };
    key.for_algorithm(algorithm).map_err(|error| format!("{ALGORITHM}: {error}"))
}

/// The key id that Airflow computes. For RSA it is not that of RFC 7638, which has no `key_ops`.
fn thumbprint(key: &SigningKey) -> Option<String> {
    let jwk: Value = serde_json::from_str(&key.public_jwk()?).ok()?;
    let [kty, crv, x, e, n] = ["kty", "crv", "x", "e", "n"].map(|name| jwk.get(name));
    let members = match kty?.as_str()? {
        "RSA" => json!({"kty": kty, "key_ops": ["verify"], "n": n, "e": e}),
        "OKP" => json!({"kty": kty, "crv": crv, "x": x}),
        _ => return None,
    };
    Some(URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, members.to_string().as_bytes())))
}
