"""Peers that ask too much of a broker, or hear nothing of what it says; one process each.

usage: attackers.py ROLE BROKER-HOST [NUMBER]

They go on until standard input ends, and print one JSON object of figures then. The roles:
  flood   submits as fast as it can, and waits for no answer before the next request
  deaf    NUMBER clients ask for long lists, again and again, and never read an answer
  crowd   NUMBER bare TCP connections on all ports: silent, half a greeting, or garbage
  pulse   NUMBER subscribers of the pulse that never read
  huge    the largest payloads, frames over the limit, and messages of thousands of frames
"""

import collections
import json
import os
import random
import resource
import select
import socket
import struct
import sys
import time

import zmq

import wire

PORTS = {"client": 5555, "worker": 5556, "beat": 5557, "pulse": 5558, "http": 8080}
FLOOD_BATCH = 500
FLOOD_PAYLOAD = b"10"  # milliseconds that its worker sleeps
FLOOD_TTL_NS = 600_000_000_000
LAST_ANSWERS_SECONDS = 60
CROWD_STEP_SECONDS = 0.2
CROWD_AT_ONCE = 500
PAYLOAD_BYTES_MAX = 16 << 20
FRAME_BYTES_MAX = 32 << 20
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)


def told_to_stop(seconds=0.0):
    """Whether standard input has ended, waiting that long for it."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def dealer(host, receive_messages_max=1000):
    made = zmq.Context.instance().socket(zmq.DEALER)
    made.linger = 0
    made.immediate = 1
    made.rcvhwm = receive_messages_max
    made.connect(f"tcp://{host}:{PORTS['client']}")
    hello = wire.schema().ClientHelloT()
    hello.client = wire.pack_id(wire.new_id(random))
    hello.protocolVersion = wire.PROTOCOL_VERSION
    if not made.poll(10_000, zmq.POLLOUT):
        raise SystemExit("no connection to the broker")
    made.send(wire.encode(hello, 1))
    return made


# ---- flood --------------------------------------------------------------------------------------

class SubmitMill:
    """Submit requests without the cost of encoding: one is the pattern, the ids are drawn anew."""

    def __init__(self):
        marker = "77777777-7777-4777-8777-777777777777"
        spec = wire.encode_spec(marker, "flood", FLOOD_PAYLOAD, ttlNs=FLOOD_TTL_NS, maxAttempts=1)
        high, low = divmod(int(marker.replace("-", ""), 16), 1 << 64)
        head, _, tail = spec.partition(struct.pack("<QQ", high, low))
        self._between = tail + bytes(-len(spec) % 8) + head
        self._head, self._tail = head, tail
        self._submit = wire.schema().SubmitT()
        self._submit.specBytes = [len(spec)] * FLOOD_BATCH

    def request(self, number):
        ids = os.urandom(16 * FLOOD_BATCH)
        drawn = [ids[at:at + 16] for at in range(0, len(ids), 16)]
        return [wire.encode(self._submit, number),
                self._head + self._between.join(drawn) + self._tail]


def flood(host, _):
    client = dealer(host)
    mill = SubmitMill()
    figures = collections.Counter()
    began = time.monotonic()
    number = 1
    while not told_to_stop():
        number += 1
        figures["offered_tasks"] += FLOOD_BATCH
        try:
            client.send_multipart(mill.request(number), zmq.DONTWAIT, copy=False)
            figures["sent_requests"] += 1
        except zmq.Again:
            figures["held_back_tasks"] += FLOOD_BATCH
            client.poll(1, zmq.POLLOUT)
        hear(client, figures)
    figures["milliseconds"] = int((time.monotonic() - began) * 1000)
    deadline = time.monotonic() + LAST_ANSWERS_SECONDS
    while figures["answers"] < figures["sent_requests"] and time.monotonic() < deadline:
        client.poll(100)
        hear(client, figures)
    return figures


def hear(client, figures):
    """Counts what has come, by the status of its first task: a batch is judged as a whole."""
    while True:
        try:
            frames = client.recv_multipart(zmq.DONTWAIT)
        except zmq.Again:
            return
        _, name, body = wire.decode(frames[0])
        if name == "Submitted":
            figures["answers"] += 1
            for status in body.statuses:
                figures[f"{wire.SUBMIT_STATUS[status]}_tasks"] += 1
        elif name == "Refused":
            figures["answers"] += 1
            figures["refused_requests"] += 1


# ---- those who never read -----------------------------------------------------------------------

def deaf(host, count):
    request = wire.schema().ListTasksT()
    request.limit = 1000
    clients = [dealer(host, 1) for _ in range(count)]
    figures = collections.Counter()
    while not told_to_stop(0.05):
        for client in clients:
            for _ in range(10):
                figures["requests"] += 1
                try:
                    client.send(wire.encode(request, figures["requests"]), zmq.DONTWAIT)
                except zmq.Again:
                    figures["held_back"] += 1
    return figures


def pulse(host, count):
    peers = []
    for _ in range(count):
        peer = socket.create_connection((host, PORTS["pulse"]), timeout=10)
        ready = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 3) + b"SUB"
        peer.sendall(GREETING + b"\x04" + bytes([len(ready)]) + ready + b"\x00\x01\x01")
        peers.append(peer)
    told_to_stop(None)
    return {"subscribers": len(peers)}


# ---- crowd --------------------------------------------------------------------------------------

def crowd(host, count):
    """Keeps `count` connections open: the broker may cut them, and they come again."""
    source = random.Random(1)
    first_words = (b"", GREETING[:30], GREETING, source.randbytes(100), b"GET /metr")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 200, resource.getrlimit(
        resource.RLIMIT_NOFILE)[1]))
    ports = list(PORTS.values())
    watch = select.epoll()
    peers, figures = {}, collections.Counter()
    while not told_to_stop(CROWD_STEP_SECONDS):
        for _ in range(min(CROWD_AT_ONCE, count - len(peers))):
            try:
                peer = socket.create_connection((host, source.choice(ports)), timeout=1)
                peer.sendall(source.choice(first_words))
                peer.setblocking(False)
                watch.register(peer, select.EPOLLIN)
                peers[peer.fileno()] = peer
                figures["opened"] += 1
            except OSError:
                figures["not_let_in"] += 1
                break
        figures["most_at_once"] = max(figures["most_at_once"], len(peers))
        for number, _ in watch.poll(0, CROWD_AT_ONCE):
            try:
                ended = not peers[number].recv(4096)
            except OSError:
                ended = True
            if ended:
                peers.pop(number).close()
                figures["cut"] += 1
    return figures


# ---- huge ---------------------------------------------------------------------------------------

def huge(host, _):
    """Each message on a connection of its own or on one that was cut and came again."""
    figures = collections.Counter()
    spec = wire.encode_spec(wire.new_id(random), "huge", bytes(PAYLOAD_BYTES_MAX), maxAttempts=1)
    submit = wire.schema().SubmitT()
    submit.specBytes = [len(spec)]
    messages = {
        "largest_payload": [wire.encode(submit, 2), wire.bundle([spec])],
        "frame_over_limit": [bytes(FRAME_BYTES_MAX + 1)],
        "many_frames": [b"x"] * 10_000,
        "many_empty_frames": [b""] * 10_000,
    }
    client = dealer(host, 1)
    while not told_to_stop(0.02):
        name, frames = random.choice(list(messages.items()))
        try:
            client.send_multipart(frames, zmq.DONTWAIT)
            figures[name] += 1
        except zmq.Again:
            figures["held_back"] += 1
    return figures


ROLES = {"flood": flood, "deaf": deaf, "crowd": crowd, "pulse": pulse, "huge": huge}


if __name__ == "__main__":
    given = sys.argv[1:] + ["0"]
    print(json.dumps(ROLES[given[0]](given[1], int(given[2]))), flush=True)
    os._exit(0)
