//! `keygen`: generates a key.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{Algorithm, SigningKey};
use serde_json::json;

use crate::{
    args::KeygenArguments,
    failure::{Failure, Finding},
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
    write_new(out, &private, OWNER_ALONE, *force)?;
    if let (Some(path), Some(public)) = (jwk, &public) {
        write_new(path, public, EVERYONE, *force)?;
    }
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

fn exists(path: &Path) -> Failure {
    Failure::about(path, "the file exists; --force overwrites it")
}

/// Who may read a file.
const OWNER_ALONE: u32 = 0o600;
const EVERYONE: u32 = 0o644;

/// Writes a file as a whole or not at all.
fn write_new(path: &Path, text: &str, mode: u32, force: bool) -> Result<(), Failure> {
    let about = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::about(path, error),
    };
    if !force {
        let mut file = create(path, mode).map_err(about)?;
        return file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(about);
    }
    // Beside it, and then in its place: an old file may be readable by others, or a link.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside: PathBuf = path.with_file_name(name);
    let written = create(&beside, mode)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.map_err(about)
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}
