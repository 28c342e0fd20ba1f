//! What is odd about a set of keys as a whole.

use std::collections::BTreeMap;

use portcullis::explain::{quoted, span};
use serde_json::Value;

use super::KeyReport;

/// How many keys are used of one set.
const MAX_KEYS: usize = 100;
/// How long keys are kept by verifiers, at the least and at the most, without a sign of trouble.
const SHORT_LIFETIME: u64 = 60;
const LONG_LIFETIME: u64 = 24 * 60 * 60;
/// How often our own engine looks for new keys, unless it is told otherwise.
const REFRESH: u64 = 10 * 60;

pub(super) fn add_of_keys(values: &[Value], keys: &[KeyReport], findings: &mut Vec<String>) {
    let last_used = keys.iter().filter(|key| key.usable).nth(MAX_KEYS - 1);
    let beyond = last_used.map_or(0, |last| keys.len().saturating_sub(last.index + 1));
    if beyond > 0 {
        findings.push(format!(
            "{} keys; only the first {MAX_KEYS} usable ones are used, and {beyond} come after them: retire old keys",
            keys.len()
        ));
    }
    add_duplicates(keys, findings);
    add_mixed_use(values, findings);
    for key in keys {
        let name = name_of(key);
        let jwk = values.get(key.index);
        let has = |member: &str| jwk.is_some_and(|jwk| jwk.get(member).is_some());
        if key.kty.as_deref() == Some("oct") {
            findings.push(format!("{name} is a shared secret: whoever reads this document can sign tokens. Replace it, and publish public keys alone"));
        } else if ["d", "p", "q", "dp", "dq", "qi"].iter().any(|member| has(member)) {
            findings.push(format!("{name} has private members: whoever reads this document can sign tokens. Replace the key at once"));
        }
        if let Some(bits) = jwk.and_then(rsa_bits).filter(|bits| *bits < 2048) {
            findings.push(format!(
                "{name} is weak: RSA with {bits} bits; 2048 is the least (RFC 7518 §3.3)"
            ));
        }
        if key.usable && key.kid.is_none() && keys.len() > 1 {
            findings.push(format!("{name} has no `kid`: tokens cannot name it, and with several such keys they are ambiguous"));
        }
        if key.usable && key.alg.is_none() && key.kty.as_deref() == Some("RSA") {
            findings.push(format!("{name} has no `alg`: it may be used with all RSA algorithms; RFC 8725 §3.1 wants one for each key"));
        }
    }
}

fn add_duplicates(keys: &[KeyReport], findings: &mut Vec<String>) {
    let mut by_id = BTreeMap::<&str, Vec<usize>>::new();
    let mut by_thumbprint = BTreeMap::<&str, Vec<usize>>::new();
    for key in keys {
        if let Some(kid) = &key.kid {
            by_id.entry(kid).or_default().push(key.index);
        }
        if let Some(thumbprint) = &key.thumbprint {
            by_thumbprint.entry(thumbprint).or_default().push(key.index);
        }
    }
    for (kid, indexes) in by_id.into_iter().filter(|(_, indexes)| indexes.len() > 1) {
        let list = list(&indexes);
        findings.push(format!("the kid {} stands at keys {list}: some verifiers take the first and reject tokens of the others", quoted(kid)));
    }
    for (_, indexes) in by_thumbprint.into_iter().filter(|(_, indexes)| indexes.len() > 1) {
        findings.push(format!("keys {} are the same key", list(&indexes)));
    }
}

fn add_mixed_use(values: &[Value], findings: &mut Vec<String>) {
    let with = |usage: &str| {
        let of = values.iter().enumerate();
        let of = of.filter(|(_, jwk)| jwk.get("use").and_then(Value::as_str) == Some(usage));
        of.map(|(index, _)| index).collect::<Vec<_>>()
    };
    let (signing, encryption) = (with("sig"), with("enc"));
    if !signing.is_empty() && !encryption.is_empty() {
        findings.push(format!("mixed use: keys {} are for encryption, beside those for signatures; they are passed over", list(&encryption)));
    }
}

/// Tells how long verifiers may keep the set, by `Cache-Control`.
pub(super) fn add_of_lifetime(cache_control: Option<&str>, findings: &mut Vec<String>) {
    let directives = cache_control.unwrap_or_default().to_ascii_lowercase();
    let mut directives = directives.split(',').map(str::trim);
    let max_age =
        directives.clone().find_map(|one| one.strip_prefix("max-age=")?.parse::<u64>().ok());
    if directives.any(|one| one == "no-store" || one == "no-cache") {
        findings.push("lifetime: Cache-Control forbids to keep the set; verifiers that obey ask for it very often".to_owned());
        return;
    }
    findings.push(match max_age {
        None => "lifetime: there is no Cache-Control with max-age, so that each verifier guesses how long the set is good".to_owned(),
        Some(age) if age < SHORT_LIFETIME => format!("lifetime: max-age is {}, so that verifiers ask very often", span(age)),
        Some(age) if age > LONG_LIFETIME => format!("lifetime: max-age is {}: a key that was withdrawn stays good for that long", span(age)),
        Some(age) => format!("lifetime: verifiers may keep the set for {}", span(age)),
    });
}

/// Tells what a rotation would look like to verifiers.
pub(super) fn add_of_rotation(keys: &[KeyReport], is_remote: bool, findings: &mut Vec<String>) {
    let mut by_algorithm = BTreeMap::<String, usize>::new();
    for key in keys.iter().filter(|key| key.usable) {
        let name = key.alg.clone().or_else(|| key.kty.clone()).unwrap_or_default();
        *by_algorithm.entry(name).or_default() += 1;
    }
    let usable: usize = by_algorithm.values().sum();
    let has_ids = keys.iter().filter(|key| key.usable).all(|key| key.kid.is_some());
    let wait = span(REFRESH);
    findings.push(match (usable, has_ids) {
        (0, _) => return,
        (_, false) => "rotation: a key without `kid` is replaced at one stroke: tokens of the old key are rejected from then on. Give each key a kid first".to_owned(),
        (1, true) => format!("rotation: there is one key. Publish the next one beside it {wait} before it signs, and leave the old one until its last token has ended"),
        (_, true) if by_algorithm.values().any(|count| *count > 1) => format!("rotation: {usable} keys, some for the same algorithm: one of them is the next or the last. A new key should stand here {wait} before it signs"),
        (_, true) => format!("rotation: {usable} keys, one for each algorithm. Publish the next one of each beside it {wait} before it signs"),
    });
    if !is_remote {
        findings.push(
            "lifetimes come with a URL: check that one too, if others fetch these keys".to_owned(),
        );
    }
}

/// Returns the size of an RSA modulus.
fn rsa_bits(jwk: &Value) -> Option<usize> {
    if jwk.get("kty")?.as_str()? != "RSA" {
        return None;
    }
    let modulus = jwk.get("n")?.as_str()?;
    let modulus = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(modulus).ok()?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let significant = modulus.get(first..)?;
    let leading = usize::try_from(significant.first()?.leading_zeros()).ok()?;
    significant.len().checked_mul(8)?.checked_sub(leading)
}

fn name_of(key: &KeyReport) -> String {
    match &key.kid {
        Some(kid) => format!("key {} ({})", key.index, quoted(kid)),
        None => format!("key {}", key.index),
    }
}

fn list(indexes: &[usize]) -> String {
    indexes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
