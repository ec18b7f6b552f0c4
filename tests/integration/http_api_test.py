"""curl is a client and a worker: the HTTP API of the real broker, every answer held against openapi.json."""

import json
import os
import signal
import socket
import subprocess
import unittest

import jsonschema

from cluster import ClusterTest, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORKER = os.path.join(ROOT, "worker", "examples", "curl_worker.sh")
UNKNOWN = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f"

with open(os.path.join(ROOT, "broker", "admin", "openapi.json")) as file:
    OPENAPI = json.load(file)


class Answer:
    def __init__(self, text):
        while text.startswith("HTTP/1.1 100"):
            text = text.partition("\r\n\r\n")[2]
        head, _, self.body = text.partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name.lower(): value for name, _, value in
                        (line.partition(": ") for line in lines)}
        self.json = json.loads(self.body) if self.body else {}
        error = self.json.get("error")
        self.code = error["code"] if isinstance(error, dict) else None


def documented(method, path):
    """The operation of openapi.json for a request."""
    path = path.partition("?")[0]
    if path.startswith("/v1/tasks/"):
        path = "/v1/tasks/{id}"
    return OPENAPI["paths"][path][method.lower()]


def check(method, path, answer):
    """The answer is one that openapi.json knows, and its body is as written there."""
    responses = documented(method, path)["responses"]
    assert str(answer.status) in responses, f"{method} {path}: {answer.status} is not documented"
    content = responses[str(answer.status)].get("content")
    if content is None:
        assert answer.body == "", f"{method} {path}: {answer.status} has a body"
        return
    schema = dict(content["application/json"]["schema"], components=OPENAPI["components"])
    jsonschema.Draft202012Validator(schema).validate(answer.json)


class HttpApi(ClusterTest):
    broker_flags = ()

    def setUp(self):
        self.cluster.start_broker(*self.broker_flags)

    def command(self, method, path, body=None, kind="application/json", extra=()):
        url = f"http://127.0.0.1:{self.cluster.ports['http']}{path}"
        command = ["curl", "-sS", "-i", "-m", "60", "-H", f"@{self.cluster.http_header}", "-X", method,
                   *extra, url]
        if body is not None:
            text = body if isinstance(body, str) else json.dumps(body)
            command += ["-H", f"Content-Type: {kind}", "--data-binary", "@-"]
            return command, text
        return command, ""

    def curl(self, method, path, body=None, **options):
        command, text = self.command(method, path, body, **options)
        done = subprocess.run(command, input=text.encode(), capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = Answer(done.stdout.decode())
        check(method, path, answer)
        return answer

    def start_curl(self, method, path):
        command, _ = self.command(method, path)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def submit(self, queue="q", **fields):
        answer = self.curl("POST", "/v1/tasks", {"queue": queue, "payload": "work", **fields})
        self.assertEqual(answer.status, 202, answer.body)
        return answer.json["id"]

    def lease(self, queue="q", wait="20s", lease="30s"):
        answer = self.curl("POST", f"/v1/lease?queue={queue}&wait={wait}&lease={lease}&worker=curl")
        self.assertEqual(answer.status, 200, answer.body)
        return {"task": answer.json["task"], "fence": answer.json["fence"]}

    def wait_for_workers(self, count):
        wait_for(lambda: self.cluster.metric("connected_workers") == count, f"{count} workers")


class Tasks(HttpApi):
    def test_a_bad_item_does_not_harm_its_batch(self):
        lines = ('{"queue": "q", "payload": "a"}\n'
                 '{"queue": "q", "payload": 7}\n'
                 'nonsense\n'
                 '{"queue": "q", "payload_base64": "/w=="}\n')
        answer = self.curl("POST", "/v1/tasks", lines, kind="application/x-ndjson")
        self.assertEqual(answer.status, 200)
        self.assertEqual((answer.json["accepted"], answer.json["refused"]), (2, 2))
        self.assertIn("line 2", answer.json["tasks"][1]["error"]["message"])
        self.cluster.wait_for_metric("submitted_tasks", lambda value: value == 2)
        self.assertEqual(self.curl("POST", "/v1/tasks", [{"queue": "q"}]).json["refused"], 1)

    def test_an_id_submitted_again_is_the_same_task_and_another_content_a_conflict(self):
        task = {"queue": "q", "payload": "once", "id": UNKNOWN}
        self.assertEqual(self.curl("POST", "/v1/tasks", task).status, 202)
        self.assertEqual(self.curl("POST", "/v1/tasks", task).status, 200)
        answer = self.curl("POST", "/v1/tasks", {**task, "payload": "twice"})
        self.assertEqual((answer.status, answer.code), (409, "conflict"))
        self.cluster.wait_for_metric("submitted_tasks", lambda value: value == 1)

    def test_what_breaks_a_rule_changes_nothing(self):
        for body, status in (("{", 400), ('{"queue": "q"}', 400), ("[]", 400), ("", 400)):
            self.assertEqual(self.curl("POST", "/v1/tasks", body).status, status, body)
        self.assertEqual(self.curl("POST", "/v1/tasks", "{}", kind="text/plain").status, 415)
        chunked = self.curl("POST", "/v1/tasks", "{}", extra=("-H", "Transfer-Encoding: chunked"))
        self.assertEqual(chunked.status, 411)
        for path in ("heartbeat", "complete", "fail"):
            self.assertEqual(self.curl("POST", f"/v1/{path}", {"task": "x"}).status, 400)
            unknown = {"task": UNKNOWN, "fence": 1}
            self.assertEqual(self.curl("POST", f"/v1/{path}", unknown).status, 409)
        for path in ("/v1/lease", "/v1/lease?queue=a%20b", "/v1/lease?queue=q&wait=soon"):
            self.assertEqual(self.curl("POST", path).status, 400, path)
        for method in ("GET", "DELETE"):
            self.assertEqual(self.curl(method, f"/v1/tasks/{UNKNOWN}").status, 404)
            self.assertEqual(self.curl(method, "/v1/tasks/7").status, 400)
        foreign = self.curl("POST", "/v1/lease?queue=q", extra=("-H", "Origin: http://evil.example"))
        self.assertEqual(foreign.status, 403)
        self.assertEqual(self.cluster.metric("submitted_tasks"), 0)

    def test_large_bodies_up_to_the_brokers_limits(self):
        payload = "x" * (16 << 20)
        task = self.submit(payload=payload)
        self.assertEqual(self.curl("GET", f"/v1/tasks/{task}").json["payload_bytes"], len(payload))
        over = self.curl("POST", "/v1/tasks", {"queue": "q", "payload": payload + "x"})
        self.assertEqual((over.status, over.code), (400, "invalid"))
        self.assertEqual(self.curl("POST", "/v1/tasks", "x" * (33 << 20)).status, 413)

    def test_a_get_waits_for_the_end(self):
        task = self.submit()
        self.assertEqual(self.curl("GET", f"/v1/tasks/{task}?wait=0s").json["state"], "pending")
        waiting = self.start_curl("GET", f"/v1/tasks/{task}?wait=50s")
        held = self.lease()
        answer = self.curl("POST", "/v1/complete", {**held, "result_base64": "/w=="})
        self.assertEqual(answer.json["status"], "accepted")
        ended = Answer(waiting.communicate()[0].decode())
        check("GET", f"/v1/tasks/{task}", ended)
        self.assertEqual((ended.json["state"], ended.json["result_base64"]), ("succeeded", "/w=="))

    def test_a_cancel_reaches_the_holder(self):
        task = self.submit()
        held = self.lease()
        self.assertEqual(self.curl("DELETE", f"/v1/tasks/{task}").json["status"], "cancelling")
        wait_for(lambda: self.curl("POST", "/v1/heartbeat", held).code == "cancelled", "the cancel")
        wait_for(lambda: self.cluster.task(task)["state"] == "cancelled", "the end")
        again = self.curl("DELETE", f"/v1/tasks/{task}")
        self.assertIn(again.status, (200, 409))
        self.assertEqual(self.curl("POST", "/v1/complete", held).status, 409)


class Leases(HttpApi):
    def test_a_whole_worker_in_a_shell_script(self):
        lines = "".join(json.dumps({"queue": "sums", "payload": f"{n} * {n}\n", "backoff": "10ms"})
                        + "\n" for n in range(5))
        lines += json.dumps({"queue": "sums", "payload": "fail", "max_attempts": 1}) + "\n"
        tasks = self.curl("POST", "/v1/tasks", lines, kind="application/x-ndjson").json["tasks"]
        program = 'read -r line; [ "$line" != fail ] && echo "$(( $line ))"'
        worker = subprocess.Popen(
            ["bash", WORKER, "sums", "sh", "-c", program], start_new_session=True,
            env={**os.environ, "MILLRACE_HTTP": f"http://127.0.0.1:{self.cluster.ports['http']}",
                 "MILLRACE_HTTP_HEADER": self.cluster.http_header},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            ends = [self.curl("GET", f"/v1/tasks/{task['id']}?wait=60s").json for task in tasks]
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self.assertEqual([end.get("result") for end in ends[:5]], ["0", "1", "4", "9", "16"])
        self.assertEqual((ends[5]["state"], ends[5]["error"]), ("dead", "exit code 1"))
        self.assert_books_balance()

    def test_a_broker_restart_takes_no_lease_from_its_holder(self):
        tasks = [self.submit() for _ in range(2)]
        held = [self.lease() for _ in tasks]
        self.cluster.kill_broker()
        self.cluster.start_broker("--adoption-grace", "60s")
        self.assertEqual(self.curl("POST", "/v1/heartbeat", held[0]).json["status"], "held")
        for lease in held:  # one that has been heard of since the restart, and one that has not
            answer = self.curl("POST", "/v1/complete", {**lease, "result": "done"})
            self.assertEqual(answer.json["status"], "accepted")
        for task in tasks:
            end = self.curl("GET", f"/v1/tasks/{task}").json
            self.assertEqual((end["state"], end["attempts"]), ("succeeded", 1))
        self.assert_books_balance()

    def test_a_repeated_completion_is_accepted_again_over_a_restart_too(self):
        self.submit()
        held = {**self.lease(), "result": "done"}
        for _ in range(2):
            self.assertEqual(self.curl("POST", "/v1/complete", held).status, 200)
        self.cluster.kill_broker()
        self.cluster.start_broker()
        self.assertEqual(self.curl("POST", "/v1/complete", held).status, 200)

    def test_a_lapsed_lease_is_retried_and_its_holder_refused(self):
        task = self.submit(backoff="10ms")
        first = self.lease(lease="1s")
        second = self.lease()
        self.assertEqual(first["task"], second["task"])
        self.assertGreater(second["fence"], first["fence"])
        for path in ("heartbeat", "complete", "fail"):
            late = self.curl("POST", f"/v1/{path}", first)
            self.assertEqual((late.status, late.code), (409, "stale_lease"))
        self.assertEqual(self.curl("POST", "/v1/complete", second).status, 200)
        view = self.curl("GET", f"/v1/tasks/{task}").json
        self.assertEqual(view["attempts"], 2)
        self.assertIn("no heartbeat", view["attempt_records"][0]["error"])

    def test_failures_of_every_kind(self):
        task = self.submit(backoff="10ms", max_attempts=5)
        self.assertEqual(self.curl("POST", "/v1/fail", {**self.lease(), "error": "no"}).status, 200)
        self.assertEqual(self.curl("POST", "/v1/fail",
                                   {**self.lease(), "release": True}).status, 200)
        self.assertEqual(self.curl("POST", "/v1/fail",
                                   {**self.lease(), "for_good": True, "error": "never"}).status, 200)
        view = self.curl("GET", f"/v1/tasks/{task}").json
        self.assertEqual((view["state"], view["attempts"], view["error"]), ("dead", 2, "never"))

    def test_no_task_is_no_content(self):
        self.assertEqual(self.curl("POST", "/v1/lease?queue=q").status, 204)
        self.wait_for_workers(0)

    def test_a_task_is_not_given_to_a_client_that_went_away(self):
        gone = self.start_curl("POST", "/v1/lease?queue=q&wait=60s")
        self.wait_for_workers(1)
        gone.kill()
        gone.wait()
        self.wait_for_workers(0)
        task = self.submit()
        self.assertEqual(self.lease()["task"], task)
        self.assertEqual(self.cluster.task(task)["attempts"], 1)


class Limits(HttpApi):
    broker_flags = ("--http-polls", "2", "--http-leases", "3")

    def assert_busy(self, method, path, body=None):
        answer = self.curl(method, path, body)
        self.assertEqual((answer.status, answer.code), (503, "busy"), path)
        self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)

    def test_with_every_waiting_slot_taken_all_else_is_answered(self):
        task = self.submit("later", delay="1h")
        self.start_curl("POST", "/v1/lease?queue=q&wait=60s")
        self.start_curl("GET", f"/v1/tasks/{task}?wait=60s")
        self.wait_for_workers(1)
        wait_for(lambda: self.curl("POST", "/v1/lease?queue=q&wait=1s").status == 503, "busy")
        self.assert_busy("GET", f"/v1/tasks/{task}?wait=1s")
        for path in ("/metrics", "/workers", "/readyz", "/livez", "/"):
            self.assertEqual(self.cluster.http(path)[0], 200, path)
        self.assertEqual(self.curl("GET", f"/v1/tasks/{task}").status, 200)

    def test_leases_beyond_their_most_are_busy(self):
        for _ in range(3):
            self.submit()
        held = [self.lease() for _ in range(3)]
        self.assert_busy("POST", "/v1/lease?queue=q")
        self.assertEqual(self.curl("POST", "/v1/complete", held[0]).status, 200)
        wait_for(lambda: self.curl("POST", "/v1/lease?queue=q").status == 204, "room")

    def test_slow_bodies_keep_nobody_from_the_status_pages(self):
        slow = []
        with open(self.cluster.http_header, "rb") as file:
            token = file.read().strip()
        head = (b"POST /v1/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                + token + b"\r\nContent-Length: 1000\r\n\r\n{")
        for _ in range(8):
            slow.append(socket.create_connection(("127.0.0.1", self.cluster.ports["http"])))
            self.addCleanup(slow[-1].close)

        def all_taken():
            # Each is cut off when nothing comes for 0.8 s; another takes its place.
            for number, connection in enumerate(slow):
                try:
                    connection.sendall(b" ")
                except OSError:
                    connection.close()
                    slow[number] = socket.create_connection(
                        ("127.0.0.1", self.cluster.ports["http"]))
                    slow[number].sendall(head)
            return self.curl("POST", "/v1/tasks", {"queue": "q", "payload": ""}).status == 503

        for connection in slow:
            connection.sendall(head)
        wait_for(all_taken, "all slots of bodies taken")
        self.assertEqual(self.cluster.http("/metrics")[0], 200)
        self.assertEqual(self.cluster.http("/readyz")[0], 200)
        for connection in slow:
            connection.close()
        wait_for(lambda: self.curl("POST", "/v1/tasks", {"queue": "q", "payload": ""}).status == 202,
                 "the slots to be free again")

    def test_a_stop_ends_the_waits(self):
        waiting = self.start_curl("POST", "/v1/lease?queue=q&wait=60s")
        self.wait_for_workers(1)
        self.cluster.broker.terminate()
        self.assertEqual(self.cluster.broker.wait(timeout=30), 0)
        waiting.communicate(timeout=30)


if __name__ == "__main__":
    unittest.main()
