//! §1.9: the client's side, `temporal-token`.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use base64_simd::URL_SAFE_NO_PAD;
use bytes::Bytes;
use portcullis_testkit::ManualClock;
use portcullis_tonic::{
    AddBearerTokenLayer, NumericDate,
    keys::SigningKey,
    mint::{Minter, RenewingToken},
};
use serde_json::{Value, json};
use tonic::{
    Code::{Ok, PermissionDenied},
    Request, Response,
    client::Grpc,
};
use tower::Layer;

use crate::server::{DESCRIBE, Folder, LIST, Raw, code, message, now, start};

fn command(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_temporal-token"));
    command.args(args).current_dir(&folder.path).stdout(Stdio::piped());
    command
}

fn run(folder: &Folder, args: &[&str]) -> Output {
    command(folder, args).stderr(Stdio::piped()).output().unwrap()
}

/// `gen-and-serve`, running.
pub(crate) struct Keys {
    child: Child,
    /// What it printed.
    lines: [String; 2],
    /// Where its keys are.
    pub(crate) url: String,
}

impl Keys {
    pub(crate) fn serve(folder: &Folder, options: &[&str]) -> Self {
        let args = [&["gen-and-serve"], options].concat();
        let mut child = command(folder, &args).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = [(); 2].map(|()| output.next().unwrap().unwrap());
        let url = lines[1].strip_prefix("Started JWKS server. Endpoint: ").unwrap().to_owned();
        Self { child, lines, url }
    }

    fn fetch(&self) -> (String, Value) {
        let address = self.lines[0].strip_prefix("listening on http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /jwks.json HTTP/1.1\r\nhost: keys\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap())
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns what `cli-system-token` printed behind the name of the variable.
pub(crate) fn system_token(folder: &Folder, options: &[&str]) -> String {
    let output = run(folder, &[&["cli-system-token"], options].concat());
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8(output.stdout).unwrap();
    line.strip_prefix("TEMPORAL_CLI_AUTH=").unwrap().trim_end().to_owned()
}

#[test]
fn s1_9_keys_are_made_once_and_served() {
    let folder = Folder::new("keys");
    let keys = Keys::serve(&folder, &[]);
    let address = keys.lines[0].strip_prefix("listening on ").unwrap();
    assert_eq!(keys.lines[1], format!("Started JWKS server. Endpoint: {address}/jwks.json"));
    let (head, set) = keys.fetch();
    assert!(head.starts_with("http/1.1 200 ") && head.contains("application/json"), "{head}");
    let jwk = &set["keys"][0];
    assert_eq!(
        (&jwk["kty"], &jwk["crv"], &jwk["d"]),
        (&"EC".into(), &"P-256".into(), &Value::Null)
    );
    // A SHA-256 thumbprint in base64url.
    assert_eq!(URL_SAFE_NO_PAD.decode_to_vec(jwk["kid"].as_str().unwrap()).unwrap().len(), 32);
    // The same key at the next start, and no other program reads it.
    assert_eq!(Keys::serve(&folder, &["--key", "key.priv.pem"]).fetch().1, set);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.file("key.priv.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let other = Keys::serve(&folder, &["--listen", "127.0.0.1:0", "--key", "other.pem"]);
    assert_ne!(other.fetch().1, set);
}

#[test]
fn s1_9_the_system_token_is_good_for_an_hour() {
    let folder = Folder::new("system");
    let keys = Keys::serve(&folder, &[]);
    let value = system_token(&folder, &[]);
    let token = value.strip_prefix("Bearer ").unwrap();
    let part = |number| {
        let part = token.split('.').nth(number).unwrap();
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!(
        (&header["alg"], &header["kid"]),
        (&"ES256".into(), &keys.fetch().1["keys"][0]["kid"])
    );
    assert_eq!(claims["sub"], "temporal-samples-go");
    assert_eq!(claims["permissions"], serde_json::json!(["temporal-system:admin"]));
    let (issued, expires) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    assert_eq!(expires - issued, 3600);
    assert!(issued <= now());

    let temporal = start(&[("TEMPORAL_JWT_KEY_SOURCE1", &keys.url)]);
    assert_eq!(code(&temporal.call(LIST, &[&value], Bytes::new())), Ok);
    let stranger = Folder::new("stranger");
    let _other = Keys::serve(&stranger, &[]);
    let value = system_token(&stranger, &[]);
    assert_eq!(code(&temporal.call(DESCRIBE, &[&value], Bytes::new())), PermissionDenied);
}

#[test]
fn s1_9_what_cannot_be_meant_is_one_line_and_status_2() {
    let folder = Folder::new("usage");
    fs::write(folder.file("broken.pem"), "no key").unwrap();
    for (args, said) in [
        (&[][..], "gen-and-serve"),
        (&["tctl-system-token"], "gen-and-serve"),
        (&["cli-system-token", "more"], "gen-and-serve"),
        (&["cli-system-token", "--key"], "gen-and-serve"),
        (&["cli-system-token"], "key.priv.pem"),
        (&["cli-system-token", "--key", "missing.pem"], "missing.pem`: No such file"),
        (&["cli-system-token", "--key", "broken.pem"], "broken.pem"),
        (&["gen-and-serve", "--key", "broken.pem"], "broken.pem"),
        (&["gen-and-serve", "--key", "no/folder/key.pem"], "no/folder/key.pem"),
        (&["gen-and-serve", "--listen", "nowhere"], "--listen needs an address"),
        (&["gen-and-serve", "--port", "1"], "the only option is --listen ADDR"),
    ] {
        let output = run(&folder, args);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(said), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

/// As in the sample: ten minutes of life, renewed a minute ahead.
#[test]
fn s1_9_a_client_goes_on_with_a_renewed_token() {
    let folder = Folder::new("renewed");
    let keys = Keys::serve(&folder, &[]);
    let temporal = start(&[("TEMPORAL_JWT_KEY_SOURCE1", &keys.url)]);
    // The client's clock is ten minutes late, so that its token is over for the server at once.
    let late = i64::try_from(now()).unwrap() - 601;
    let clock = ManualClock::at(NumericDate::from_seconds(late));
    let key = SigningKey::from_pem_file(folder.file("key.priv.pem")).unwrap();
    let claims = json!({"sub": "temporal-samples-go", "permissions": ["default:read"]});
    let minter = Minter::new(key).clock(clock.clone());
    let token = RenewingToken::minted(minter, &claims).build().unwrap();
    let origin = format!("http://{}", temporal.address);
    let layer = AddBearerTokenLayer::new(token.clone()).origin(&*origin).unwrap();
    let mut client = Grpc::new(layer.layer(temporal.channel.clone()));
    temporal.runtime.block_on(async {
        let mut call = async || {
            client.ready().await.unwrap();
            let request = Request::new(message(1, "default"));
            code(
                &client
                    .unary(request, DESCRIBE.parse().unwrap(), Raw)
                    .await
                    .map(Response::into_inner),
            )
        };
        assert_eq!(call().await, PermissionDenied);
        let first = token.token().await.unwrap();
        clock.advance(Duration::from_secs(601));
        assert_eq!(call().await, Ok);
        let second = token.token().await.unwrap();
        assert!(!first.is_same(&second));
        // Nothing is minted for a call, until a minute before the end.
        clock.advance(Duration::from_secs(538));
        assert_eq!(call().await, Ok);
        assert!(second.is_same(&token.token().await.unwrap()));
        clock.advance(Duration::from_secs(4));
        // The call that starts the renewal goes on with the token at hand.
        assert_eq!(call().await, Ok);
        while token.current().is_some_and(|current| current.is_same(&second)) {
            tokio::task::yield_now().await;
        }
    });
}
