//! `keygen`: generates a key.

use std::fs;

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{Algorithm, keys::SigningKey};
use serde_json::json;

use crate::{
    args::KeygenArguments,
    failure::{Failure, Finding},
    new_file::{self, NewFile, exists},
    output::{self, Format},
};

pub(crate) fn run(arguments: &KeygenArguments, format: Format) -> Result<Finding, Failure> {
    let KeygenArguments { algorithm, out, jwk, force } = arguments;
    if algorithm.is_symmetric() && jwk.is_some() {
        let message = format!("--jwk: {algorithm} signs with a secret, which has no public half");
        return Err(Failure::mistake(message));
    }
    if jwk.as_ref() == Some(out) {
        return Err(Failure::mistake("--jwk: it names the same file as --out"));
    }
    for path in [Some(out), jwk.as_ref()].into_iter().flatten() {
        if !force && fs::symlink_metadata(path).is_ok() {
            return Err(exists(path));
        }
    }
    let (private, public, key_id) = generate(*algorithm)?;
    let mut files = vec![NewFile::write(out, &private, OWNER_ALONE)?];
    if let (Some(path), Some(public)) = (jwk, &public) {
        files.push(NewFile::write(path, public, EVERYONE)?);
    }
    new_file::put_all(&files, *force)?;
    if format.is_json() {
        let jwk = jwk.as_ref().map(|path| path.display().to_string());
        let out = out.display().to_string();
        output::json_line(
            &json!({"alg": algorithm.name(), "kid": key_id, "out": out, "jwk": jwk}),
        )?;
    } else {
        let key_id = key_id.map(|key_id| format!(", key id {key_id}")).unwrap_or_default();
        output::text(&format!("wrote {} ({algorithm}{key_id})\n", out.display()))?;
    }
    Ok(Finding::AllFine)
}

type Texts = (String, Option<String>, Option<String>);

/// Returns the text of the private file, that of the public one, and the key id.
fn generate(algorithm: Algorithm) -> Result<Texts, Failure> {
    let failed = |error| Failure::because(&error);
    let key = SigningKey::generate(algorithm).map_err(failed)?;
    if let Some(secret) = key.secret() {
        return Ok((format!("{}\n", URL_SAFE_NO_PAD.encode_to_string(secret)), None, None));
    }
    let private = key.to_pem().map_err(failed)?.unwrap_or_default();
    let public = key.public_jwk().map(|jwk| format!("{jwk}\n"));
    Ok((private, public, key.key_id().map(ToOwned::to_owned)))
}

/// Who may read a file.
const OWNER_ALONE: u32 = 0o600;
const EVERYONE: u32 = 0o644;
