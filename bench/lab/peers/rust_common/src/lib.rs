//! The document that every Rust peer serves at /json: made of owned objects and
//! serialised anew for each request, as a handler would.

use serde::Serialize;

pub mod http;

#[derive(Serialize)]
pub struct Item {
    pub id: u32,
    pub name: String,
    pub price_minor: u32,
    pub currency: String,
    pub in_stock: bool,
}

#[derive(Serialize)]
pub struct Document {
    pub message: String,
    pub items: Vec<Item>,
}

pub const ITEM_COUNT: u32 = 48;

pub fn document() -> Document {
    Document {
        message: "Hello".to_string(),
        items: (1..=ITEM_COUNT)
            .map(|id| Item {
                id,
                name: format!("item {id}"),
                price_minor: id * 137,
                currency: "EUR".to_string(),
                in_stock: id % 2 == 1,
            })
            .collect(),
    }
}

pub fn document_json() -> Vec<u8> {
    serde_json::to_vec(&document()).expect("plain data always serialises")
}

/// `peer PORT THREADS`, the command line of every peer.
pub fn arguments() -> (u16, usize) {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 3 {
        eprintln!("usage: peer PORT THREADS");
        std::process::exit(2);
    }
    let port = arguments[1].parse().expect("PORT is a number");
    let threads = arguments[2].parse().expect("THREADS is a number");
    (port, threads)
}
