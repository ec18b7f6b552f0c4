"""A well-behaved user: a few small tasks a second, and how long each takes to its result.

usage: probe.py BROKER-ADDRESS OUT-FILE

Every task, whatever became of it, is a line "SUBMITTED-NS LATENCY-NS", -1 where no result came. It
goes on until standard input ends.
"""

import collections
import random
import select
import sys
import time

import zmq

import wire

RATE = 50
GIVE_UP_SECONDS = 5.0
SILENCE_SECONDS_MAX = 3.0


class Probe:
    """Open loop: a task is due every 1/RATE s, whether or not the ones before have ended."""

    def __init__(self, address, out):
        self._address = address
        self._out = out
        self._under_way = collections.OrderedDict()  # id -> submitted at
        self._number = 0
        self._ids = random.SystemRandom()
        self._heard = 0.0
        self._client = None

    def run(self):
        due = time.monotonic()
        while not select.select([sys.stdin], [], [], 0)[0]:
            now = time.monotonic()
            if self._client is None or now > self._heard + SILENCE_SECONDS_MAX:
                self._connect()
            self._give_up(now)
            if now >= due:
                due += 1 / RATE
                self._submit(now)
            if self._client.poll(max(0, (due - time.monotonic()) * 1000)):
                self._hear()
        self._give_up(float("inf"))

    def _connect(self):
        if self._client is not None:
            self._client.close(linger=0)
        self._client = zmq.Context.instance().socket(zmq.DEALER)
        self._client.immediate = 1
        self._client.connect(self._address)
        self._heard = time.monotonic()
        hello = wire.schema().ClientHelloT()
        hello.client = wire.pack_id(wire.new_id(self._ids))
        hello.protocolVersion = wire.PROTOCOL_VERSION
        if self._client.poll(1000, zmq.POLLOUT):
            self._client.send(wire.encode(hello, 1))

    def _submit(self, now):
        task = wire.new_id(self._ids)
        self._under_way[task] = now
        self._number += 1
        body = wire.schema().SubmitT()
        spec = wire.encode_spec(task, "probe", b"probe", maxAttempts=3)
        body.specBytes = [len(spec)]
        body.watch = True
        try:
            self._client.send_multipart([wire.encode(body, self._number + 1), spec], zmq.DONTWAIT)
        except zmq.Again:
            pass  # it counts as one without a result

    def _hear(self):
        while True:
            try:
                frames = self._client.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            self._heard = time.monotonic()
            _, name, body = wire.decode(frames[0])
            for task in body.tasks if name == "Finished" else ():
                self._note(wire.unpack_id(task.id), time.monotonic())

    def _note(self, task, ended):
        submitted = self._under_way.pop(task, None)
        if submitted is not None:
            latency = -1 if ended is None else int((ended - submitted) * 1e9)
            self._out.write(f"{int(submitted * 1e9)} {latency}\n")

    def _give_up(self, now):
        while self._under_way:
            task, submitted = next(iter(self._under_way.items()))
            if now < submitted + GIVE_UP_SECONDS:
                return
            self._note(task, None)


def main():
    address, path = sys.argv[1:]
    with open(path, "w", encoding="utf-8") as out:
        Probe(address, out).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
