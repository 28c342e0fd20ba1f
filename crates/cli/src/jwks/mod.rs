//! `jwks check`: what can be used of a set of keys, and what is odd about it.

mod findings;
mod source;

use portcullis::{
    JwkSet,
    error::JwkSetError,
    explain::{printable, quoted},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    args::JwksArguments,
    failure::{Failure, Finding},
    output::{self, BAD, Format, GOOD, ODD, wrapped},
};
use source::Document;

/// What is told of a set.
#[derive(Debug, Serialize)]
struct Report {
    source: String,
    keys: Vec<KeyReport>,
    findings: Vec<String>,
}

/// What is told of one key.
#[derive(Debug, Serialize)]
struct KeyReport {
    index: usize,
    kid: Option<String>,
    kty: Option<String>,
    alg: Option<String>,
    thumbprint: Option<String>,
    usable: bool,
    reason: Option<String>,
}

pub(crate) fn run(arguments: &JwksArguments, format: Format) -> Result<Finding, Failure> {
    let report = report(source::fetch(arguments)?);
    let usable = report.keys.iter().any(|key| key.usable);
    if format.is_json() {
        output::json_line(&report)?;
    } else {
        output::text(&to_text(&report))?;
    }
    Ok(if usable { Finding::AllFine } else { Finding::SomethingRejected })
}

fn report(document: Document) -> Report {
    let Document { source, text, mut findings, is_remote, cache_control } = document;
    let mut keys = Vec::new();
    if let Some(text) = text {
        let values = values(&text, &mut findings);
        keys = values.iter().enumerate().map(|(index, jwk)| key_report(index, jwk)).collect();
        judge_together(&text, &mut keys);
        findings::add_of_keys(&values, &keys, &mut findings);
        if is_remote {
            findings::add_of_lifetime(cache_control.as_deref(), &mut findings);
        }
        findings::add_of_rotation(&keys, is_remote, &mut findings);
    }
    Report { source, keys, findings }
}

/// Returns the keys of a document, as they stand in it.
fn values(text: &str, findings: &mut Vec<String>) -> Vec<Value> {
    let without_mark = text.trim_start_matches('\u{feff}');
    if without_mark.len() != text.len() {
        findings.push(
            "the document begins with a byte-order mark, which some readers reject".to_owned(),
        );
    }
    match serde_json::from_str::<Value>(without_mark) {
        Err(error) => {
            findings.push(format!("the document is not JSON: {error}"));
            Vec::new()
        }
        Ok(Value::Object(mut members)) => match members.remove("keys") {
            Some(Value::Array(keys)) => keys,
            Some(_) => {
                findings.push("the member `keys` is not a list".to_owned());
                Vec::new()
            }
            None if members.contains_key("kty") => {
                findings.push("the document is a single JWK; issuers publish a set, an object with a list `keys`".to_owned());
                vec![Value::Object(members)]
            }
            None => {
                findings.push("the document has no member `keys`".to_owned());
                Vec::new()
            }
        },
        Ok(_) => {
            findings.push("the document is not a JSON object".to_owned());
            Vec::new()
        }
    }
}

/// Judges one key as the engine does.
fn key_report(index: usize, jwk: &Value) -> KeyReport {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let set = JwkSet::dangerous_from_json_with_secrets(&json!({"keys": [jwk]}).to_string());
    // With secrets, so that the reason is what is wrong with a key, and not that it is a secret.
    let set = if jwk.get("kty").and_then(Value::as_str) == Some("oct") {
        JwkSet::from_json(&json!({"keys": [jwk]}).to_string())
    } else {
        set
    };
    let (thumbprint, reason) = match &set {
        Ok(set) => (set.keys().first().and_then(|key| key.thumbprint()), None),
        Err(JwkSetError::NoUsableKey { reasons }) => {
            let reason = reasons.first().map_or("it cannot be used", String::as_str);
            // Its place and its name stand beside it already.
            let reason = reason.split_once(": ").map_or(reason, |(_, reason)| reason);
            (None, Some(reason.to_owned()))
        }
        Err(error) => (None, Some(error.to_string())),
    };
    KeyReport {
        index,
        kid: text("kid"),
        kty: text("kty"),
        alg: text("alg"),
        thumbprint: thumbprint.map(ToOwned::to_owned),
        usable: reason.is_none(),
        reason,
    }
}

/// Judges the text as the engine does: what values have lost of it, and how many keys are used.
fn judge_together(text: &str, keys: &mut [KeyReport]) {
    let text = text.trim_start_matches('\u{feff}');
    let mut set = JwkSet::from_json(text);
    if matches!(set, Err(JwkSetError::Invalid { .. })) && keys.len() == 1 {
        // It may be a single JWK, which files may hold.
        set = JwkSet::from_json(&format!("{{\"keys\":[{text}]}}"));
    }
    let count = keys.len();
    let mut mark = |index: usize, reason: &str| {
        if let Some(key) = keys.get_mut(index).filter(|key| key.usable) {
            (key.usable, key.reason) = (false, Some(reason.to_owned()));
        }
    };
    match set {
        Ok(set) => set.skipped().iter().for_each(|key| mark(key.index(), key.reason())),
        Err(JwkSetError::NoUsableKey { reasons }) => {
            for (index, reason) in reasons.iter().enumerate() {
                mark(index, reason.split_once(": ").map_or(reason.as_str(), |(_, reason)| reason));
            }
        }
        Err(error) => (0..count).for_each(|index| mark(index, &error.to_string())),
    }
}

fn to_text(report: &Report) -> String {
    let mut text = format!("{}\n\n", printable(&report.source));
    for key in &report.keys {
        let kid = key.kid.as_deref().map_or("no key id".to_owned(), quoted);
        let of = |value: &Option<String>| printable(value.as_deref().unwrap_or("-"));
        let (kty, alg) = (of(&key.kty), of(&key.alg));
        let index = key.index;
        if key.usable {
            text.push_str(&format!(
                "{index:>3}  {GOOD}usable{GOOD:#}    {kty:<4} {alg:<6} {kid}\n"
            ));
        } else {
            text.push_str(&format!("{index:>3}  {BAD}unusable{BAD:#}  {kty:<4} {alg:<6} {kid}\n"));
        }
        let thumbprint = key.thumbprint.as_ref().filter(|one| key.kid.as_ref() != Some(*one));
        for line in [key.reason.as_ref(), thumbprint].into_iter().flatten() {
            text.push_str(&format!("     {}\n", wrapped(&printable(line), 5, 5)));
        }
    }
    if report.keys.is_empty() {
        text.push_str(&format!("{BAD}no keys{BAD:#}\n"));
    }
    if !report.findings.is_empty() {
        text.push_str("\nfindings\n");
    }
    for finding in &report.findings {
        text.push_str(&format!("  {ODD}!{ODD:#} {}\n", wrapped(&printable(finding), 4, 4)));
    }
    text
}
