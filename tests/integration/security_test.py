"""Keys, roles, revocation and the HTTP token, from outside: whoever may not, changes nothing."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import unittest

import zmq
from cluster import BINARIES, DEADLINE_SECONDS, Cluster, ClusterTest, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "worker", "python"))
import millrace  # noqa: E402  pylint: disable=wrong-import-position

USAGE, UNREACHABLE, REFUSED = 2, 3, 78


def keygen(*arguments):
    return subprocess.run([os.path.join(BINARIES, "millrace"), "keygen", *arguments],
                          capture_output=True, text=True, timeout=DEADLINE_SECONDS)


class KeyedCluster(Cluster):
    """A cluster whose broker asks for keys."""

    def __init__(self):
        super().__init__()
        self.keys = os.path.join(self.folder, "keys")
        assert keygen(self.keys).returncode == 0

    def key(self, name):
        return os.path.join(self.keys, f"{name}.key")

    def start_broker(self, *extra):
        return super().start_broker("--keys", self.keys, *extra)

    def start_keyed_worker(self, name, *work, key="worker", **options):
        return self.start_worker(name, *work, extra=("--key", self.key(key)), **options)

    def run_as(self, key, *arguments, **options):
        """`millrace ARGUMENTS` under this key."""
        return self.client("--key", self.key(key), *arguments, **options)

    def queue(self, name):
        def look():
            queues = self.json("/queues").get("queues", ())
            return next((queue for queue in queues if queue["name"] == name), None)
        return wait_for(look, f"the queue {name}")

    def log(self):
        with open(os.path.join(self.folder, "broker.log"), encoding="utf-8") as log:
            return log.read()

    def allowlist(self):
        with open(os.path.join(self.keys, "allowlist.toml"), encoding="utf-8") as file:
            return file.read()

    def write_allowlist(self, text):
        """As an editor does: another file takes its place."""
        path = os.path.join(self.keys, "allowlist.toml")
        with open(path + "~", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + "~", path)

    def revoke(self, name):
        self.write_allowlist(re.sub(rf"\[{name}\]\n(\w.*\n)*", "", self.allowlist()))


class KeysTest(ClusterTest):
    cluster_type = KeyedCluster

    def setUp(self):
        self.cluster.start_broker()

    def assert_refused(self, finished, code, words):
        self.assertEqual(finished.returncode, code, finished.stderr)
        self.assertIn(words, finished.stderr)
        self.assertEqual(finished.stderr.count("\n"), 1, "one line")


class Admission(KeysTest):
    def test_with_keys_everything_works_and_without_nothing_does(self):
        cluster = self.cluster
        cluster.start_keyed_worker("w", "--builtin", "echo")
        done = cluster.run_as("client", "submit", "demo", "--count", "20", "--wait", "--json")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["succeeded"], 20, done.stderr)
        # Another set's key for the right broker: nobody's.
        strangers = os.path.join(cluster.folder, "strangers")
        keygen(strangers)
        with open(cluster.key("client"), encoding="utf-8") as file:
            broker = json.load(file)["broker"]
        with open(os.path.join(strangers, "admin.key"), encoding="utf-8") as file:
            stranger = dict(json.load(file), broker=broker)
        path = os.path.join(cluster.keys, "stranger.key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            json.dump(stranger, file)
        for arguments in (("--timeout", "1s", "submit", "demo", "--count", "1"),
                          ("--timeout", "1s", "queue", "pause", "demo")):
            self.assert_refused(cluster.client(*arguments), UNREACHABLE, "is it running")
            self.assert_refused(cluster.run_as("stranger", *arguments), UNREACHABLE, "allowlist")
        cluster.wait_for_metric("submitted_tasks", lambda value: value == 20)
        self.assertFalse(cluster.queue("demo")["paused"])
        wait_for(lambda: "is not in the allowlist" in cluster.log(), "the refusal in the log")
        self.assertNotIn(stranger["secret"], cluster.log())

    def test_each_role_may_do_its_own_and_nothing_else(self):
        cluster = self.cluster
        task = cluster.run_as("client", "submit", "demo", "--count", "1").stdout.strip()
        refused = (("client", ("queue", "pause", "demo"), "may not control queues"),
                   ("client", ("queue", "purge", "demo"), "may not change tasks"),
                   ("client", ("worker", "drain", "w"), "may not control workers"),
                   ("client", ("dlq", "requeue", task), "may not requeue"),
                   ("client", ("dlq", "purge", task), "may not purge"),
                   ("worker", ("submit", "demo", "--count", "1"), "may not act as a client"),
                   ("worker", ("cancel", task), "may not act as a client"),
                   ("worker", ("queues",), "may not act as a client"))
        for key, arguments, words in refused:
            finished = cluster.run_as(key, *arguments)
            self.assertNotEqual(finished.returncode, 0, arguments)
            self.assertIn(words, finished.stderr)
        for key in ("client", "admin"):
            worker = cluster.start_keyed_worker(f"as-{key}", "--builtin", "echo", key=key)
            self.assertEqual(worker.wait(DEADLINE_SECONDS), REFUSED)
        self.assertEqual(cluster.task(task)["state"], "pending")
        cluster.wait_for_metric("submitted_tasks", lambda value: value == 1)
        cluster.wait_for_metric("connected_workers", lambda value: value == 0)
        self.assertFalse(cluster.queue("demo")["paused"])
        self.assertEqual(cluster.run_as("admin", "queue", "pause", "demo").returncode, 0)
        self.assertEqual(cluster.run_as("client", "cancel", task).returncode, 0)

    def test_a_key_for_some_queues(self):
        cluster = self.cluster
        cluster.write_allowlist(cluster.allowlist().replace(
            'role = "client"', 'role = "client"\nqueues = ["mail", "sms.*"]').replace(
            'role = "worker"', 'role = "worker"\nqueues = ["mail"]'))
        wait_for(lambda: "was read again" in cluster.log(), "the new allowlist")
        secret = cluster.run_as("admin", "submit", "pay", "--count", "1").stdout.strip()
        self.assertEqual(cluster.run_as("client", "submit", "sms.de", "--count", "1").returncode, 0)
        denied = cluster.run_as("client", "submit", "pay", "--count", "1")
        self.assertNotEqual(denied.returncode, 0)
        self.assertIn("may not use the queue 'pay'", denied.stderr)
        self.assertEqual(cluster.queue("pay")["pending"], 1)
        self.assertNotEqual(cluster.run_as("client", "get", secret).returncode, 0)
        self.assertNotEqual(cluster.run_as("client", "cancel", secret).returncode, 0)
        self.assertNotIn(secret, cluster.run_as("client", "tasks").stdout)
        self.assertEqual(cluster.task(secret)["state"], "pending")
        worker = cluster.start_keyed_worker("w", "--builtin", "echo", queue="mail,pay")
        self.assertEqual(worker.wait(DEADLINE_SECONDS), REFUSED)

    def test_every_language_shows_its_key(self):
        cluster = self.cluster
        generated = os.path.join(cluster.folder, "generated")
        schemas = [f"{name}.fbs" for name in ("uuid", "task", "control", "heartbeat")]
        subprocess.run(["flatc", "--python", "--gen-object-api", "-o", generated, *schemas],
                       cwd=os.path.join(ROOT, "schemas"), check=True)
        plain = subprocess.Popen(
            [sys.executable, "-B", os.path.join(ROOT, "worker", "examples", "plain_worker.py"),
             f"127.0.0.1:{cluster.ports['worker']}", "plain", "2", cluster.key("worker")],
            env={**os.environ, "PYTHONPATH": generated})
        self.addCleanup(plain.wait)
        self.addCleanup(plain.kill)
        worker = millrace.Worker(f"127.0.0.1:{cluster.ports['worker']}", key=cluster.key("worker"),
                                 slots=1)
        worker.handle("python", lambda task: task.payload)
        running = threading.Thread(target=worker.run, kwargs={"handle_signals": False})
        running.start()
        broker = f"127.0.0.1:{cluster.ports['client']}"
        try:
            with millrace.Client(broker, key=cluster.key("client")) as client:
                for queue in ("plain", "python"):
                    end = client.wait(client.submit(millrace.TaskSpec(queue, b"hi")), timeout=60)
                    self.assertEqual(end.result, b"hi")
                with self.assertRaises(millrace.Forbidden):
                    client.control_queue("plain", millrace.QueueAction.pause)
        finally:
            worker.request_stop()
            running.join()
        with self.assertRaises(millrace.Forbidden):
            millrace.Client(broker, key=cluster.key("worker"))
        with self.assertRaises(millrace.Unavailable):
            millrace.Client(broker, connect_timeout=0.5)
        os.chmod(cluster.key("client"), 0o644)
        with self.assertRaisesRegex(millrace.Misconfigured, "chmod 600"):
            millrace.Client(broker, key=cluster.key("client"))


class Revocation(KeysTest):
    def test_a_revoked_worker_loses_its_task_to_another_and_its_result_counts_for_nothing(self):
        cluster = self.cluster
        self.assertEqual(keygen("--add", "w2", "--role", "worker", cluster.keys).returncode, 0)
        cluster.start_keyed_worker("revoked", "--", "sh", "-c", "cat; echo from $0; sleep 3",
                                   "revoked")
        submit = cluster.run_as("client", "submit", "demo", "--count", "1", "--payload", "x")
        task = submit.stdout.strip()
        wait_for(lambda: cluster.task(task)["state"] == "in_progress", "the start")
        cluster.revoke("worker")
        wait_for(lambda: cluster.task(task)["state"] != "in_progress", "the end of the lease")
        cluster.wait_for_metric("connected_workers", lambda value: value == 0)
        wait_for(lambda: len(cluster.ends()) == 1, "the revoked worker's program ends all the same")
        self.assertNotEqual(cluster.task(task)["state"], "succeeded")
        cluster.start_keyed_worker("w2", "--", "sh", "-c", "cat; echo from $0", "w2", key="w2")
        ended = cluster.run_as("client", "wait", task, "--json")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("from w2", cluster.run_as("client", "get", task, "--json").stdout)
        self.assertEqual(list(cluster.json("/workers")), ["w2"])
        self.assert_books_balance()

    def test_a_revoked_client_is_answered_nothing(self):
        cluster = self.cluster
        with millrace.Client(f"127.0.0.1:{cluster.ports['client']}", key=cluster.key("client"),
                             call_timeout=2) as client:
            client.submit(millrace.TaskSpec("demo", b"before"))
            cluster.revoke("client")
            wait_for(lambda: "was read again" in cluster.log(), "the new allowlist")
            # The loop takes it over at its next turn, a quarter of a second later at most.
            wait_for(lambda: cluster.metric("connected_clients") is not None, "a status")
            with self.assertRaises(millrace.Unavailable):
                while True:
                    client.submit(millrace.TaskSpec("demo", b"after"))
            submitted = cluster.metric("submitted_tasks")
            with self.assertRaises(millrace.Unavailable):
                client.submit(millrace.TaskSpec("demo", b"after"))
            cluster.wait_for_metric("submitted_tasks", lambda value: value == submitted)

    def test_a_broken_or_missing_allowlist_changes_nothing(self):
        cluster = self.cluster
        cluster.start_keyed_worker("w", "--builtin", "echo")
        good = cluster.allowlist()
        for number, text in enumerate(("[garbage", "", "[a]\nrole = \"admin\"\n"), 1):
            cluster.write_allowlist(text)
            wait_for(lambda: cluster.log().count("stays in force") == number, "one line about it")
        os.unlink(os.path.join(cluster.keys, "allowlist.toml"))
        wait_for(lambda: cluster.log().count("stays in force") == 4, "one line about it")
        done = cluster.run_as("client", "submit", "demo", "--count", "5", "--wait")
        self.assertEqual(done.returncode, 0, done.stderr)
        cluster.write_allowlist(good)
        cluster.broker.send_signal(1)  # SIGHUP asks for it to be read, and ends nothing
        wait_for(lambda: "was read again" in cluster.log(), "the good one")
        self.assertIsNone(cluster.broker.poll())

    def test_a_restart_keeps_keys_and_running_tasks(self):
        cluster = self.cluster
        cluster.start_keyed_worker("w", "--", "sh", "-c", "cat; sleep 2")
        task = cluster.run_as("client", "submit", "demo", "--count", "1").stdout.strip()
        wait_for(lambda: cluster.task(task)["state"] == "in_progress", "the start")
        cluster.kill_broker()
        cluster.start_broker()
        self.assertEqual(cluster.run_as("client", "wait", task).returncode, 0)
        self.assert_no_second_start()


class Hostility(KeysTest):
    def test_floods_of_raw_connections_on_every_port(self):
        cluster = self.cluster
        cluster.start_keyed_worker("w", "--builtin", "echo")
        curve = (b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"CURVE".ljust(20, b"\0") + b"\0"
                 + bytes(31))
        null = curve.replace(b"CURVE", b"NULL\0")
        hello = b"\x04\xc8\x05HELLO\x01\x00" + bytes(72) + os.urandom(120)
        begins = (b"", b"\xff", curve, null, curve + hello, curve + os.urandom(300),
                  b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"POST /v1/tasks HTTP/1.1\r\n")
        held = []
        try:
            for port in cluster.ports.values():
                for begin in begins * 5:
                    peer = socket.create_connection(("127.0.0.1", port), timeout=5)
                    held.append(peer)  # and never a word again
                    peer.sendall(begin)
            done = cluster.run_as("client", "submit", "demo", "--count", "50", "--wait")
            self.assertEqual(done.returncode, 0, done.stderr)
            wait_for(lambda: cluster.http("/livez")[0] == 200, "HTTP answers")
        finally:
            for peer in held:
                peer.close()
        self.assertIsNone(cluster.broker.poll())

    def test_a_trickle_of_headers_holds_no_thread(self):
        peers = [socket.create_connection(("127.0.0.1", self.cluster.ports["http"]), timeout=5)
                 for _ in range(100)]
        stop = threading.Event()

        def trickle():
            while not stop.wait(0.2):
                for peer in peers:
                    try:
                        peer.sendall(b"X")
                    except OSError:
                        pass

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            wait_for(lambda: self.cluster.http("/metrics")[0] == 200, "an answer meanwhile")
        finally:
            stop.set()
            thread.join()
            for peer in peers:
                peer.close()

    def test_a_chosen_routing_id_is_not_served(self):
        with open(self.cluster.key("client"), encoding="utf-8") as file:
            key = json.load(file)
        context = zmq.Context()
        dealer = context.socket(zmq.DEALER)
        try:
            dealer.curve_serverkey, dealer.curve_publickey, dealer.curve_secretkey = (
                key[name].encode() for name in ("broker", "public", "secret"))
            dealer.routing_id = b"somebody else"
            dealer.connect(f"tcp://127.0.0.1:{self.cluster.ports['client']}")
            dealer.send(b"MRC1")
            self.assertEqual(dealer.poll(1_000), 0)
        finally:
            context.destroy(linger=0)

    def test_no_secret_shows_up_anywhere(self):
        cluster = self.cluster
        worker = cluster.start_keyed_worker("w", "--builtin", "echo")
        cluster.wait_for_workers(1)
        secrets = []
        for name in ("broker", "worker", "client", "admin"):
            with open(cluster.key(name), encoding="utf-8") as file:
                secrets.append(json.load(file)["secret"])
        with open(os.path.join(cluster.data, "http-token"), encoding="utf-8") as file:
            secrets.append(file.read().strip())
        seen = [cluster.log(), cluster.http("/metrics")[1], cluster.http("/workers")[1],
                cluster.run_as("admin", "--log-level", "trace", "stats", "--json").stdout]
        for process in (cluster.broker, worker):
            for file in ("cmdline", "environ"):
                with open(f"/proc/{process.pid}/{file}", "rb") as text:
                    seen.append(text.read().decode(errors="replace"))
        for secret in secrets:
            self.assertFalse([text for text in seen if secret in text])


class Refusals(unittest.TestCase):
    """What does not start, with its exit code and its one line."""

    def setUp(self):
        self.cluster = KeyedCluster()
        self.addCleanup(self.cluster.__exit__, None, None, None)

    def broker(self, *arguments):
        command = [os.path.join(BINARIES, "millrace-broker"), "--data", self.cluster.data,
                   "--http-port", "0", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS)

    def assert_refused(self, finished, code, words):
        self.assertEqual(finished.returncode, code, finished.stderr)
        lines = [line for line in finished.stderr.splitlines() if not line.startswith("20")]
        self.assertEqual(len(lines), 1, finished.stderr)
        self.assertIn(words, lines[0])

    def test_the_network_without_keys(self):
        for host in ("0.0.0.0", "::", "10.1.2.3", "127.0.0.1.example.org"):
            self.assert_refused(self.broker("--bind", host), REFUSED, "--keys FOLDER")

    def test_keys_that_others_may_read_or_change(self):
        os.chmod(self.cluster.key("broker"), 0o640)
        self.assert_refused(self.broker("--keys", self.cluster.keys), REFUSED, "chmod 600")
        os.chmod(self.cluster.key("broker"), 0o600)
        os.chmod(os.path.join(self.cluster.keys, "allowlist.toml"), 0o666)
        self.assert_refused(self.broker("--keys", self.cluster.keys), REFUSED, "chmod go-w")
        os.chmod(self.cluster.key("client"), 0o644)
        client = subprocess.run([os.path.join(BINARIES, "millrace"), "--key",
                                 self.cluster.key("client"), "queues"], capture_output=True,
                                text=True, timeout=DEADLINE_SECONDS)
        self.assert_refused(client, USAGE, "chmod 600")

    def test_no_keys_where_keys_should_be(self):
        self.assert_refused(self.broker("--keys", "/nonexistent"), REFUSED, "broker.key")
        shutil.copy(self.cluster.key("broker"), os.path.join(self.cluster.folder, "broker.key"))
        os.chmod(os.path.join(self.cluster.folder, "broker.key"), 0o600)
        self.assert_refused(self.broker("--keys", self.cluster.folder), REFUSED, "allowlist.toml")
        self.cluster.write_allowlist("")
        self.assert_refused(self.broker("--keys", self.cluster.keys), REFUSED, "has no keys")

    def test_nothing_is_overwritten(self):
        before = self.cluster.allowlist()
        again = keygen(self.cluster.keys)
        self.assertEqual(again.returncode, USAGE)
        self.assertIn("is not overwritten", again.stderr)
        self.assertEqual(keygen("--add", "client", self.cluster.keys).returncode, USAGE)
        self.assertEqual(self.cluster.allowlist(), before)


class Packaging(unittest.TestCase):
    UNIT = os.path.join(ROOT, "packaging", "systemd", "millrace-broker.service")

    def test_the_unit_is_hardened(self):
        with open(self.UNIT, encoding="utf-8") as file:
            self.assertIn("SystemCallFilter=sched_setscheduler\n", file.read(),
                          "libzmq aborts without it")
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd is not installed")
        rated = subprocess.run(["systemd-analyze", "security", "--offline=yes", self.UNIT],
                               capture_output=True, text=True, timeout=DEADLINE_SECONDS)
        found = re.search(r"exposure level for .*: ([0-9.]+)", rated.stdout)
        if found is None:
            self.skipTest("this systemd does not rate a file")
        self.assertLessEqual(float(found.group(1)), 2.0)


class HttpToken(ClusterTest):
    def test_what_changes_something_needs_the_token(self):
        cluster = self.cluster
        cluster.start_broker()
        token_file = os.path.join(cluster.data, "http-token")
        for path in (token_file, cluster.http_header):
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(token_file, encoding="utf-8") as file:
            token = file.read().strip()

        def submit(*headers):
            return subprocess.run(
                ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *headers, "--json",
                 '{"queue": "q", "payload": "x"}',
                 f"http://127.0.0.1:{cluster.ports['http']}/v1/tasks"],
                capture_output=True, text=True, timeout=DEADLINE_SECONDS).stdout

        self.assertEqual(submit(), "401")
        self.assertEqual(submit("-H", "Authorization: Bearer x" + token[1:]), "401")
        cluster.wait_for_metric("submitted_tasks", lambda value: value == 0)
        self.assertEqual(submit("-H", f"@{cluster.http_header}"), "202")
        self.assertEqual(submit("-H", f"Authorization: Bearer {token}"), "202")
        self.assertEqual(cluster.http("/metrics", {"X-Forwarded-For": "192.0.2.1"})[0], 401)
        self.assertEqual(cluster.http("/readyz", {"X-Forwarded-For": "192.0.2.1"})[0], 200)
        cluster.kill_broker()
        cluster.start_broker()
        self.assertEqual(submit("-H", f"@{cluster.http_header}"), "202", "the token stays")

    def test_readers_are_who_the_flag_says(self):
        cluster = self.cluster
        cluster.start_broker("--http-readers", "nobody")
        self.assertEqual(cluster.http("/metrics")[0], 401)
        with open(cluster.http_header, encoding="utf-8") as file:
            name, _, value = file.read().strip().partition(": ")
        self.assertEqual(cluster.http("/metrics", {name: value})[0], 200)


if __name__ == "__main__":
    unittest.main()
