//! Where a set of keys comes from.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use portcullis::{
    future::BoxFuture,
    keys::{Fetch, FetchError, FetchRequest, FetchResponse, HttpFetch, KeySource, RemoteJwkSet},
};

use crate::{
    args::JwksArguments,
    failure::{Failure, with_causes},
};

/// A document, if it could be read, and what is odd about the way to it.
pub(super) struct Document {
    pub(super) source: String,
    pub(super) text: Option<String>,
    pub(super) findings: Vec<String>,
    pub(super) is_remote: bool,
    pub(super) cache_control: Option<String>,
}

pub(super) fn fetch(arguments: &JwksArguments) -> Result<Document, Failure> {
    match (&arguments.issuer, arguments.source.as_deref()) {
        (Some(issuer), _) => from_remote(issuer, RemoteJwkSet::discover),
        (None, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {
            from_remote(url, RemoteJwkSet::new)
        }
        (None, file) => from_file(file.unwrap_or_default()),
    }
}

fn from_file(file: &str) -> Result<Document, Failure> {
    let path = Path::new(file);
    let bytes = fs::read(path).map_err(|error| Failure::about(path, error))?;
    let (text, findings) = match String::from_utf8(bytes) {
        Ok(text) => (Some(text), Vec::new()),
        Err(_) => (None, vec!["the document is not UTF-8".to_owned()]),
    };
    Ok(Document { source: file.to_owned(), text, findings, is_remote: false, cache_control: None })
}

/// Fetches as the engine does, by the same rules, and keeps what came.
fn from_remote(
    url: &str,
    source: impl FnOnce(String) -> RemoteJwkSet,
) -> Result<Document, Failure> {
    let http = HttpFetch::new().map_err(|error| Failure::because(&error))?;
    let recorded = Arc::new(Mutex::new(None));
    let fetch = RecordingFetch { http, recorded: Arc::clone(&recorded) };
    let set = source(url.to_owned()).fetch(fetch);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let loaded = runtime.block_on(set.load(None));
    let last = recorded.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut document = Document {
        source: url.to_owned(),
        text: None,
        findings: Vec::new(),
        is_remote: true,
        cache_control: None,
    };
    match (loaded, last) {
        (Ok(_), Some((from, response))) => {
            document.fill(url, &from, response);
        }
        (Err(error), last) => {
            // That no key can be used is told of each key.
            match last {
                Some((from, response)) if looks_like_a_set(&response) => {
                    document.fill(url, &from, response);
                }
                _ => document
                    .findings
                    .push(format!("the keys could not be fetched: {}", with_causes(&error))),
            }
        }
        (Ok(_), None) => document.findings.push("nothing was fetched".to_owned()),
    }
    Ok(document)
}

impl Document {
    fn fill(&mut self, asked: &str, from: &str, response: FetchResponse) {
        if from != asked {
            self.findings.push(format!("the issuer's metadata name the set {from}"));
        }
        if from.starts_with("http://") {
            self.findings.push(
                "the set comes over plain http: anyone on the way can replace the keys".to_owned(),
            );
        }
        self.cache_control = response.cache_control;
        self.text = String::from_utf8(response.body).ok();
    }
}

fn looks_like_a_set(response: &FetchResponse) -> bool {
    let value = serde_json::from_slice::<serde_json::Value>(
        response.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&response.body),
    );
    let has = |name: &str| value.as_ref().is_ok_and(|value| value.get(name).is_some());
    response.status == 200 && (has("keys") || has("kty"))
}

/// The URL and the answer of the last fetch.
type Recorded = Arc<Mutex<Option<(String, FetchResponse)>>>;

/// Keeps the last answer.
#[derive(Debug)]
struct RecordingFetch {
    http: HttpFetch,
    recorded: Recorded,
}

impl Fetch for RecordingFetch {
    fn fetch<'a>(
        &'a self,
        request: &'a FetchRequest,
    ) -> BoxFuture<'a, Result<FetchResponse, FetchError>> {
        Box::pin(async move {
            let response = self.http.fetch(request).await?;
            let last = (request.url.clone(), response.clone());
            *self.recorded.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
            Ok(response)
        })
    }
}
