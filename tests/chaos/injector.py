"""Does to the fleet what the schedule says, notes it, and takes it back in time."""

import errno
import heapq
import os
import signal
import time

import network

FILLER_BYTES = 1 << 20
CLOCK_SECONDS_MOST = 3600


class Injector:
    """One thread drives it: `begin` what is planned, `heal_due` in between, at last `heal_all`."""

    def __init__(self, fleet, hosts, command, history):
        self._fleet = fleet
        self._hosts = hosts
        self._command = command
        self._history = history
        self._number = 0
        self._healing = []    # heap of (when, number, key, how)
        self._under = set()   # keys of what is under a fault now
        self.counts = {}

    # ---- running -------------------------------------------------------------------------------

    def begin(self, planned):
        """Does it; unless its target is under a fault already, or this round has no such target,
        and then the answer is False."""
        before = self._number
        getattr(self, "_" + planned.kind.replace("-", "_"))(planned)
        return self._number > before

    def heal_due(self):
        while self._healing and self._healing[0][0] <= time.monotonic():
            self._heal_next()

    def heal_all(self):
        while self._healing:
            self._heal_next()
        if self._fleet.clock_file:
            # Times that were stored under the clock ahead come only when it is there again, and a
            # broker takes up a new clock when it starts.
            self._fleet.set_clock(CLOCK_SECONDS_MOST)
            self._fleet.end_broker(signal.SIGTERM)
            self._fleet.start_broker()

    def _heal_next(self):
        _, number, key, how = heapq.heappop(self._healing)
        how()
        self._under.discard(key)
        self._history.note("ok", "fault", number=number)

    def _fault(self, kind, targets, key, do, seconds=0.0, heal=None):
        """`key` names what can be under one fault at a time only."""
        if key in self._under:
            return
        self._number += 1
        self._history.note("invoke", "fault", number=self._number, fault=kind, targets=targets)
        do()
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if heal is None:
            self._history.note("ok", "fault", number=self._number)
            return
        self._under.add(key)
        heapq.heappush(self._healing, (time.monotonic() + seconds, self._number, key, heal))

    # ---- the broker ----------------------------------------------------------------------------

    def _kill_broker(self, planned):
        self._fault("kill_broker", ["broker"], "broker",
                    lambda: self._fleet.end_broker(signal.SIGKILL), planned.seconds,
                    self._fleet.start_broker)

    def _stop_broker(self, planned):
        def stop():
            code = self._fleet.end_broker(signal.SIGTERM)
            if code != 0:
                self._fleet.unexpected.append(f"the broker stopped with code {code}")

        self._fault("stop_broker", ["broker"], "broker", stop, planned.seconds,
                    self._fleet.start_broker)

    def _freeze_broker(self, planned):
        process = self._fleet.broker
        self._fault("freeze_broker", ["broker"], "broker",
                    lambda: process.send_signal(signal.SIGSTOP), planned.seconds,
                    lambda: process.send_signal(signal.SIGCONT))

    def _fill_disk(self, planned):
        """Takes the last byte of the file system of the data, where it has one of its own."""
        if not os.path.ismount(self._fleet.data):
            return
        filler = os.path.join(self._fleet.data, "filler")
        self._fault("fill_disk", ["broker"], "disk", lambda: fill(filler), planned.seconds,
                    lambda: os.remove(filler))

    def _move_clock(self, planned):
        if not self._fleet.clock_file:
            return
        offset = int((2 * planned.amount - 1) * CLOCK_SECONDS_MOST)
        self._fault("move_clock", ["broker"], "clock", lambda: self._fleet.set_clock(offset))

    # ---- workers and clients -------------------------------------------------------------------

    def _pick(self, places, planned):
        return places[planned.pick % len(places)]

    def _kill_worker(self, planned):
        self._kill("kill_worker", self._pick(self._fleet.places, planned))

    def _kill_client(self, planned):
        self._kill("kill_client", self._pick(self._fleet.clients, planned))

    def _kill(self, kind, place):
        if place.stopped:
            return
        self._fault(kind, [place.current], None, lambda: self._fleet.kill_place(place))
        self._fleet.start_place(place)

    def _kill_command(self, _):
        self._fault("kill_command", ["command"], None, self._command.finish)

    def _freeze_worker(self, planned):
        self._freeze("freeze_worker", self._pick(self._fleet.places, planned), planned)

    def _freeze_client(self, planned):
        self._freeze("freeze_client", self._pick(self._fleet.clients, planned), planned)

    def _freeze(self, kind, place, planned):
        if not place.stopped:
            self._fault(kind, [place.current], place.name,
                        lambda: place.signal(signal.SIGSTOP), planned.seconds,
                        lambda: place.signal(signal.SIGCONT))

    def _stop_worker(self, planned):
        place = self._pick(self._fleet.places, planned)

        def stop():
            place.stopped = True
            place.signal(signal.SIGTERM)

        def start():
            self._fleet.stop_places([place])
            place.stopped = False
            self._fleet.start_place(place)

        self._fault("stop_worker", [place.current], place.name, stop, planned.seconds, start)

    # ---- the network ---------------------------------------------------------------------------

    def _places_on(self, *hosts):
        return [place.name for place in self._fleet.places + self._fleet.clients
                if place.host in hosts]

    def _disturb(self, planned, receive_percent, send_percent):
        hosts = network.WORKER_HOSTS + network.CLIENT_HOSTS
        host = hosts[planned.pick % len(hosts)]
        self._fault(planned.kind, self._places_on(host), host,
                    lambda: self._hosts.disturb(host, receive_percent, send_percent),
                    planned.seconds, lambda: self._hosts.heal(host))

    def _partition(self, planned):
        self._disturb(planned, 100, 100)

    def _deafen(self, planned):
        self._disturb(planned, 100, 0)

    def _mute(self, planned):
        self._disturb(planned, 0, 100)

    def _lose(self, planned):
        percent = int(5 + 25 * planned.amount)
        self._disturb(planned, percent, percent)

    def _through_proxy(self, planned, command):
        self._fault(planned.kind, self._places_on(*network.BEHIND_PROXY), "proxy",
                    lambda: self._fleet.tell_proxy(command), planned.seconds,
                    lambda: self._fleet.tell_proxy("pass"))

    def _delay(self, planned):
        self._through_proxy(planned, f"delay {0.02 + 0.4 * planned.amount:.3f}")

    def _stall(self, planned):
        self._through_proxy(planned, "stall")

    def _reset(self, planned):
        self._through_proxy(planned, "reset")

    def _half_open(self, planned):
        self._through_proxy(planned, "half-open")


def fill(path):
    """Writes until the file system has no byte left."""
    block = bytes(FILLER_BYTES)
    with open(path, "wb", buffering=0) as file:
        while len(block) > 0:
            try:
                file.write(block)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                block = block[:len(block) // 2]
