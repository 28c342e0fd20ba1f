//! A gRPC service as generated code would have it, and its client.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use portcullis_testkit::ManualClock;
use portcullis_tonic::{Granted, Policy, RequestExt, policy::deny_all};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt, wrappers::UnboundedReceiverStream};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    client::Grpc,
    codegen::http::{self, uri::PathAndQuery},
    metadata::{Ascii, MetadataValue},
    server::{self, NamedService},
    service::Routes,
    transport::{Channel, Server, Uri, server::TcpIncoming},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_prost::ProstCodec;
use tower::{Layer, Service, service_fn};

/// The one message of the service.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Text {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

pub(crate) fn text(text: impl Into<String>) -> Text {
    Text { text: text.into() }
}

type Texts = Pin<Box<dyn Stream<Item = Result<Text, Status>> + Send>>;

/// The service `orders.v1.Orders`. Clones share everything.
#[derive(Clone)]
pub(crate) struct Orders {
    pub(crate) clock: ManualClock,
    /// What `Require` asks for.
    policy: Policy,
    /// What `Watch` sends.
    watched: Arc<Mutex<Option<mpsc::UnboundedReceiver<Text>>>>,
    /// What came in on `Upload` and `Chat`.
    heard: mpsc::UnboundedSender<Result<Option<Text>, Status>>,
}

/// The test's side of [`Orders`].
pub(crate) struct Backstage {
    pub(crate) watched: mpsc::UnboundedSender<Text>,
    pub(crate) heard: mpsc::UnboundedReceiver<Result<Option<Text>, Status>>,
}

impl Orders {
    pub(crate) fn new(clock: &ManualClock) -> (Self, Backstage) {
        let (watched, source) = mpsc::unbounded_channel();
        let (sink, heard) = mpsc::unbounded_channel();
        let watched_source = Arc::new(Mutex::new(Some(source)));
        let service =
            Self { clock: clock.clone(), policy: deny_all(), watched: watched_source, heard: sink };
        (service, Backstage { watched, heard })
    }

    /// Asks for this policy in `Require`.
    pub(crate) fn asking_for(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    fn who_am_i(request: &Request<Text>) -> Result<Response<Text>, Status> {
        let caller = request.optional_caller()?;
        Ok(Response::new(text(caller.as_ref().map_or("nobody", |caller| caller.subject()))))
    }

    fn list(request: &Request<Text>) -> Result<Response<Text>, Status> {
        let caller = request.caller()?;
        let rights: Granted = request.granted()?;
        let is_admin = rights.has_role("admin");
        Ok(Response::new(text(format!("{} admin={is_admin}", caller.subject()))))
    }

    /// Asks for a policy about its message.
    async fn require(policy: Policy, request: Request<Text>) -> Result<Response<Text>, Status> {
        request.require(&policy, &[("tenant", &request.get_ref().text)]).await?;
        Ok(Response::new(text("done")))
    }

    /// Takes until long after every token has expired.
    fn slow(&self) -> Response<Text> {
        self.clock.advance(Duration::from_secs(1_000_000));
        Response::new(text("done"))
    }

    fn watch(&self) -> Response<Texts> {
        let source = self.watched.lock().unwrap().take().unwrap();
        Response::new(Box::pin(UnboundedReceiverStream::new(source).map(Ok)))
    }

    /// Sends without end, and lets all tokens expire at the fourth message.
    fn flood(&self) -> Response<Texts> {
        let clock = self.clock.clone();
        let messages = tokio_stream::iter(0..).map(move |number: u64| {
            if number == 3 {
                clock.advance(Duration::from_secs(1_000_000));
            }
            Ok(text("x".repeat(10_000)))
        });
        Response::new(Box::pin(messages))
    }

    async fn upload(self, mut requests: Streaming<Text>) -> Result<Response<Text>, Status> {
        let mut count = 0;
        while let Some(message) = requests.message().await? {
            count += 1;
            let _ = self.heard.send(Ok(Some(message)));
        }
        Ok(Response::new(text(count.to_string())))
    }

    /// Echoes; a task reads what comes, and goes on when nobody listens any more.
    fn chat(&self, mut requests: Streaming<Text>) -> Response<Texts> {
        let (echo, echoes) = mpsc::unbounded_channel();
        let heard = self.heard.clone();
        tokio::spawn(async move {
            loop {
                let message = requests.message().await;
                let is_over = !matches!(message, Ok(Some(_)));
                if let Ok(Some(message)) = &message {
                    let _ = echo.send(Ok(message.clone()));
                }
                let _ = heard.send(message);
                if is_over {
                    // Keeps the stream of responses open.
                    echo.closed().await;
                    return;
                }
            }
        });
        Response::new(Box::pin(UnboundedReceiverStream::new(echoes)))
    }
}

impl NamedService for Orders {
    const NAME: &'static str = "orders.v1.Orders";
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl Service<http::Request<Body>> for Orders {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        let own = self.clone();
        let mut grpc = server::Grpc::new(ProstCodec::<Text, Text>::default());
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        Box::pin(async move {
            let unary = |answer: fn(&Self, &Request<Text>) -> Result<Response<Text>, Status>| {
                let own = own.clone();
                service_fn(move |request| std::future::ready(answer(&own, &request)))
            };
            let server_streaming = |answer: fn(&Self) -> Response<Texts>| {
                let own = own.clone();
                service_fn(move |_: Request<Text>| std::future::ready(Ok(answer(&own))))
            };
            Ok(match &*method {
                "WhoAmI" => grpc.unary(unary(|_, request| Self::who_am_i(request)), request).await,
                "List" => grpc.unary(unary(|_, request| Self::list(request)), request).await,
                "Require" => {
                    let require = |request| Self::require(own.policy.clone(), request);
                    grpc.unary(service_fn(require), request).await
                }
                "Slow" => grpc.unary(unary(|own, _| Ok(own.slow())), request).await,
                "Watch" => grpc.server_streaming(server_streaming(Self::watch), request).await,
                "Flood" => grpc.server_streaming(server_streaming(Self::flood), request).await,
                "Upload" => {
                    let upload = |request: Request<_>| own.clone().upload(request.into_inner());
                    grpc.client_streaming(service_fn(upload), request).await
                }
                "Chat" => {
                    let chat = |request: Request<_>| {
                        std::future::ready(Ok(own.chat(request.into_inner())))
                    };
                    grpc.streaming(service_fn(chat), request).await
                }
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

/// Serves on a free port of the loopback until the runtime ends, and connects to it.
pub(crate) async fn serve<L>(layer: L, routes: Routes) -> Client
where
    L: Layer<Routes> + Send + 'static,
    L::Service: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    <L::Service as Service<http::Request<Body>>>::Future: Send,
{
    serve_at(layer, routes).await.0
}

/// The same, and where.
pub(crate) async fn serve_at<L>(layer: L, routes: Routes) -> (Client, Uri)
where
    L: Layer<Routes> + Send + 'static,
    L::Service: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    <L::Service as Service<http::Request<Body>>>::Future: Send,
{
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    tokio::spawn(Server::builder().layer(layer).serve_with_incoming(routes, incoming));
    let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
    let origin = endpoint.uri().clone();
    (Client { channel: endpoint.connect().await.unwrap() }, origin)
}

/// A client of every service that takes and gives a [`Text`].
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) channel: Channel,
}

/// A request with a token in its metadata.
pub(crate) fn with_token<T>(token: &str, message: T) -> Request<T> {
    with_metadata("authorization", &format!("Bearer {token}"), message)
}

pub(crate) fn with_metadata<T>(name: &'static str, value: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value: MetadataValue<Ascii> = value.parse().unwrap();
    request.metadata_mut().append(name, value);
    request
}

impl Client {
    async fn grpc(&self) -> Grpc<Channel> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        grpc
    }

    pub(crate) async fn unary(
        &self,
        path: &'static str,
        request: Request<Text>,
    ) -> Result<String, Status> {
        let path = PathAndQuery::from_static(path);
        let codec = ProstCodec::<Text, Text>::default();
        let response = self.grpc().await.unary(request, path, codec).await?;
        Ok(response.into_inner().text)
    }

    /// Asks the health service, with the metadata of a request.
    pub(crate) async fn health(&self, request: Request<Text>) -> Result<(), Status> {
        let (metadata, extensions, _) = request.into_parts();
        let request = Request::from_parts(metadata, extensions, HealthCheckRequest::default());
        HealthClient::new(self.channel.clone()).check(request).await.map(drop)
    }

    pub(crate) async fn server_streaming(
        &self,
        path: &'static str,
        request: Request<Text>,
    ) -> Result<Streaming<Text>, Status> {
        let path = PathAndQuery::from_static(path);
        let codec = ProstCodec::<Text, Text>::default();
        let response = self.grpc().await.server_streaming(request, path, codec).await?;
        Ok(response.into_inner())
    }

    pub(crate) async fn client_streaming(
        &self,
        path: &'static str,
        request: Request<UnboundedReceiverStream<Text>>,
    ) -> Result<String, Status> {
        let path = PathAndQuery::from_static(path);
        let codec = ProstCodec::<Text, Text>::default();
        let response = self.grpc().await.client_streaming(request, path, codec).await?;
        Ok(response.into_inner().text)
    }

    pub(crate) async fn streaming(
        &self,
        path: &'static str,
        request: Request<UnboundedReceiverStream<Text>>,
    ) -> Result<Streaming<Text>, Status> {
        let path = PathAndQuery::from_static(path);
        let codec = ProstCodec::<Text, Text>::default();
        Ok(self.grpc().await.streaming(request, path, codec).await?.into_inner())
    }
}
