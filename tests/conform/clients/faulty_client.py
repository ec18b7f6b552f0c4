"""The base client with one fault, so that the kit can be seen to find it.

usage: faulty_client.py FAULT BROKER submit QUEUE COUNT | wait ID | cancel ID
       faulty_client.py --list
"""

import sys
import uuid

import zmq
from base_client import DEFAULTS, GOOD, HELLO_SECONDS, Client, wire

FAULTS = {"client": Client}


def fault(client_class):
    """Registers a fault under its class's name in lower case with underscores."""
    name = "".join("_" + char.lower() if char.isupper() else char for char in client_class.__name__)
    FAULTS["client" + name] = client_class
    return client_class


@fault
class FixedRoutingId(Client):
    """Uses a name as a routing id."""

    def socket(self, type_, address):
        opened = self.context.socket(type_)
        if type_ == zmq.DEALER:
            opened.routing_id = b"client"
        opened.linger, opened.immediate = 1000, True
        if type_ == zmq.SUB:
            opened.subscribe(b"")
        opened.connect(f"tcp://{address}")
        return opened


@fault
class NewClientId(Client):
    """Draws a new client id for each hello."""

    def keep_link(self):
        self.client = str(uuid.uuid4())
        super().keep_link()


@fault
class SpeaksBeforeWelcome(Client):
    """Submits without a Welcome, when that takes long."""

    def step(self):
        super().step()
        asked_for = self.now - self.hello_due + HELLO_SECONDS
        if self.epoch is None and 0.5 < asked_for < HELLO_SECONDS:
            self.flying.clear()
            self.submit()


@fault
class NewIds(Client):
    """Draws new ids for what it submits again."""

    def ask_again(self):
        queue = next((wire.read_spec(spec)["queue"] for spec in self.specs.values()), "")
        count, again = len(self.specs), bool(self.flying)
        super().ask_again()
        if again:
            self.specs.clear()
            self.order_submit(queue, count)


@fault
class NeverAgain(Client):
    """Does not submit again what was cut off from its answer."""

    def ask_again(self):
        pass

    def repeat(self):
        pass


@fault
class Impatient(Client):
    """Does not wait as long as a busy broker asks for."""

    def hold_for(self, message):
        pass

    def on_Refused(self, message):
        message.fields["retry_after_ns"] = 0
        super().on_Refused(message)


@fault
class AllAgain(Client):
    """Submits all again when some were refused for now."""

    def on_Submitted(self, message):
        if not set(message["statuses"]) <= set(GOOD) | {"conflict", "invalid", "too_large"}:
            message.fields["statuses"] = ["busy"] * len(message["statuses"])
        super().on_Submitted(message)


@fault
class DuplicateFails(Client):
    """Takes `duplicate` for a failure."""

    def take_status(self, task, status):
        super().take_status(task, "conflict" if status == "duplicate" else status)


@fault
class ConflictIsFine(Client):
    """Takes `conflict` for a success."""

    def take_status(self, task, status):
        super().take_status(task, "accepted" if status == "conflict" else status)


@fault
class InvalidAgain(Client):
    """Submits again what will never be taken."""

    def take_status(self, task, status):
        super().take_status(task, "busy" if status in ("invalid", "too_large") else status)


@fault
class OwnLimits(Client):
    """Keeps the limits that it was built with."""

    def on_ClientWelcome(self, message):
        super().on_ClientWelcome(message)
        self.limits = dict(DEFAULTS)


@fault
class OneRequest(Client):
    """Uses one number for all requests."""

    def next_request(self):
        return 1


@fault
class TrustsWatches(Client):
    """Does not ask for ends: the watch of its Submit will tell."""

    def watch(self):
        pass


@fault
class IgnoresEpoch(Client):
    """Does not notice that the broker restarted."""

    def hear_epoch(self, epoch):
        pass

    def watch(self):
        if self.end_heard == 0.0:
            super().watch()


@fault
class IgnoresSilence(Client):
    """Waits for ever on a connection that may be dead."""

    def keep_link(self):
        self.heard = self.now
        super().keep_link()


@fault
class OldSocket(Client):
    """Says hello after a silence, but on the socket that may be deaf."""

    def connect(self):
        self.heard = self.now
        if self.dealer is None:
            super().connect()


@fault
class TellsTwice(Client):
    """Tells an end as often as it hears of it."""

    def on_Finished(self, message):
        self.mine = getattr(self, "mine", set()) | self.waiting | set(self.specs)
        again = [end for end in message["tasks"]
                 if end["id"] in self.mine - self.waiting - set(self.specs)]
        super().on_Finished(message)
        for end in again:
            self.tell(end)


@fault
class TellsOthers(Client):
    """Tells ends of tasks that it does not know."""

    def on_Finished(self, message):
        self.waiting |= {end["id"] for end in message["tasks"]}
        super().on_Finished(message)


@fault
class AlwaysWell(Client):
    """Exits with 0, whatever happened."""

    def exit_code(self):
        return 0


@fault
class WaitsForUnknown(Client):
    """Goes on waiting for tasks that the broker does not know."""

    def on_Watching(self, message):
        self.take_flying(message)


@fault
class DeafToGoodbye(Client):
    """Does not ask again after the broker said goodbye."""

    def on_BrokerGoodbye(self, _):
        self.repeat = lambda: None


@fault
class DeafToUnknownSession(Client):
    """Asks again without a hello."""

    def lose_link(self, wait=0.0):
        if not self.open or wait:
            super().lose_link(wait)


@fault
class TrustsFrames(Client):
    """Expects that whatever comes can be read."""

    def hear_message(self, frames):
        self.read(frames)
        super().hear_message(frames)


@fault
class AnyVersion(Client):
    """Does not look at the protocol version."""

    def read(self, frames):
        message = super().read(frames)
        message.version = 1
        return message


@fault
class AnyRequest(Client):
    """Takes an answer for that of its oldest request."""

    def read(self, frames):
        message = super().read(frames)
        if message.name in ("Submitted", "Refused") and self.flying:
            message.request = min(self.flying)
        return message


@fault
class AnyCount(Client):
    """Takes an answer for what it has, whatever the number of its items."""

    def on_Submitted(self, message):
        flying = self.flying.get(message.request)
        if flying is not None:
            missing = len(flying[3]) - len(message["statuses"])
            message.fields["statuses"] = message["statuses"] + ["accepted"] * missing
        super().on_Submitted(message)


@fault
class AnyBundle(Client):
    """Does not look where a bundle ends."""

    def read(self, frames):
        try:
            return super().read(frames)
        except wire.flatbuffer.Unreadable as error:
            if "bundle" not in str(error):
                raise
        fields = wire.flatbuffer.read(wire.WIRE, "Envelope", frames[0], "MRC1")
        name, body = fields["body"]
        return wire.Message(name, body, fields["request"], fields["protocol_version"])


def main(arguments):
    if arguments == ["--list"]:
        for name, client_class in FAULTS.items():
            print(f"{name:32} {client_class.__doc__.splitlines()[0]}")
        return 0
    name, *words = arguments
    return FAULTS[name](*words).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
