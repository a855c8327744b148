//! Hyperlane as its documentation shows it: a hook a route, a response middleware
//! that sends.

use common::{arguments, document_json};
use hyperlane::*;

struct Hello;
struct Json;
struct Echo;
struct Send;

impl ServerHook for Hello {
    async fn new(_: &mut Stream, _: &mut Context) -> Self {
        Self
    }

    async fn handle(self, _: &mut Stream, ctx: &mut Context) -> Status {
        ctx.get_mut_response()
            .set_version(HttpVersion::Http1_1)
            .set_status_code(200)
            .set_header(CONTENT_TYPE, TEXT_PLAIN)
            .set_body("Hello");
        Status::Continue
    }
}

impl ServerHook for Json {
    async fn new(_: &mut Stream, _: &mut Context) -> Self {
        Self
    }

    async fn handle(self, _: &mut Stream, ctx: &mut Context) -> Status {
        ctx.get_mut_response()
            .set_version(HttpVersion::Http1_1)
            .set_status_code(200)
            .set_header(CONTENT_TYPE, APPLICATION_JSON)
            .set_body(document_json());
        Status::Continue
    }
}

impl ServerHook for Echo {
    async fn new(_: &mut Stream, _: &mut Context) -> Self {
        Self
    }

    async fn handle(self, _: &mut Stream, ctx: &mut Context) -> Status {
        let content_type = ctx
            .get_request()
            .try_get_header_back(CONTENT_TYPE)
            .unwrap_or_else(|| APPLICATION_OCTET_STREAM.into());
        let body = ctx.get_request().get_body().clone();
        ctx.get_mut_response()
            .set_version(HttpVersion::Http1_1)
            .set_status_code(200)
            .set_header(CONTENT_TYPE, &content_type)
            .set_body(body);
        Status::Continue
    }
}

impl ServerHook for Send {
    async fn new(_: &mut Stream, _: &mut Context) -> Self {
        Self
    }

    async fn handle(self, stream: &mut Stream, ctx: &mut Context) -> Status {
        // It closes such a connection, but would tell the client that it stays.
        if ctx.get_request().is_disable_keep_alive() {
            ctx.get_mut_response().set_header(CONNECTION, "close");
        }
        let data = ctx.get_mut_response().build();
        if stream.try_send(data).await.is_err() {
            stream.set_closed(true);
            return Status::Reject;
        }
        Status::Continue
    }
}

async fn serve(port: u16) {
    let mut config = ServerConfig::default();
    config
        .set_address(Server::format_bind_address("127.0.0.1", port))
        .set_nodelay(Some(true));
    let mut request_config = RequestConfig::low_security();
    // Idle connections are to be held, as by every other peer.
    request_config.set_read_timeout_ms(u64::MAX);
    let mut server = Server::default();
    server.server_config(config);
    server.request_config(request_config);
    server.route::<Hello>("/");
    server.route::<Json>("/json");
    server.route::<Echo>("/echo");
    server.response_middleware::<Send>();
    let hook = server.run().await.expect("the port is free");
    hook.wait().await;
}

fn main() {
    let (port, threads) = arguments();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(serve(port));
}
