//! axum on hyper and Tokio: extractors, and the JSON response of the framework.

use axum::body::Bytes;
use axum::http::{header, HeaderMap};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use common::{arguments, document};

async fn hello() -> &'static str {
    "Hello"
}

async fn json() -> impl IntoResponse {
    Json(document())
}

async fn echo(headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .cloned()
        .unwrap_or(header::HeaderValue::from_static("application/octet-stream"));
    ([(header::CONTENT_TYPE, content_type)], body)
}

async fn serve(port: u16) {
    let app = Router::new()
        .route("/", get(hello))
        .route("/json", get(json))
        .route("/echo", post(echo));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("the port is free")
        .tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
    axum::serve(listener, app).await.expect("serving");
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
