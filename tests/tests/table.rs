//! One table of requests, sent over real connections to every adapter: what one of them answers,
//! all must.
//!
//! A row is a configuration, a request, and the answer that must come back: status, challenge,
//! code, caller and grant, and what else the client or the handler sees. Answers are written down
//! by hand or found by a rule that the row's module states; none is asked of the engine. Rows are
//! in `table/rows`, adapters in `table/adapters`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

#[path = "table/adapters/mod.rs"]
mod adapters;
#[path = "table/answer.rs"]
mod answer;
#[path = "table/case.rs"]
mod case;
#[path = "table/challenge.rs"]
mod challenge;
#[path = "table/echo.rs"]
mod echo;
#[path = "table/grpc.rs"]
mod grpc;
#[path = "table/request.rs"]
mod request;
#[path = "table/rows/mod.rs"]
mod rows;
#[path = "table/run.rs"]
mod run;
#[path = "table/setup.rs"]
mod setup;
#[path = "table/wire.rs"]
mod wire;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_adapters_answer_every_row_as_it_says() {
    let cases = rows::all();
    case::assert_distinct(&cases);
    let report = run::run(&adapters::ALL, cases).await;
    for disagreement in &report.disagreements {
        println!("{disagreement}");
    }
    println!("{}", report.summary());
    assert!(report.disagreements.is_empty(), "see the disagreements above");
    assert!(report.rows >= 300, "the table has shrunk");
}
