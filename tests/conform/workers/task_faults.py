"""What a worker can do wrong about tasks, stops and what it reads."""

from base_parts import lease_fields, wire
from base_worker import Worker
from faults import fault

# ---- tasks and completions -----------------------------------------------------------------------

@fault
class SaidOnce(Worker):
    """Says a completion once, whether or not it is answered."""

    def repeat(self):
        pass


@fault
class SaidAndForgotten(Worker):
    """Forgets a completion as soon as it is sent."""

    def send_complete(self, batch, answers):
        super().send_complete(batch, answers)
        for lease, _ in batch:
            self.reports.pop(lease, None)


@fault
class NeverContent(Worker):
    """Goes on repeating what was answered."""

    def on_completed(self, message):
        pass


@fault
class StaleAgain(Worker):
    """Repeats what was refused as stale."""

    def on_completed(self, message):
        refused = set(message["stale"])
        message.fields["items"] = [item for position, item in enumerate(message["items"])
                                   if position not in refused]
        super().on_completed(message)


@fault
class RunsTwice(Worker):
    """Runs a lease as often as it is dispatched."""

    def has(self, lease):
        self.reports.pop(lease, None)
        return False


@fault
class FenceOfTheFirst(Worker):
    """Reports a task under the first fence it ever had."""

    def send_complete(self, batch, answers):
        self.fences = getattr(self, "fences", {})
        for lease, _ in batch:
            self.fences.setdefault(lease[0], lease[1])
        super().send_complete([((task, self.fences[task]), report) for (task, _), report in batch],
                              answers)


@fault
class PackedBundle(Worker):
    """Puts the results of a bundle one after the other, on no multiple of 8."""

    def take_batch(self, unsent):
        batch = super().take_batch(unsent)
        self.packed = b"".join(report.result for _, report in batch)
        return batch

    def send_frames(self, frames):
        super().send_frames([frames[0], self.packed] if len(frames) > 1 else frames)

    def complete(self):
        # Gathers for a while, so that more than one result goes into a bundle.
        if len(self.reports) > 1 or not self.reports or int(self.now * 4) % 2:
            super().complete()


@fault
class WholeError(Worker):
    """Sends error texts of any length."""

    def fit(self, result, outcome, error):
        return super().fit(result, outcome, b"")[:2] + (error,)


@fault
class ErrorHead(Worker):
    """Keeps the beginning of a long error text, not its end."""

    def fit(self, result, outcome, error):
        return super().fit(result, outcome, error[:self.limits["error_bytes_max"]])


@fault
class WholeResult(Worker):
    """Sends results of any length."""

    def fit(self, result, outcome, error):
        return result, outcome, super().fit(b"", outcome, error)[2]


@fault
class OneBigFrame(Worker):
    """Puts all completions into one message, whatever their number and size."""

    def take_limits(self, limits):
        super().take_limits(limits)
        self.limits.update(frame_bytes_max=1 << 40, batch_items_max=1 << 40)


@fault
class WithRequest(Worker):
    """Numbers its messages as clients do."""

    def send(self, name, fields, parts=()):
        self.send_frames(wire.write(name, fields, parts, request=1))


@fault
class ForgetsExcess(Worker):
    """Drops what is more than it wanted to hold."""

    def on_dispatch(self, dispatch):
        super().on_dispatch(dispatch)
        del self.waiting[self.credit():]


@fault
class NoCreditLeft(Worker):
    """Wants nothing more after its first task."""

    def credit(self):
        return super().credit() if not self.open else 0


# ---- stops ---------------------------------------------------------------------------------------

@fault
class IgnoresCancel(Worker):
    """Runs on when a task is cancelled."""

    def stop(self, lease, cause):
        if cause != "cancelled":
            super().stop(lease, cause)


@fault
class SilentCancel(Worker):
    """Stops a cancelled task, and says nothing."""

    def stop(self, lease, cause):
        super().stop(lease,
                     "stale_lease" if cause == "cancelled" and lease in self.running else cause)


@fault
class AnswersStale(Worker):
    """Reports what it stopped because its lease was lost."""

    def stop(self, lease, cause):
        super().stop(lease, "cancelled")


@fault
class StopsByTask(Worker):
    """Looks at the task of a stop and not at its fence."""

    def stop(self, lease, cause):
        held = [other for other in self.running if other[0] == lease[0]]
        super().stop(held[0] if held else lease, cause)


@fault
class MuteRecall(Worker):
    """Gives back what is recalled, and does not answer when there is nothing."""

    def on_recall(self, message):
        super().on_recall(message)
        self.recalls = [number for number in self.recalls if self.waiting]


@fault
class ReleasesRunning(Worker):
    """Gives back what has started."""

    def on_recall(self, message):
        for held in message["tasks"]:
            attempt = self.running.get((held["task"], held["fence"]))
            if attempt is not None:
                self.leave(attempt)
                self.report(attempt.lease, "released")
        super().on_recall(message)


# ---- broken input --------------------------------------------------------------------------------

@fault
class TrustsFrames(Worker):
    """Expects that whatever comes can be read."""

    def hear_message(self, frames):
        self.read(frames)
        super().hear_message(frames)


@fault
class TrustsPulses(Worker):
    """Takes any frame for a pulse."""

    def hear_pulse(self, frames):
        self.heard = self.now
        super().hear_pulse(frames)


@fault
class AnyVersion(Worker):
    """Does not look at the protocol version."""

    def read(self, frames):
        message = super().read(frames)
        message.version = 1
        return message


@fault
class AnyBundle(Worker):
    """Takes what the lengths say, and does not look where the bundle ends."""

    def read(self, frames):
        try:
            return super().read(frames)
        except wire.flatbuffer.Unreadable as error:
            if "bundle" not in str(error) or len(frames) > 2:
                raise
        for extra in range(-64, 64):
            bundle = frames[1] if len(frames) > 1 else b""
            try:
                return super().read([frames[0],
                                     bundle[:extra] if extra < 0 else bundle + bytes(extra)])
            except wire.flatbuffer.Unreadable:
                continue
        return super().read(frames)


@fault
class ManyFrames(Worker):
    """Reads two frames, whatever follows."""

    def read(self, frames):
        return super().read(frames[:2])


@fault
class AnyIdentifier(Worker):
    """Does not look at a buffer's identifier."""

    def read(self, frames):
        return super().read([frames[0][:4] + b"MRC1" + frames[0][8:], *frames[1:]]
                            if len(frames[0]) > 8 else frames)


@fault
class ForeignProgress(Worker):
    """Reports progress under another fence."""

    def tell_progress(self, attempt, percent):
        task, fence = attempt.lease
        self.send("Extend",
                  {"items": [{**lease_fields((task, fence + 1)), "progress_percent": percent}]})
