"""A client of one loop and no library, for the test of the kit: right by itself, and wrong in the
ways of faulty_client.py. Takes the kit's orders.
"""

import json
import os
import sys
import time
import uuid

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from millrace_conform import wire  # noqa: E402: the path comes first
from millrace_conform.flatbuffer import Unreadable  # noqa: E402

HELLO_SECONDS = 1.5
REPEAT_SECONDS = 2.0
PING_SECONDS = 1.0
SILENCE_SECONDS = 3.0
RECONNECT_SECONDS = 0.2
GOOD = ("accepted", "duplicate")
PASSING = ("busy", "store_full", "shutting_down")
DEFAULTS = {"frame_bytes_max": 32 << 20, "batch_items_max": 10_000}
ITEM_BYTES = 64  # beside its spec


class Client:
    """Each step is a method, so that a fault is one method that does otherwise."""

    def __init__(self, broker, order, *words):
        self.broker = broker
        self.host = broker.rpartition(":")[0]
        self.context = zmq.Context()
        self.dealer = self.subscriber = None
        self.client = str(uuid.uuid4())
        self.requests = 0
        self.open = False
        self.hello_request, self.hello_due = 0, 0.0
        self.epoch, self.limits = None, dict(DEFAULTS)
        self.pulse_port = 0
        self.heard = self.pinged = self.end_heard = 0.0
        self.specs = {}       # task -> spec, not yet accepted or refused
        self.hold = 0.0       # nothing is submitted before
        self.flying = {}      # request -> (name, fields, parts, ids, sent)
        self.waiting = set()  # tasks whose end is wanted
        self.cancelling = None
        self.success = True
        getattr(self, "order_" + order)(*words)

    # ---- orders ---------------------------------------------------------------------------------

    def order_submit(self, queue, count):
        for number in range(int(count)):
            task = str(uuid.uuid4())
            self.specs[task] = wire.write_spec(task, queue, f"task {number}".encode())

    def order_wait(self, task):
        self.waiting.add(task)

    def order_cancel(self, task):
        self.cancelling = task

    # ---- the loop -------------------------------------------------------------------------------

    def run(self):
        self.now = time.monotonic()
        self.connect()
        while self.specs or self.waiting or self.cancelling:
            poller = zmq.Poller()
            for opened in filter(None, (self.dealer, self.subscriber)):
                poller.register(opened, zmq.POLLIN)
            poller.poll(20)
            self.now = time.monotonic()
            self.hear()
            self.step()
        self.send("ClientGoodbye", {})
        self.context.destroy(linger=1000)
        return self.exit_code()

    def exit_code(self):
        return 0 if self.success else 1

    def hear(self):
        while (frames := receive(self.subscriber)) is not None:
            self.hear_pulse(frames)
        while (frames := receive(self.dealer)) is not None:
            self.hear_message(frames)

    def step(self):
        self.keep_link()
        if not self.open:
            return
        self.repeat()
        self.submit()
        self.watch()
        if self.cancelling and not self.flying:
            self.ask("Cancel", {"tasks": [self.cancelling]})

    # ---- the link -------------------------------------------------------------------------------

    def connect(self):
        if self.dealer is not None:
            self.dealer.close()
        self.dealer = self.socket(zmq.DEALER, self.broker)
        self.heard = self.now

    def socket(self, type_, address):
        opened = self.context.socket(type_)
        opened.linger, opened.immediate = 1000, True
        opened.reconnect_ivl, opened.reconnect_ivl_max = 100, 1000
        if type_ == zmq.SUB:
            opened.subscribe(b"")
        opened.connect(f"tcp://{address}")
        return opened

    def send(self, name, fields, parts=(), request=0):
        try:
            frames = wire.write(name, fields, parts, request=request)
            self.dealer.send_multipart(frames, zmq.DONTWAIT)
            return True
        except zmq.Again:
            return False  # nobody is there; all that matters is said again

    def next_request(self):
        self.requests += 1
        return self.requests

    def keep_link(self):
        if self.now - self.heard > SILENCE_SECONDS:
            self.lose_link(RECONNECT_SECONDS)
            self.connect()
        if not self.open and self.now >= self.hello_due:
            self.hello_request = self.next_request()
            fields = {"client": self.client, "protocol_version": 1}
            if self.send("ClientHello", fields, request=self.hello_request):
                self.hello_due = self.now + HELLO_SECONDS
        if self.open and self.now - max(self.heard, self.pinged) > PING_SECONDS:
            self.pinged = self.now
            self.send("Ping", {}, request=self.next_request())

    def lose_link(self, wait=0.0):
        self.open, self.hello_due = False, self.now + wait

    def hear_epoch(self, epoch):
        if self.open and epoch != self.epoch:
            self.lose_link()

    def hear_pulse(self, frames):
        try:
            pulse = wire.flatbuffer.read(wire.WIRE, "Pulse", frames[0], "MRP1")
        except Unreadable:
            return
        if len(frames) == 1 and len(frames[0]) <= 256 and pulse["protocol_version"] == 1:
            self.heard = self.now
            self.hear_epoch(pulse["epoch"])

    # ---- asking ---------------------------------------------------------------------------------

    def ask(self, name, fields, parts=(), ids=()):
        request = self.next_request()
        self.flying[request] = (name, fields, parts, ids, self.now)
        self.send(name, fields, parts, request)

    def repeat(self):
        for request, (name, fields, parts, ids, sent) in list(self.flying.items()):
            if self.now - sent < REPEAT_SECONDS:
                continue
            if name == "Watch":
                del self.flying[request]  # the next one asks for all that is left
            else:
                self.flying[request] = (name, fields, parts, ids, self.now)
                self.send(name, fields, parts, request)

    def submit(self):
        under_way = {task for _, _, _, ids, _ in self.flying.values() for task in ids}
        left = [task for task in self.specs if task not in under_way]
        while left and self.now >= self.hold:
            batch, size = [], 200
            while left and len(batch) < self.limits["batch_items_max"]:
                size += len(self.specs[left[0]]) + ITEM_BYTES
                if batch and size > self.limits["frame_bytes_max"]:
                    break
                batch.append(left.pop(0))
            specs = [self.specs[task] for task in batch]
            self.ask("Submit", {"spec_bytes": [len(spec) for spec in specs], "watch": True}, specs,
                     batch)

    def watch(self):
        watching = any(name == "Watch" for name, *_ in self.flying.values())
        if self.waiting and not watching and self.now - self.end_heard >= REPEAT_SECONDS:
            self.end_heard = self.now
            self.ask("Watch", {"tasks": sorted(self.waiting)[:self.limits["batch_items_max"]]})

    # ---- answers --------------------------------------------------------------------------------

    def hear_message(self, frames):
        try:
            message = self.read(frames)
        except Unreadable:
            return
        if message.version != 1:
            return
        self.heard = self.now
        getattr(self, "on_" + message.name, lambda _: None)(message)

    def read(self, frames):
        return wire.read(frames)

    def take_flying(self, message):
        return self.flying.pop(message.request, None)

    def on_ClientWelcome(self, message):
        if message.request != self.hello_request:
            return
        self.open, self.epoch = True, message["epoch"]
        limits = message["limits"] or {}
        self.limits = {name: limits.get(name) or default for name, default in DEFAULTS.items()}
        self.listen((message["endpoints"] or {}).get("pulse_port", 0))
        self.ask_again()

    def ask_again(self):
        self.flying.clear()
        self.end_heard = 0.0

    def listen(self, port):
        if port and port != self.pulse_port:
            self.pulse_port = port
            self.subscriber = self.socket(zmq.SUB, f"{self.host}:{port}")

    def on_Submitted(self, message):
        flying = self.flying.get(message.request)
        if flying is None or len(flying[3]) != len(message["statuses"]):
            return
        del self.flying[message.request]
        for task, status in zip(flying[3], message["statuses"]):
            self.take_status(task, status)
        self.hold_for(message)

    def hold_for(self, message):
        self.hold = self.now + message["retry_after_ns"] / 1e9

    def take_status(self, task, status):
        if status in PASSING or task not in self.specs:
            return
        del self.specs[task]
        if status in GOOD:
            self.await_end(task)
        else:
            self.success = False

    def await_end(self, task):
        self.waiting.add(task)
        self.end_heard = self.now

    def on_Watching(self, message):
        if self.take_flying(message):
            unknown = self.waiting & set(message["unknown"])
            self.waiting -= unknown
            self.success = self.success and not unknown

    def on_Finished(self, message):
        for end in message["tasks"]:
            if end["id"] in self.waiting or end["id"] in self.specs:
                self.specs.pop(end["id"], None)
                self.waiting.discard(end["id"])
                self.tell(end)
        self.end_heard = self.now

    def tell(self, end):
        print(json.dumps({"id": end["id"], "state": end["state"]}), flush=True)
        self.success = self.success and end["state"] == "succeeded"

    def on_Cancelled(self, message):
        if self.take_flying(message) and self.cancelling:
            self.cancelling = None
            self.success = message["items"][0]["status"] in ("cancelled", "cancelling")

    def on_Pong(self, message):
        self.hear_epoch(message["epoch"])

    def on_Refused(self, message):
        if message.request == self.hello_request and not self.open:
            self.lose_link(message["retry_after_ns"] / 1e9 + RECONNECT_SECONDS)
            return
        flying = self.take_flying(message)
        if message["code"] == "unknown_session":
            self.lose_link()
        elif flying is not None and message["code"] in PASSING:
            self.hold_for(message)
        elif flying is not None:
            for task in flying[3]:
                self.take_status(task, "invalid")

    def on_BrokerGoodbye(self, _):
        self.lose_link(RECONNECT_SECONDS)


def receive(opened):
    if opened is None:
        return None
    try:
        return opened.recv_multipart(zmq.DONTWAIT)
    except zmq.Again:
        return None
