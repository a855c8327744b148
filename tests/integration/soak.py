#!/usr/bin/python3
"""A hundred thousand requests of mixed sizes, after which memory is what it was.

The mixture is that of `./dev bench soak`, which sends ten million.
"""

import itertools
import os
import sys
import unittest

from support import IS_LONG, ROOT, Service, check_clean, has_sanitizer

sys.path.append(os.path.join(ROOT, "bench", "support"))
import mix  # noqa: E402 pylint: disable=wrong-import-position

REQUEST_COUNT = 1_000_000 if IS_LONG else 10_000 if has_sanitizer() else 100_000
MIX_COUNT = 1000
KEPT_SHARE = 4  # one request in so many is sent by itself
PIPELINE_DEPTH = 25
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


def pages_and_faults(service):
    """Resident pages, and pages that were ever faulted in."""
    with open(f"/proc/{service.pid}/smaps_rollup", encoding="utf-8") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("Rss:"))
    with open(f"/proc/{service.pid}/stat", encoding="utf-8") as file:
        faults = int(file.read().rpartition(")")[2].split()[7])
    return resident * 1024 // PAGE_SIZE, faults


class Soak(unittest.TestCase):
    def check(self, request, reply):
        self.assertEqual(reply.status, 200, request)
        if request.reply_size is not None:
            self.assertEqual(len(reply.body), request.reply_size)

    def serve(self, service, requests, count, depth):
        """So many of them, in turn, so many in one go."""
        client = service.client()
        turn = itertools.cycle(requests)
        for _ in range(0, count, depth):
            batch = list(itertools.islice(turn, depth))
            client.send(b"".join(request.encode() for request in batch))
            for request in batch:
                self.check(request, client.reply())
            if any(request.closes for request in batch):
                client.close()
                client = service.client()
        client.close()

    def serve_mixture(self, service, count):
        kept = mix.draw(mix.KEPT, MIX_COUNT, 1)
        pipelined = mix.draw(mix.PIPELINED, MIX_COUNT, 2, mix.PIPELINED_BODY_SIZE_MAX)
        self.serve(service, kept, count // KEPT_SHARE, 1)
        self.serve(service, pipelined, count - count // KEPT_SHARE, PIPELINE_DEPTH)

    def test_memory_is_what_it_was_after_the_first_hundredth(self):
        with Service("test_service") as service:
            service.ask("/metrics")
            _, faults_at_start = pages_and_faults(service)
            self.serve_mixture(service, REQUEST_COUNT // 100)
            pages_first, _ = pages_and_faults(service)
            self.serve_mixture(service, REQUEST_COUNT)
            pages_last, faults = pages_and_faults(service)
            self.assertGreater(service.metric("zerog_requests_total"), REQUEST_COUNT)
            if not has_sanitizer():
                self.assertEqual(pages_last, pages_first)
                self.assertEqual(faults, faults_at_start)
            check_clean(self, service)


if __name__ == "__main__":
    unittest.main()
