"""Wrong and hostile input on every port: a clear error or a counted drop, never a crash, never a change."""

import random
import socket
import struct
import threading
import unittest

import zmq
from cluster import ClusterTest, wait_for

GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)


class HostileInput(ClusterTest):
    def setUp(self):
        self.cluster.start_broker()
        self.cluster.start_worker("w", "--builtin", "echo")
        self.cluster.wait_for_workers(1)
        self.waiting = self.cluster.client("submit", "parked", "--count", "5").stdout.split()
        self.random = random.Random(7)
        self.context = zmq.Context()

    def tearDown(self):
        self.context.destroy(linger=0)
        self.assertIsNone(self.cluster.broker.poll(), "the broker runs")
        for task in self.waiting:
            self.assertEqual(self.cluster.task(task).get("state"), "pending")
        summary = self.cluster.submit("demo", "--count", "20")
        self.assertEqual(summary["succeeded"], 20)
        self.cluster.wait_for_metric("submitted_tasks", lambda count: count >= 25)
        self.cluster.wait_for_metric("submitted_tasks", lambda value: value == 25)
        self.assert_books_balance()

    def raw(self, kind):
        return socket.create_connection(("127.0.0.1", self.cluster.ports[kind]), timeout=5)

    def dealer(self, kind):
        dealer = self.context.socket(zmq.DEALER)
        dealer.linger = 0
        dealer.connect(f"tcp://127.0.0.1:{self.cluster.ports[kind]}")
        return dealer

    def test_random_bytes_on_every_port(self):
        for kind in self.cluster.ports:
            for size in (1, 10, 64, 1000, 100_000):
                with self.raw(kind) as peer:
                    try:
                        peer.sendall(self.random.randbytes(size))
                        peer.shutdown(socket.SHUT_WR)
                        while peer.recv(4096):
                            pass
                    except OSError:
                        pass  # the broker may cut us off at any byte

    def test_a_valid_greeting_and_then_garbage(self):
        for kind in ("client", "worker", "beat", "pulse"):
            for _ in range(20):
                with self.raw(kind) as peer:
                    try:
                        peer.sendall(GREETING + self.random.randbytes(200))
                        peer.recv(64)
                    except OSError:
                        pass

    def test_garbage_frames_are_refused_and_counted(self):
        sent = 0
        for kind in ("client", "worker"):
            dealer = self.dealer(kind)
            for parts in ([b""], [b"x"], [b"MRC1"], [b"\0" * 8, b"\0" * 8], [b"a", b"b", b"c"],
                          [self.random.randbytes(300)], [self.random.randbytes(5000)] * 2):
                dealer.send_multipart(parts)
                sent += 1
            dealer.send_multipart([b"p"] * 50)
            sent += 1
            self.assertTrue(dealer.poll(10_000), f"a {kind} hears why")
        self.cluster.wait_for_metric("bad_messages_total", lambda count: count >= sent)

    def test_garbage_beats_are_dropped(self):
        publisher = self.context.socket(zmq.PUB)
        publisher.linger = 0
        publisher.connect(f"tcp://127.0.0.1:{self.cluster.ports['beat']}")

        def shout():
            publisher.send(self.random.randbytes(self.random.randrange(1, 500)))
            publisher.send_multipart([b"topic", b"body"])
            return (self.cluster.metric("bad_messages_total") or 0) >= 10

        wait_for(shout, "ten dropped beats")

    def test_mutated_real_messages(self):
        """What a real client and worker say, with bytes changed: most are refused, none harms."""
        for kind, captured in (("client", self.capture("client")), ("worker", self.capture("worker"))):
            dealer = self.dealer(kind)
            for _ in range(3000):
                frames = [bytearray(frame) for frame in self.random.choice(captured)]
                frame = self.random.choice(frames)
                for _ in range(self.random.randrange(1, 6)):
                    if frame:
                        frame[self.random.randrange(len(frame))] = self.random.randrange(256)
                if self.random.random() < 0.2:
                    del frame[self.random.randrange(len(frame) + 1):]
                # The ids and the queue of a Submit must not become a valid new task.
                if kind == "client" and len(frames) > 1:
                    frames = frames[:1]
                dealer.send_multipart(frames)
            self.assertTrue(dealer.poll(10_000))

    def capture(self, kind):
        """The messages a real program sends to a ROUTER of ours."""
        router = self.context.socket(zmq.ROUTER)
        router.linger = 0
        port = router.bind_to_random_port("tcp://127.0.0.1")
        if kind == "client":
            program = self.cluster.start("millrace", "--broker", f"127.0.0.1:{port}", "submit",
                                         "captured", "--count", "3", "--timeout", "3s", log="c.log")
        else:
            program = self.cluster.start("millrace-worker", "--broker", f"127.0.0.1:{port}", "--queue",
                                         "captured", "--builtin", "echo", log="cw.log")
        captured = []
        while router.poll(1500) and len(captured) < 10:
            captured.append(router.recv_multipart()[1:])
        program.kill()
        router.close()
        self.assertTrue(captured)
        return captured

    def test_a_frame_over_the_limit_cuts_the_connection_only(self):
        with self.raw("client") as peer:
            peer.sendall(GREETING)
            peer.recv(64)
            ready = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
            peer.sendall(b"\x04" + bytes([len(ready)]) + ready)
            try:
                peer.sendall(b"\x02" + struct.pack(">Q", 1 << 40) + b"x" * 1000)
                while peer.recv(4096):
                    pass
            except OSError:
                pass

    def test_two_hundred_silent_connections(self):
        peers = [self.raw(kind) for kind in ("client", "worker") for _ in range(100)]
        self.assertEqual(self.cluster.client("stats").returncode, 0)
        for peer in peers:
            peer.close()

    def test_http_garbage(self):
        requests = (b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /metrics\r\n\r\n",
                    b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                    b"GET /tasks/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                    self.random.randbytes(3000))
        for request in requests:
            with self.raw("http") as peer:
                peer.settimeout(10)
                try:
                    peer.sendall(request)
                    peer.shutdown(socket.SHUT_WR)
                    answer = b""
                    while piece := peer.recv(4096):
                        answer += piece
                except OSError:
                    continue
                self.assertNotIn(b"root:", answer)
        self.assertEqual(self.cluster.http("/nothing")[0], 404)
        self.assertEqual(self.cluster.http("/metrics", method="DELETE")[0], 405)
        self.assertEqual(self.cluster.http("/tasks/not-an-id")[0], 400)
        self.assertEqual(self.cluster.http("/tasks/0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f")[0], 404)
        self.assertEqual(self.cluster.http("/livez")[0], 200)
        self.assertEqual(self.cluster.http("/readyz")[0], 200)
        self.assertIn("# TYPE", self.cluster.http("/metrics?format=prometheus")[1])

    def test_slow_http_readers_do_not_starve_others(self):
        peers = [self.raw("http") for _ in range(12)]
        for peer in peers:
            peer.sendall(b"GET /metr")
        self.assertEqual(self.cluster.http("/livez")[0], 200)
        for peer in peers:
            peer.close()

    def test_many_clients_at_once(self):
        results = []

        def client():
            results.append(self.cluster.client("queues", "--json").returncode)

        threads = [threading.Thread(target=client) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(results), {0})


if __name__ == "__main__":
    unittest.main()
