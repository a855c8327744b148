#!/usr/bin/python3
"""What takes time: posts, flushes, jobs, timers and watched descriptors, on both backends."""

import os
import signal
import tempfile
import threading
import time
import unittest

from support import Service, ServiceCase, check_clean, has_kernel_seal, run


class Logged(unittest.TestCase):
    """With a log that is this test's own."""

    def start(self, *flags):
        folder = tempfile.TemporaryDirectory(prefix="zerog-test-")
        self.addCleanup(folder.cleanup)
        self.log = os.path.join(folder.name, "log")
        service = Service("async_service", "--shards", 2, *flags,
                          env={**os.environ, "ASYNC_SERVICE_LOG": self.log})
        self.addCleanup(service.kill)
        return service

    def clients(self, service, count):
        clients = [service.client() for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def lines(self):
        with open(self.log, encoding="ascii") as file:
            return file.read().splitlines()

    def count_up(self, service, clients, each):
        """Clients that ask for numbers all at once; the numbers they got."""
        numbers = []

        def ask():
            with service.client() as client:
                for _ in range(each):
                    numbers.append(int(client.ask("/next").body))

        threads = [threading.Thread(target=ask) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return numbers

    def test_one_shard_counts_for_all(self):
        service = self.start()
        numbers = self.count_up(service, clients=8, each=50)
        self.assertEqual(sorted(numbers), list(range(1, 401)))
        self.assertEqual(self.lines(), [str(number) for number in range(1, 401)])
        self.assertEqual(service.metric("zerog_posts_total"), 400)
        check_clean(self, service)

    def test_one_flush_serves_all_that_a_turn_brought(self):
        service = self.start()
        clients = self.clients(service, 64)
        for _ in range(5):
            for client in clients:
                client.get("/next")
            for client in clients:
                self.assertEqual(client.reply().status, 200)
        for client in clients:
            client.close()
        flushes = service.metric("zerog_flushes_total")
        self.assertGreater(flushes, 0)
        self.assertLess(flushes, 320)
        check_clean(self, service)

    def test_what_was_told_is_in_the_log_after_a_kill(self):
        service = self.start()
        numbers = []
        stop = threading.Event()

        def ask():
            with service.client() as client:
                while not stop.is_set():
                    try:
                        numbers.append(int(client.ask("/next").body))
                    except (OSError, EOFError):
                        return

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        service.signal(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertGreater(len(numbers), 0)
        self.assertLessEqual(set(map(str, numbers)), set(self.lines()))

    def test_a_drain_ends_what_is_under_way_and_then_stops_each_shard_once(self):
        service = self.start()
        clients = self.clients(service, 20)
        for client in clients:
            client.get("/offload?ms=300" if client is clients[0] else "/next")
        time.sleep(0.1)
        service.signal(signal.SIGTERM)
        for client in clients:
            self.assertEqual(client.reply().status, 200)
        self.assertEqual(service.wait(), 0)
        self.assertEqual(self.lines().count("stopped"), 1)
        self.assertEqual(self.lines()[-1], "stopped")

    def test_a_stop_still_puts_away_what_is_the_applications(self):
        service = self.start()
        service.ask("/next")
        service.signal(signal.SIGINT)
        self.assertEqual(service.wait(), 0)
        self.assertEqual(self.lines(), ["1", "stopped"])

    @unittest.skipUnless(has_kernel_seal(), "no kernel seal here")
    def test_all_of_it_works_under_the_kernel_seal(self):
        service = self.start("--seal", "kernel")
        self.assertEqual(sorted(self.count_up(service, clients=4, each=10)), list(range(1, 41)))
        for target in ("/offload?ms=5", "/timer?ms=5", "/watched?size=50"):
            self.assertEqual(service.ask(target).status, 200)
        check_clean(self, service)

    def test_a_start_that_fails_is_told(self):
        status, _, error = run("async_service", "--listen", "127.0.0.1:0",
                               env={**os.environ, "ASYNC_SERVICE_LOG": "/nowhere/log"})
        self.assertEqual(status, 1)
        self.assertIn("No such file or directory", error)

    def test_a_job_that_hangs_does_not_keep_the_process(self):
        service = self.start("--drain-timeout-ms", 300)
        with service.client() as client:
            client.get("/offload?ms=60000")
            time.sleep(0.1)
            service.signal(signal.SIGINT)
            started = time.monotonic()
            service.wait()
            self.assertLess(time.monotonic() - started, 5)
        self.assertIn("a job has not ended", service.log())


class Asynchronous(ServiceCase):
    PROGRAM = "async_service"
    FLAGS = ("--shards", 2, "--offload-jobs", 8, "--handler-timeout-ms", 1000)

    def test_jobs_run_beside_each_other_and_beside_requests(self):
        clients = [self.client() for _ in range(2)]
        started = time.monotonic()
        for client in clients:
            client.get("/offload?ms=400")
        for _ in range(20):
            self.assertEqual(self.client().ask("/shard").status, 200)
        self.assertLess(time.monotonic() - started, 0.4)
        for client in clients:
            self.assertEqual(client.reply().body, b"400")
        self.assertLess(time.monotonic() - started, 0.8)

    def test_too_many_jobs_are_answered_with_503(self):
        clients = [self.client() for _ in range(20)]
        refused = self.service.metric("zerog_offload_jobs_refused_total")
        for client in clients:
            client.get("/offload?ms=100")
        statuses = [client.reply().status for client in clients]
        self.assertIn(200, statuses)
        self.assertIn(503, statuses)
        self.assertEqual(self.service.metric("zerog_offload_jobs_refused_total"),
                         refused + statuses.count(503))

    def test_a_job_whose_time_was_over_before_its_turn_is_not_begun(self):
        cancelled = self.service.metric("zerog_offload_jobs_cancelled_total")
        clients = [self.client() for _ in range(4)]
        for client in clients:
            client.get("/offload?ms=3500")
        self.assertEqual([client.reply().status for client in clients], [503] * 4)
        deadline = time.monotonic() + 10
        while (self.service.metric("zerog_offload_jobs_cancelled_total") < cancelled + 4
               and time.monotonic() < deadline):
            time.sleep(0.05)
        # Two were running; two more would have taken until seven seconds from the start.
        self.assertEqual(self.service.metric("zerog_offload_jobs_cancelled_total"), cancelled + 4)

    def test_a_timer_takes_its_time_and_no_tick_more(self):
        for ms in (0, 1, 30, 250):
            client = self.client()
            best = 1e9
            for _ in range(5):
                started = time.monotonic()
                self.assertEqual(client.ask(f"/timer?ms={ms}").body, b"1")
                elapsed = time.monotonic() - started
                self.assertGreaterEqual(elapsed, ms / 1000)
                best = min(best, elapsed)
            self.assertLess(best, ms / 1000 + 0.05)

    def test_many_timers(self):
        clients = [self.client() for _ in range(30)]
        for index, client in enumerate(clients):
            client.get(f"/timer?ms={index * 37 % 200}")
        for client in clients:
            self.assertEqual(client.reply().status, 200)

    def test_what_is_left_in_a_watched_pipe_is_told_again(self):
        client = self.client()
        for size in (1, 2, 100, 1000, 1):
            self.assertEqual(client.ask(f"/watched?size={size}").body.decode(), str(size))

    def test_the_plan_has_a_line_for_each(self):
        lines = run("async_service", "--plan")[1]
        for line in ("flushes", "offload jobs", "offload stacks", "watches", "timers"):
            self.assertIn(line, lines)
        plain = run("hello", "--plan")[1]
        for line in ("flushes", "offload", "watches", "timers"):
            self.assertNotIn(line, plain)


if __name__ == "__main__":
    unittest.main()
