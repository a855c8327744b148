"""A mixture of requests, as a service sees them over a long time; the same for the same seed.

For a service that answers GET / and /dump/A/B, sends back what is posted to /echo, and sends as
much as is wanted at /large?size=N: tests/integration's test_service.
"""

import json
import random
from dataclasses import dataclass

BODY_SIZE_MAX = 65536
LARGE_SIZE_MAX = 1 << 20
PIPELINED_BODY_SIZE_MAX = 2048


@dataclass
class Request:
    """Its bytes, in pieces: text, or so many times an x. And what its reply must be."""

    pieces: list
    reply_size: int | None = None  # bytes of the body; None: it depends
    closes: bool = False  # the connection ends with the reply

    def encode(self):
        return b"".join(piece.encode() if isinstance(piece, str) else b"x" * piece
                        for piece in self.pieces)

    def lua(self):
        """The same as an expression of Lua, which is shorter by the bodies."""
        # A JSON string without \u is a Lua string, too.
        return " .. ".join(json.dumps(piece) if isinstance(piece, str)
                           else f'string.rep("x", {piece})' for piece in self.pieces)


def head(method, target, *fields):
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: test", *fields, "", ""])


def size_between(dice, low, high):
    """Each doubling as likely as any other: mostly small, and sometimes the whole."""
    return min(high, round(low * (high / low) ** dice.random() * 1.02))


def small(dice, _):
    fields = [f"X-Field-{index}: {'v' * dice.randrange(40)}"
              for index in range(dice.choice([0, 0, 3, 3, 8, 30]))]
    return Request([head("GET", "/", *fields)], 5)


def dump(dice, _):
    target = f"/dump/{'a' * dice.randrange(1, 60)}/b?{'q' * dice.randrange(1, 200)}=1"
    return Request([head("GET", target)])


def body(dice, size_max):
    size = size_between(dice, 1, size_max)
    return Request([head("POST", "/echo", f"Content-Length: {size}"), size], size)


def chunked(dice, size_max):
    sizes = [size_between(dice, 1, size_max // 8) for _ in range(dice.randrange(1, 8))]
    pieces = [head("POST", "/echo", "Transfer-Encoding: chunked")]
    for size in sizes:
        pieces += [f"{size:x}\r\n", size, "\r\n"]
    return Request(pieces + ["0\r\n\r\n"], sum(sizes))


def large(dice, _):
    size = size_between(dice, 10000, LARGE_SIZE_MAX)
    return Request([head("GET", f"/large?size={size}")], size)


def last(_, __):
    return Request([head("GET", "/", "Connection: close")], 5, True)


# How many in a hundred are of which kind.
KEPT = [(64, small), (12, dump), (14, body), (5, chunked), (3, large), (2, last)]
# In one go a client sends what is short: it has not yet seen one reply.
PIPELINED = [(70, small), (12, dump), (12, body), (6, chunked)]


def draw(kinds, count, seed, body_size_max=BODY_SIZE_MAX):
    """So many requests of such a mixture."""
    dice = random.Random(seed)
    weights = [weight for weight, _ in kinds]
    makers = dice.choices([maker for _, maker in kinds], weights, k=count)
    return [maker(dice, body_size_max) for maker in makers]


def script(requests, depth):
    """What wrk is to send: the requests in turn, so many in one go; each thread starts elsewhere."""
    batches = [requests[first:first + depth] for first in range(0, len(requests), depth)]
    lines = [" .. ".join(request.lua() for request in batch) for batch in batches
             if len(batch) == depth]
    return ("local batches = {\n" + ",\n".join(lines) + "\n}\n"
            "local threads = 0\n"
            "function setup(thread)\n"
            "   thread:set(\"start\", threads * math.floor(#batches / 2))\n"
            "   threads = threads + 1\n"
            "end\n"
            "local at\n"
            "function request()\n"
            "   at = (at or start) % #batches + 1\n"
            "   return batches[at]\n"
            "end\n")
