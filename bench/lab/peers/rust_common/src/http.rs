//! As much of HTTP/1.1 as the three routes need, for the two peers that have no
//! framework: the standard library alone, and Tokio alone.

pub const READ_SIZE: usize = 8192;
const HEAD_SIZE_MAX: usize = 8192;
const BODY_SIZE_MAX: usize = 65536;

fn broken(reason: &'static str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, reason)
}

struct Request<'a> {
    method: &'a str,
    path: &'a str,
    content_type: &'a str,
    body: &'a [u8],
    size: usize,
    is_last: bool,
}

/// The next request of a buffer; None while it is not whole.
fn request_next(buffer: &[u8]) -> std::io::Result<Option<Request<'_>>> {
    let Some(head_size) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if buffer.len() > HEAD_SIZE_MAX { Err(broken("head")) } else { Ok(None) };
    };
    let head = std::str::from_utf8(&buffer[..head_size]).map_err(|_| broken("head"))?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next().ok_or_else(|| broken("request line"))?.split(' ');
    let method = words.next().ok_or_else(|| broken("method"))?;
    let path = words.next().ok_or_else(|| broken("path"))?;
    let mut content_type = "application/octet-stream";
    let mut body_size = 0;
    let mut is_last = false;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| broken("field"))?;
        if name.eq_ignore_ascii_case("content-length") {
            body_size = value.trim().parse().map_err(|_| broken("length"))?;
        } else if name.eq_ignore_ascii_case("content-type") {
            content_type = value.trim();
        } else if name.eq_ignore_ascii_case("connection") {
            is_last = value.trim().eq_ignore_ascii_case("close");
        }
    }
    let body_start = head_size + 4;
    if body_size > BODY_SIZE_MAX {
        return Err(broken("body"));
    }
    if buffer.len() < body_start + body_size {
        return Ok(None);
    }
    let body = &buffer[body_start..body_start + body_size];
    Ok(Some(Request { method, path, content_type, body, size: body_start + body_size, is_last }))
}

/// A reply, told apart by whether it is the connection's last: a client that is not told goes on asking.
fn reply(replies: &mut Vec<u8>, request: &Request, status: &str, content_type: &str, body: &[u8]) {
    let end = if request.is_last { "Connection: close\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{end}\r\n",
        body.len()
    );
    replies.extend_from_slice(head.as_bytes());
    replies.extend_from_slice(body);
}

/// Answer every whole request of a buffer: the bytes that were used, and whether the peer wants the
/// connection to end.
pub fn answer_all(buffer: &[u8], replies: &mut Vec<u8>) -> std::io::Result<(usize, bool)> {
    let mut used = 0;
    while let Some(request) = request_next(&buffer[used..])? {
        match (request.method, request.path) {
            ("GET", "/") => reply(replies, &request, "200 OK", "text/plain", b"Hello"),
            ("GET", "/json") => {
                reply(replies, &request, "200 OK", "application/json", &crate::document_json())
            }
            ("POST", "/echo") => reply(replies, &request, "200 OK", request.content_type, request.body),
            _ => reply(replies, &request, "404 Not Found", "text/plain", b"Not found"),
        }
        used += request.size;
        if request.is_last {
            return Ok((used, true));
        }
    }
    Ok((used, false))
}
