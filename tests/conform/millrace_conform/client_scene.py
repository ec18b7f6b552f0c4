"""A client under test and a broker that obeys the case: what client cases are written with."""

import collections
import json
import uuid

from . import wire
from .candidate import Candidate
from .case import Failure, check
from .stage import Stage

SECOND_NS = 1_000_000_000
GOOD = ("accepted", "duplicate")

Spec = collections.namedtuple("Spec", "id queue payload data")


class ClientScene(Stage):
    """Answers hellos, pings and watches by itself, as far as the case leaves that on."""

    def __init__(self, context, patience, command):
        super().__init__(context, patience)
        self.command = command
        self.queue = f"conform.{uuid.uuid4().hex[:8]}"
        self.answers_hello = True
        self.answers_ping = True
        self.answers_watch = True
        self.welcome_changes = {}      # fields of every ClientWelcome that differ from the usual
        self.ended = {}                # task -> (state, reason, result, error)
        self._served = 0

    def start(self, *words):
        """Starts the program under test with the words of its order."""
        self.candidate = Candidate([*self.command, *map(str, words)], {
            "broker": self.address(), "queue": self.queue})

    # ---- what goes by itself --------------------------------------------------------------------

    def pump(self, seconds):
        super().pump(seconds)
        new, self._served = self.heard[self._served:], len(self.heard)
        for heard in new:
            if heard.message is not None:
                self._serve(heard)

    def _serve(self, heard):
        name, fields = heard.message.name, heard.message.fields
        if name == "ClientHello" and self.answers_hello:
            self.reply(heard, "ClientWelcome", self.welcome_fields())
        elif name == "Ping" and self.answers_ping:
            self.reply(heard, "Pong", {"epoch": self.epoch})
        elif name == "Watch" and self.answers_watch:
            self.reply(heard, "Watching", {})
            self.tell_ends([task for task in fields["tasks"] if task in self.ended])

    def welcome_fields(self):
        return {"epoch": self.epoch, "beat_interval_ns": SECOND_NS // 10, "limits": {},
                "endpoints": {"client_port": self.ports["peer"].number,
                              "pulse_port": self.ports["pulse"].number},
                "broker_version": "conformance kit", **self.welcome_changes}

    def reply(self, heard, name, fields=None, parts=(), **options):
        """Answers one message, to who sent it, under its request."""
        self.peer = heard.peer
        self.send(name, fields, parts, request=heard.message.request, **options)

    # ---- steps ----------------------------------------------------------------------------------

    def begin_submit(self, count=1):
        """A client that submits; its first Submit, not answered."""
        self.open()
        self.start("submit", self.queue, count)
        return self.expect_submit()

    def expect_submit(self, within=None):
        return self.expect("Submit", lambda submit: submit["spec_bytes"], "a Submit with items",
                           within)

    def take_of_other(self, name, peer):
        """As take, of a message that came from another socket than `peer`."""
        for position, heard in enumerate(self.inbox):
            if heard.message is not None and heard.message.name == name and heard.peer != peer:
                return self.inbox.pop(position)
        return None

    def specs(self, heard):
        """The tasks of a Submit. Raises Failure when one cannot be read."""
        specs = []
        for data in heard.message.parts:
            try:
                fields = wire.read_spec(data)
            except wire.flatbuffer.Unreadable as error:
                raise Failure("specs that verify", str(error)) from error
            specs.append(Spec(fields["id"], fields["queue"], fields["payload"], data))
        return specs

    def ids(self, heard):
        return [spec.id for spec in self.specs(heard)]

    def accept(self, heard, *statuses, **fields):
        """Answers a Submit: accepted, or as said."""
        statuses = list(statuses) or ["accepted"] * len(heard.message.parts)
        messages = ["" if status in GOOD else "because the case says so" for status in statuses]
        self.reply(heard, "Submitted", {
            "statuses": statuses, "messages": messages if any(messages) else [], **fields})

    def finish(self, *tasks, state="succeeded", reason="none", result=b"", error=b"", tell=True):
        """The tasks have ended; with `tell` the client hears of it."""
        for task in tasks:
            self.ended[task] = (state, reason, result, error)
        if tell:
            self.tell_ends(tasks)

    def finished_message(self, tasks):
        entries, errors, parts = [], b"", []
        for task in tasks:
            state, reason, result, error = self.ended[task]
            entries.append({"id": task, "state": state, "reason": reason, "attempts": 1,
                            "result_bytes": len(result), "error_bytes": len(error)})
            errors += error
            parts.append(result)
        return {"tasks": entries, "errors": errors}, parts

    def tell_ends(self, tasks):
        if tasks:
            self.send("Finished", *self.finished_message(tasks))

    def accept_and_finish(self, heard):
        """Takes all tasks of a Submit and ends them well. Their ids."""
        ids = self.ids(heard)
        self.accept(heard)
        self.finish(*ids)
        return ids

    # ---- judgements -----------------------------------------------------------------------------

    def ended_with(self, expected_success, within=None):
        """Waits for the end of the program, and checks whether it tells of success."""
        self.wait(lambda: self.candidate.exit_code is not None, "the end of the program", within)
        code = self.candidate.exit_code
        expected = "exit code 0" if expected_success else "an exit code that tells of a failure"
        check((code == 0) == expected_success and code >= 0, expected,
              f"exit code {code}, saying {self.candidate.last_words()!r}")

    def printed(self):
        """{id: state} of the lines that the program printed. A task on two lines is a failure."""
        states = {}
        for line in self.candidate.output():
            try:
                shown = json.loads(line)
            except ValueError:
                continue
            if isinstance(shown, dict) and "id" in shown and "state" in shown:
                check(shown["id"] not in states, "each task on one line", f"{shown['id']} on two")
                states[shown["id"]] = shown["state"]
        return states

    def succeeds(self, ids):
        """The program ends well and has printed exactly these tasks as succeeded."""
        self.ended_with(True)
        check(self.printed() == {task: "succeeded" for task in ids},
              f"a line for each of {len(ids)} tasks, succeeded", self.printed())
