"""Conformance: every peer serves the same bytes, or it is not measured."""

import http.client
import re
import socket

from document import document

PATIENCE_SECONDS = 10
BODY = bytes(range(256)) * 16


class Unfit(Exception):
    """What a peer answered that it should not have."""


def ask(connection, method, path, body=None, headers=None):
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    return response, response.read()


def expect(what, actual, wanted):
    if actual != wanted:
        raise Unfit(f"{what} is {actual!r:.80}, not {wanted!r:.80}")


def check_get(connection, path, content_type, body):
    response, received = ask(connection, "GET", path)
    expect(f"the status of {path}", response.status, 200)
    expect(f"the type of {path}",
           response.getheader("Content-Type", "").partition(";")[0].strip(), content_type)
    expect(f"the body of {path}", received, body)


def check_echo(connection):
    for size in (0, 1, len(BODY)):
        response, received = ask(connection, "POST", "/echo", BODY[:size],
                                 {"Content-Type": "application/x-lab"})
        expect("the status of /echo", response.status, 200)
        expect(f"the body of /echo, {size} bytes sent", received, BODY[:size])
        if size > 0:
            expect("the type of /echo", response.getheader("Content-Type"), "application/x-lab")


def check_close(port):
    """A peer that ignores `Connection: close` would be measured without its new connections; one that does
    not say that it closes makes clients ask in vain (RFC 9112, 9.6)."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        data = b""
        try:
            while received := client.recv(65536):
                data += received
        except TimeoutError:
            raise Unfit("a connection that asked for its end is not closed") from None
    if not data.endswith(b"Hello"):
        raise Unfit(f"the last reply of a connection ends with {data[-20:]!r}")
    if not re.search(rb"^connection: *close\r$", data, re.IGNORECASE | re.MULTILINE):
        raise Unfit("the last reply of a connection does not say `Connection: close`")


def check(port):
    """Raise Unfit unless all routes serve what they should, over one kept-alive connection."""
    check_close(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        for _ in range(3):
            check_get(connection, "/", "text/plain", b"Hello")
            kept = connection.sock
            check_get(connection, "/json", "application/json", document().encode())
            check_echo(connection)
            if connection.sock is None or connection.sock is not kept:
                raise Unfit("the connection is not kept alive")
    except (OSError, http.client.HTTPException) as error:
        raise Unfit(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
