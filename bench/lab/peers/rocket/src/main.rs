//! Rocket in its release profile: managed by itself, logging off.

use common::{arguments, document, Document};
use rocket::config::LogLevel;
use rocket::data::{Data, ToByteUnit};
use rocket::http::ContentType;
use rocket::serde::json::Json;
use rocket::{get, post, routes, Config};

#[get("/")]
fn hello() -> &'static str {
    "Hello"
}

#[get("/json")]
fn json() -> Json<Document> {
    Json(document())
}

#[post("/echo", data = "<data>")]
async fn echo(content_type: Option<&ContentType>, data: Data<'_>) -> std::io::Result<(ContentType, Vec<u8>)> {
    let body = data.open(64.kibibytes()).into_bytes().await?.into_inner();
    Ok((content_type.cloned().unwrap_or(ContentType::Binary), body))
}

fn main() {
    let (port, threads) = arguments();
    // Its runtime is made before the configuration below is seen, from the environment alone.
    std::env::set_var("ROCKET_WORKERS", threads.to_string());
    let config = Config {
        port,
        workers: threads,
        keep_alive: 600,
        log_level: LogLevel::Off,
        ..Config::release_default()
    };
    rocket::async_main(async move {
        let _ = rocket::custom(config)
            .mount("/", routes![hello, json, echo])
            .launch()
            .await;
    });
}
