//! Tokio alone: a task a connection, a buffer a task, and as little HTTP as the
//! three routes need.

use common::arguments;
use common::http::{answer_all, READ_SIZE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn serve_connection(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(READ_SIZE);
    let mut replies = Vec::new();
    loop {
        replies.clear();
        let (used, is_last) = answer_all(&buffer, &mut replies)?;
        buffer.drain(..used);
        if !replies.is_empty() {
            stream.write_all(&replies).await?;
            if is_last {
                return Ok(());
            }
            continue;
        }
        buffer.reserve(READ_SIZE);
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

async fn serve(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let _ = serve_connection(stream).await;
        });
    }
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
