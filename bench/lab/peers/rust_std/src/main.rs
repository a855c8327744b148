//! The standard library alone: a thread a connection, which is how it is done there.

use common::arguments;
use common::http::{answer_all, READ_SIZE};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// A thread that serves one connection needs little stack; the default would be 2 MiB.
const STACK_SIZE: usize = 64 * 1024;

fn serve_connection(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(READ_SIZE);
    let mut replies = Vec::new();
    let mut chunk = [0; READ_SIZE];
    loop {
        replies.clear();
        let (used, is_last) = answer_all(&buffer, &mut replies)?;
        buffer.drain(..used);
        if !replies.is_empty() {
            stream.write_all(&replies)?;
            if is_last {
                return Ok(());
            }
            continue;
        }
        let size = stream.read(&mut chunk)?;
        if size == 0 {
            return Ok(());
        }
        buffer.extend_from_slice(&chunk[..size]);
    }
}

fn main() {
    let (port, _) = arguments();
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        let _ = stream.set_nodelay(true);
        let started = std::thread::Builder::new().stack_size(STACK_SIZE).spawn(move || {
            let _ = serve_connection(stream);
        });
        if started.is_err() {
            eprintln!("peer: no more threads");
        }
    }
}
