"""Which fault comes when: all of it out of the seed."""

import dataclasses
import random

# How often each kind comes, and the seconds it lasts; None: it is over at once.
MIXED = {
    "kill_broker": (6, (0.0, 1.0)), "stop_broker": (2, (0.0, 1.0)),
    "freeze_broker": (2, (0.1, 5.0)),
    "kill_worker": (12, None), "freeze_worker": (5, (0.1, 6.0)), "stop_worker": (3, (2.0, 4.0)),
    "kill_client": (3, None), "freeze_client": (2, (0.1, 5.0)), "kill_command": (2, None),
    "partition": (4, (0.5, 8.0)), "deafen": (3, (0.5, 8.0)), "mute": (3, (0.5, 8.0)),
    "lose": (3, (1.0, 6.0)),
    "delay": (3, (1.0, 6.0)), "stall": (2, (0.5, 6.0)), "reset": (3, (0.1, 0.2)),
    "half-open": (3, (0.5, 6.0)),
    "fill_disk": (3, (1.0, 6.0)), "move_clock": (3, None),
}
GAP_SECONDS_MIN = 0.2
GAPS_SECONDS_MAX = (0.6, 1.5, 5.0)  # each round has its own pace
BROKER_DOWN_SECONDS_MAX = 0.4  # where there are nothing but kills


@dataclasses.dataclass(frozen=True)
class Planned:
    at_seconds: float
    kind: str
    seconds: float  # that it lasts
    pick: int       # which of the possible targets, modulo their number
    amount: float   # from 0 to 1: how bad it is
    insists: bool = False  # waits for a target that is under a fault; else it passes over it


def _planned(source, at_seconds, kind):
    lasts = MIXED[kind][1]
    return Planned(at_seconds, kind, source.uniform(*lasts) if lasts else 0.0,
                   source.randrange(1 << 30), source.random())


def mixed(seed, seconds):
    """Faults of every kind, at random gaps; they overlap as long as they last."""
    source = random.Random(seed)
    gap_seconds_max = source.choice(GAPS_SECONDS_MAX)
    kinds, weights = list(MIXED), [weight for weight, _ in MIXED.values()]
    plan, now = [], 0.0
    while True:
        now += source.uniform(GAP_SECONDS_MIN, gap_seconds_max)
        if now >= seconds:
            return plan
        plan.append(_planned(source, now, source.choices(kinds, weights)[0]))


def kills(seed, seconds, brokers, workers):
    """So many kill -9 of brokers and of workers, spread at random over the time."""
    source = random.Random(seed)
    moments = [(source.uniform(0, seconds), kind)
               for kind, count in (("kill_broker", brokers), ("kill_worker", workers))
               for _ in range(count)]
    return [dataclasses.replace(_planned(source, at, kind), insists=True,
                                seconds=source.uniform(0, BROKER_DOWN_SECONDS_MAX))
            for at, kind in sorted(moments)]


def share(total, rounds, number):
    """What of `total` falls to one round: all rounds together have it exactly."""
    return total * (number + 1) // rounds - total * number // rounds
