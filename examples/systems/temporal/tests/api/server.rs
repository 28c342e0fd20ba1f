//! The program, running, and what calls it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use portcullis_testkit::{KeyServer, Reply, SigningKey, TestIssuer, TokenBuilder};
use portcullis_tonic::Algorithm;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::{Ascii, MetadataKey, MetadataValue},
    transport::Channel,
};

pub(crate) const SYSTEM_INFO: &str =
    "/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo";
pub(crate) const DESCRIBE: &str =
    "/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace";
pub(crate) const START: &str =
    "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution";
pub(crate) const UPDATE: &str = "/temporal.api.workflowservice.v1.WorkflowService/UpdateNamespace";
pub(crate) const LIST: &str = "/temporal.api.workflowservice.v1.WorkflowService/ListNamespaces";
pub(crate) const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// The key of the source that every test has which needs no other.
pub(crate) static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::ES256, "key"));

/// Serves [`KEY`].
static SOURCE: LazyLock<KeyServer> = LazyLock::new(|| {
    let server = KeyServer::start();
    server.reply("/jwks.json", Reply::json(jwk_set(&[&KEY])));
    server
});

pub(crate) fn jwk_set(keys: &[&SigningKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk().unwrap()).collect();
    json!({ "keys": keys }).to_string()
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A token of these claims and no others, unless `change` does something to it.
pub(crate) fn token_by(
    key: &SigningKey,
    claims: &Value,
    change: &dyn Fn(TokenBuilder) -> TokenBuilder,
) -> String {
    let token = TestIssuer::new("unused").token().key(key).raw_claims(claims.to_string());
    change(token).build()
}

/// A token with these permissions.
pub(crate) fn token(permissions: &[&str]) -> String {
    token_with(&json!({ "permissions": permissions }))
}

/// A token that may read the namespace `default`, with claims changed; `null` stays as it is.
pub(crate) fn token_with(changes: &Value) -> String {
    let mut claims = json!({"sub": "alice", "exp": now() + 3600, "permissions": ["default:read"]});
    let claims = claims.as_object_mut().unwrap();
    claims.extend(changes.as_object().unwrap().clone());
    token_by(&KEY, &Value::Object(claims.clone()), &|token| token)
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A message that names a namespace in this field, which is one of the first fifteen.
pub(crate) fn message(field: u8, namespace: &str) -> Bytes {
    let mut message = BytesMut::new();
    message.put_u8(field << 3 | 2);
    message.put_u8(u8::try_from(namespace.len()).unwrap());
    message.put_slice(namespace.as_bytes());
    message.freeze()
}

/// Messages as they are.
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// A folder of its own, which is gone at the end.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("temporal-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

pub(crate) struct Temporal {
    child: Child,
    pub(crate) address: String,
    pub(crate) runtime: Runtime,
    pub(crate) channel: Channel,
}

/// Nothing of the variables is inherited.
pub(crate) fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_temporal"));
    for name in [
        "TEMPORAL_JWT_KEY_SOURCE1",
        "TEMPORAL_JWT_KEY_SOURCE2",
        "TEMPORAL_JWT_KEY_REFRESH",
        "TEMPORAL_JWT_PERMISSIONS_CLAIM",
        "TEMPORAL_JWT_PERMISSIONS_REGEX",
        "TEMPORAL_JWT_AUDIENCE",
        "TEMPORAL_AUTH_AUTHORIZER",
        "TEMPORAL_AUTH_CLAIM_MAPPER",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).stdout(Stdio::piped());
    command
}

/// Both plug-ins, with these variables beside.
pub(crate) fn start(variables: &[(&str, &str)]) -> Temporal {
    let plug_ins =
        [("TEMPORAL_AUTH_AUTHORIZER", "default"), ("TEMPORAL_AUTH_CLAIM_MAPPER", "default")];
    Temporal::start(&[&plug_ins, variables].concat())
}

/// The same, with [`KEY`].
pub(crate) fn temporal_with(variables: &[(&str, &str)]) -> Temporal {
    let url = SOURCE.url("/jwks.json");
    start(&[&[("TEMPORAL_JWT_KEY_SOURCE1", &*url)], variables].concat())
}

pub(crate) fn temporal() -> Temporal {
    temporal_with(&[])
}

impl Temporal {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_logging(variables, Stdio::null())
    }

    /// The same, with the log written to a place of the test's own.
    pub(crate) fn start_logging(variables: &[(&str, &str)], log: impl Into<Stdio>) -> Self {
        let mut child = command(variables).stderr(log).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address = first.strip_prefix("listening on http://").unwrap().trim_end().to_owned();
        let runtime = Runtime::new().unwrap();
        let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
        let channel = runtime.block_on(async { endpoint.connect().await }).unwrap();
        Self { child, address, runtime, channel }
    }

    /// Calls a method with values of `authorization` and a message.
    pub(crate) fn call(
        &self,
        path: &str,
        authorization: &[&str],
        message: Bytes,
    ) -> Result<Bytes, Status> {
        let named: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
        self.call_with(path, &named, message, None)
    }

    pub(crate) fn call_with(
        &self,
        path: &str,
        metadata: &[(&str, &str)],
        message: Bytes,
        encoding: Option<CompressionEncoding>,
    ) -> Result<Bytes, Status> {
        let mut request = Request::new(message);
        for (name, value) in metadata {
            let name: MetadataKey<Ascii> = name.parse().unwrap();
            let value: MetadataValue<Ascii> = value.parse().unwrap();
            request.metadata_mut().append(name, value);
        }
        let mut grpc = Grpc::new(self.channel.clone());
        if let Some(encoding) = encoding {
            grpc = grpc.send_compressed(encoding);
        }
        let path = path.parse().unwrap();
        self.runtime.block_on(async {
            grpc.ready().await.unwrap();
            Ok(grpc.unary(request, path, Raw).await?.into_inner())
        })
    }

    /// Tells what comes of a call about the namespace `default` with a token.
    pub(crate) fn ask(&self, path: &str, token: &str) -> Code {
        self.ask_in(path, token, "default")
    }

    pub(crate) fn ask_in(&self, path: &str, token: &str, namespace: &str) -> Code {
        code(&self.call(path, &[&bearer(token)], message(1, namespace)))
    }

    /// Sends a signal and waits for the end.
    #[cfg(unix)]
    pub(crate) fn stop(&mut self, signal: &str) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

pub(crate) fn code(result: &Result<Bytes, Status>) -> Code {
    result.as_ref().map_or_else(Status::code, |_| Code::Ok)
}

impl Drop for Temporal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
