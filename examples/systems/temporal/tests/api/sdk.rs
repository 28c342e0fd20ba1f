//! Temporal's Python SDK against the program.
//!
//! `PORTCULLIS_INTEROP_PYTHON` names a Python that has it.

use std::{collections::HashMap, env, path::Path, process::Command};

use serde_json::Value;

use crate::{
    server::{Folder, start},
    token::{Keys, system_token},
};

const VARIABLE: &str = "PORTCULLIS_INTEROP_PYTHON";
const REJECTED: &str = "PERMISSION_DENIED: Request unauthorized.";

/// What the SDK was told, step by step.
fn steps() -> Vec<Value> {
    let python = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} must name a Python with temporalio: `cargo xtask test` sets it up")
    });
    let folder = Folder::new("sdk");
    let keys = Keys::serve(&folder, &[]);
    let temporal = start(&[("TEMPORAL_JWT_KEY_SOURCE1", &keys.url)]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/interop/temporal.py");
    let output = Command::new(python)
        .arg(script)
        .args([&temporal.address, &folder.file("key.priv.pem"), &keys.url])
        .arg(system_token(&folder, &[]))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_python_sdk_is_answered_as_by_temporal() {
    let steps = steps();
    let (library, steps) = steps.split_first().unwrap();
    let (methods, calls): (Vec<_>, Vec<_>) =
        steps.iter().partition(|step| step["step"].as_str().unwrap().starts_with("method "));
    let calls: Vec<_> = calls
        .iter()
        .map(|step| (step["step"].as_str().unwrap(), step["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        calls,
        [
            ("connect without a token", "ok"),
            ("describe without a token", REJECTED),
            ("describe as reader", "ok"),
            ("start as reader", REJECTED),
            ("describe as worker", REJECTED),
            ("start as worker", REJECTED),
            ("describe as writer", "ok"),
            ("start as writer", "ok"),
            ("describe as expired", REJECTED),
            ("start as expired", REJECTED),
            ("describe as renewed", "ok"),
            ("start as renewed", "ok"),
            ("describe as elsewhere", REJECTED),
            ("start as elsewhere", REJECTED),
            ("namespaces with the system token", "ok"),
            ("start with an API key", "ok"),
            ("namespaces with an API key", REJECTED),
            ("connect with a bad token", "PermissionDenied: Request unauthorized."),
        ]
    );
    // The SDK knows where its messages name the namespace; zero: nowhere.
    let mut counts = HashMap::new();
    for method in &methods {
        let [_, name, field] = words(method);
        *counts.entry(name.split('/').next().unwrap()).or_insert(0) += 1;
        let (own, other) = match (name, field) {
            ("WorkflowService/GetSystemInfo", _) => ("ok", "ok"),
            (_, "0") => (REJECTED, REJECTED),
            _ => ("ok", REJECTED),
        };
        let told = &method["outcome"];
        assert_eq!((&told["own"], &told["other"]), (&own.into(), &other.into()), "{name}");
        assert_eq!(told["system"], "ok", "{name}");
    }
    assert_eq!(counts, [("WorkflowService", 123), ("OperatorService", 12)].into());
    let version = library["version"].as_str().unwrap();
    // Each method is asked for by three callers.
    println!("interop: temporalio: {version}: {} verdicts", calls.len() + 3 * methods.len());
}

fn words(method: &Value) -> [&str; 3] {
    method["step"].as_str().unwrap().split(' ').collect::<Vec<_>>().try_into().unwrap()
}
