//! `jws verify`: signatures, and nothing else.

use std::{fs, path::Path};

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{
    Algorithm, AuthError, JwkSet, VerificationKey,
    error::KeyError,
    explain::{printable, quoted},
    jose::{JwsVerifier, VerifiedPayload},
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    args::{JwsArguments, JwsKeys},
    failure::{Failure, Finding, warn, with_causes},
    input,
    output::{BAD, FAINT, Format, GOOD},
    stream::{self, Judge},
    verify::push_text,
};

/// The longest JWS: payloads may be documents.
const MAX_LEN: usize = 1024 * 1024;

pub(crate) fn run(arguments: &JwsArguments, format: Format) -> Result<Finding, Failure> {
    let keys = read_keys(&arguments.keys, &arguments.algorithms)?;
    let verifier =
        JwsVerifier::new(keys).map_err(|error| Failure::because(&error))?.max_len(MAX_LEN);
    let verifier = if arguments.algorithms.is_empty() {
        verifier
    } else {
        verifier.algorithms(arguments.algorithms.iter().copied())
    };
    stream::run(SignatureJudge { verifier, is_json: format.is_json() })
}

fn read_keys(keys: &JwsKeys, algorithms: &[Algorithm]) -> Result<Vec<VerificationKey>, Failure> {
    if let Some(path) = &keys.jwks {
        let set = JwkSet::dangerous_from_json_with_secrets(&text(path)?);
        let set = set.map_err(|error| Failure::about(path, with_causes(&error)))?;
        for skipped in set.skipped() {
            warn(&format!("{}: {skipped}", path.display()));
        }
        return Ok(set.keys().to_vec());
    }
    if let Some(path) = &keys.key {
        let text = text(path)?;
        let key = match VerificationKey::from_pem(&text) {
            // The file is the operator's own.
            Err(KeyError::PrivateKey { .. }) => VerificationKey::from_signing_key_pem(&text),
            read => read,
        };
        return Ok(vec![key.map_err(|error| Failure::about(path, with_causes(&error)))?]);
    }
    let path = keys.secret.as_deref().unwrap_or(Path::new(""));
    secret_keys(path, algorithms)
}

/// A secret may be used with each algorithm whose hash is no longer than it.
fn secret_keys(path: &Path, algorithms: &[Algorithm]) -> Result<Vec<VerificationKey>, Failure> {
    let secret = input::secret(path)?;
    let all = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    let wanted = all.into_iter().filter(|one| algorithms.is_empty() || algorithms.contains(one));
    let read: Vec<_> = wanted.map(|one| VerificationKey::from_secret(&secret, one)).collect();
    if read.is_empty() {
        return Err(Failure::mistake("--alg: a secret needs HS256, HS384 or HS512"));
    }
    let (keys, errors): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    match errors.into_iter().find_map(Result::err) {
        Some(error) if keys.is_empty() => Err(Failure::about(path, with_causes(&error))),
        _ => Ok(keys.into_iter().flatten().collect()),
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::about(path, error))
}

struct SignatureJudge {
    verifier: JwsVerifier,
    is_json: bool,
}

impl Judge for SignatureJudge {
    fn max_line(&self) -> usize {
        MAX_LEN
    }

    fn judge(&self, number: u64, line: &str, out: &mut Vec<u8>) -> Finding {
        let judged = self.verifier.verify(line).map_err(AuthError::from);
        match (&judged, self.is_json) {
            (Ok(verified), true) => push_json(out, &Verified::new(number, verified)),
            (Err(error), true) => push_json(out, &Rejected::new(number, error)),
            (Ok(verified), false) => push_text(out, &verified_text(number, verified)),
            (Err(error), false) => push_text(out, &rejected_text(number, error)),
        }
        if judged.is_ok() { Finding::AllFine } else { Finding::SomethingRejected }
    }
}

fn push_json(out: &mut Vec<u8>, result: &impl Serialize) {
    // Texts and numbers are always JSON.
    let _ = serde_json::to_writer(&mut *out, result);
    out.push(b'\n');
}

#[derive(Serialize)]
struct Verified<'a> {
    line: u64,
    result: &'static str,
    header: Box<RawValue>,
    payload: String,
    key: KeyView<'a>,
}

#[derive(Serialize)]
struct KeyView<'a> {
    kid: Option<&'a str>,
    thumbprint: Option<&'a str>,
}

impl<'a> Verified<'a> {
    fn new(line: u64, verified: &'a VerifiedPayload) -> Self {
        // Line breaks between its members would break the line.
        let header = verified.header().replace(['\n', '\r'], " ");
        let key = verified.key();
        Self {
            line,
            result: "verified",
            header: RawValue::from_string(header).unwrap_or_default(),
            payload: URL_SAFE_NO_PAD.encode_to_string(verified.payload()),
            key: KeyView { kid: key.id(), thumbprint: key.thumbprint() },
        }
    }
}

#[derive(Serialize)]
struct Rejected {
    line: u64,
    result: &'static str,
    code: &'static str,
}

impl Rejected {
    fn new(line: u64, error: &AuthError) -> Self {
        Self { line, result: "rejected", code: error.kind().code() }
    }
}

fn verified_text(number: u64, verified: &VerifiedPayload) -> String {
    let key = verified.key().id().or(verified.key().thumbprint());
    let key = key.map(|key| format!(" by key {}", quoted(key))).unwrap_or_default();
    let payload = match std::str::from_utf8(verified.payload()) {
        Ok(text) => printable(text),
        Err(_) => format!("{} bytes that are no text", verified.payload().len()),
    };
    format!("{FAINT}{number:>6}{FAINT:#}  {GOOD}verified{GOOD:#}{key}\n          {payload}\n")
}

fn rejected_text(number: u64, error: &AuthError) -> String {
    let (code, why) = (error.kind().code(), error.kind().description());
    format!("{FAINT}{number:>6}{FAINT:#}  {BAD}rejected{BAD:#}   {code}: {why}\n")
}
