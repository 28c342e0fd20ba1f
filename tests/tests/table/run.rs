//! Sends every row to every adapter, and compares.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::Arc,
};

use super::{
    adapters::{Adapter, Protocol},
    answer::Answer,
    case::Case,
    grpc::GrpcAnswer,
    request::Version,
    wire,
};

/// What came of the whole table.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) rows: usize,
    adapters: usize,
    exchanges: usize,
    /// How many rows make no sense on an adapter, and why.
    left_out: BTreeMap<(&'static str, &'static str), usize>,
    /// One text for each row that an adapter answers otherwise than it must.
    pub(crate) disagreements: Vec<String>,
}

impl Report {
    pub(crate) fn summary(&self) -> String {
        let Self { rows, adapters, exchanges, left_out, disagreements } = self;
        let mut text = format!("conformance: {exchanges} requests over HTTP/1.1 and HTTP/2\n");
        for ((adapter, reason), count) in left_out {
            text += &format!("conformance: {count} rows not applicable to {adapter}: {reason}\n");
        }
        let disagreements = disagreements.len();
        text + &format!(
            "conformance: {rows} rows x {adapters} adapters, {disagreements} disagreements"
        )
    }
}

/// An answer, or why there is none.
type Outcome = Result<Got, String>;

/// An answer, in the words of its protocol.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Got {
    Http(Answer),
    Grpc(GrpcAnswer),
}

impl Got {
    /// What must come of a row.
    fn expected(protocol: Protocol, case: &Case) -> Self {
        match protocol {
            Protocol::Http => Self::Http(case.expected.clone()),
            Protocol::Grpc => Self::Grpc(GrpcAnswer::of(&case.expected)),
        }
    }
}

/// Sends one row, once for each version of HTTP that it is for.
async fn ask(adapter: Adapter, server: SocketAddr, case: &Case) -> Vec<(Version, Outcome)> {
    let request = &case.request;
    let mut outcomes = Vec::new();
    for &version in request.versions {
        let outcome = match (adapter.protocol, version) {
            (Protocol::Http, _) => {
                let response = wire::send(server, request, version).await;
                response.map(|response| Got::Http(Answer::read(&response)))
            }
            (Protocol::Grpc, Version::Http1) => continue,
            (Protocol::Grpc, Version::Http2) => {
                let response = wire::call(server, request).await;
                response.and_then(|response| GrpcAnswer::read(&response)).map(Got::Grpc)
            }
        };
        outcomes.push((version, outcome));
    }
    outcomes
}

/// Sends all rows to all adapters.
pub(crate) async fn run(adapters: &[Adapter], cases: Vec<Case>) -> Report {
    let cases: Arc<[Case]> = cases.into();
    let runs = adapters.iter().map(|&adapter| {
        let cases = Arc::clone(&cases);
        (adapter, tokio::spawn(async move { outcomes(adapter, &cases).await }))
    });
    let runs: Vec<_> = runs.collect();
    let mut by_adapter = Vec::new();
    for (adapter, run) in runs {
        by_adapter.push((adapter, run.await.unwrap()));
    }
    let got = |index: usize| {
        let of_adapter = |(adapter, outcomes): &(Adapter, Vec<Vec<(Version, Outcome)>>)| {
            let outcomes = outcomes.get(index).into_iter().flatten().cloned();
            outcomes.map(|(version, outcome)| (*adapter, version, outcome)).collect::<Vec<_>>()
        };
        by_adapter.iter().flat_map(of_adapter).collect::<Vec<_>>()
    };
    let compared = cases.iter().enumerate().map(|(index, case)| (case, got(index)));
    Report {
        rows: cases.len(),
        adapters: adapters.len(),
        exchanges: by_adapter.iter().flat_map(|(_, outcomes)| outcomes).map(Vec::len).sum(),
        left_out: left_out(adapters, &cases),
        disagreements: compared.filter_map(|(case, got)| disagreement(case, &got)).collect(),
    }
}

/// Counts the rows that make no sense on an adapter.
fn left_out(adapters: &[Adapter], cases: &[Case]) -> BTreeMap<(&'static str, &'static str), usize> {
    let mut counts = BTreeMap::new();
    for adapter in adapters {
        for reason in cases.iter().filter_map(|case| adapter.has_no_use_for(&case.request)) {
            *counts.entry((adapter.name, reason)).or_default() += 1;
        }
    }
    counts
}

/// Sends all rows to one adapter. Each configuration has one server.
async fn outcomes(adapter: Adapter, cases: &[Case]) -> Vec<Vec<(Version, Outcome)>> {
    let mut servers: HashMap<Arc<str>, SocketAddr> = HashMap::new();
    let mut outcomes = Vec::new();
    for case in cases {
        if adapter.has_no_use_for(&case.request).is_some() {
            outcomes.push(Vec::new());
            continue;
        }
        let configuration = &case.configuration;
        let server = servers
            .entry(Arc::clone(&configuration.name))
            .or_insert_with(|| (adapter.start)(configuration.setup()));
        outcomes.push(ask(adapter, *server, case).await);
    }
    outcomes
}

/// Tells what each adapter has answered, if that is not everywhere what the row says.
fn disagreement(case: &Case, got: &[(Adapter, Version, Outcome)]) -> Option<String> {
    let is_expected = |adapter: &Adapter, outcome: &Outcome| {
        outcome.as_ref() == Ok(&Got::expected(adapter.protocol, case))
    };
    if !got.is_empty() && got.iter().all(|(adapter, _, outcome)| is_expected(adapter, outcome)) {
        return None;
    }
    let mut by_outcome: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (adapter, version, outcome) in got {
        let shown =
            if is_expected(adapter, outcome) { "as expected".to_owned() } else { show(outcome) };
        by_outcome.entry(shown).or_default().push(format!("{} over {version:?}", adapter.name));
    }
    let mut text = format!("DISAGREEMENT {}\n", case.name);
    text += &format!("  request: {}\n", shortened(&format!("{:?}", case.request)));
    text += &format!("  expected: {}", shortened(&format!("{:?}", case.expected)));
    for (outcome, adapters) in by_outcome {
        text += &format!("\n  {}: {outcome}", adapters.join(", "));
    }
    Some(text)
}

fn show(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) => shortened(&format!("{answer:?}")),
        Err(reason) => format!("no answer: {reason}"),
    }
}

/// Leaves the end of each token out.
fn shortened(text: &str) -> String {
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut run = 0;
    let kept = text.chars().filter(|&c| {
        run = if is_token_char(c) { run + 1 } else { 0 };
        run <= 40
    });
    kept.collect()
}
