//! Keys that sign, from files.

use std::{fs, path::Path};

use portcullis::{Algorithm, keys::SigningKey};

use crate::{
    failure::{Failure, with_causes},
    input,
};

/// Reads a private key in PEM, or a secret.
pub(crate) fn read(path: &Path, algorithm: Option<Algorithm>) -> Result<SigningKey, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::about(path, error))?;
    let about = |error| Failure::about(path, with_causes(&error));
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains("-----BEGIN ") => {
            let key = SigningKey::from_pem(text).map_err(about)?;
            match algorithm {
                None => Ok(key),
                Some(algorithm) => key.for_algorithm(algorithm).map_err(about),
            }
        }
        _ => {
            let secret = input::secret(path)?;
            let algorithm = algorithm.unwrap_or_else(|| algorithm_of(&secret));
            if !algorithm.is_symmetric() {
                let message = format!("it holds no private key in PEM, which {algorithm} needs");
                return Err(Failure::about(path, message));
            }
            SigningKey::from_secret(secret, algorithm).map_err(about)
        }
    }
}

/// A secret does not say what it is for; those that `keygen` writes can be told by their length.
fn algorithm_of(secret: &[u8]) -> Algorithm {
    match secret.len() {
        64 => Algorithm::HS384,
        86 => Algorithm::HS512,
        _ => Algorithm::HS256,
    }
}
