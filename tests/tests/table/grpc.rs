//! The same rows, as gRPC tells them: trailers-only rejections with a status and its details.

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic_types::StatusExt;

use super::{
    answer::{Answer, Body},
    challenge::Challenge,
    echo::{self, Echo},
    request::GRPC_PATH,
    wire::Response,
};

/// One answer to a call over gRPC.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct GrpcAnswer {
    /// Of HTTP, which is 200 whatever gRPC says.
    http_status: u16,
    code: i32,
    /// `google.rpc.ErrorInfo`: reason and domain.
    info: Option<(String, String)>,
    /// `google.rpc.RetryInfo`, in seconds.
    retry_delay: Option<u64>,
    challenges: Vec<Challenge>,
    /// What the handler saw, if it was called.
    echo: Option<Echo>,
    /// Metadata that nobody asked for.
    other_metadata: Vec<String>,
}

impl GrpcAnswer {
    /// What a row that is written in words of HTTP says of gRPC.
    pub(crate) fn of(expected: &Answer) -> Self {
        let info = match &expected.body {
            Body::Problem(problem) => {
                Some((problem.code().to_ascii_uppercase(), "portcullis".to_owned()))
            }
            _ => None,
        };
        Self {
            http_status: 200,
            code: code_of(expected.status),
            info,
            retry_delay: expected.retry_after.as_ref().map(|seconds| seconds.parse().unwrap()),
            challenges: expected.challenges.clone(),
            echo: expected.echo.clone().map(|echo| Echo {
                method: "POST".to_owned(),
                path: GRPC_PATH.to_owned(),
                ..echo
            }),
            other_metadata: Vec::new(),
        }
    }

    /// Reads what a server has sent, with the parser of other people.
    pub(crate) fn read(response: &Response) -> Result<Self, String> {
        let headers: HeaderMap = response
            .fields
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, HeaderValue::from_bytes(value).unwrap())
            })
            .collect();
        let status = tonic::Status::from_header_map(&headers).ok_or("no status of gRPC")?;
        let details = status.get_error_details();
        let info = details.error_info().map(|info| (info.reason.clone(), info.domain.clone()));
        let retry = details.retry_info().and_then(|retry| retry.retry_delay);
        Ok(Self {
            http_status: response.status,
            code: status.code().into(),
            info,
            retry_delay: retry.map(|delay| delay.as_secs()),
            challenges: Challenge::read_all(response.all("www-authenticate")),
            echo: response.all(echo::FIELD).next().map(Echo::decode),
            other_metadata: response.others(&[
                "www-authenticate",
                "content-type",
                "grpc-status",
                "grpc-message",
                "grpc-status-details-bin",
                echo::FIELD,
            ]),
        })
    }
}

/// The codes of gRPC that stand for those of HTTP.
fn code_of(status: u16) -> i32 {
    match status {
        200 => 0,
        400 => 3,
        401 => 16,
        403 => 7,
        500 => 13,
        503 => 14,
        _ => 2,
    }
}
