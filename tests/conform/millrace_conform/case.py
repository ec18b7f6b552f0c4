"""What a case is: a function over a scene, with a name, the section it checks, and its force."""

import dataclasses

MUST = "MUST"
SHOULD = "SHOULD"

# What a worker under test may be able to do; ../README.md says what each word asks of its handler.
HANDLERS = ("sleep", "fail", "fail_for_good", "result", "error", "stuck", "progress")


class Failure(Exception):
    """A case did not pass. One line: what was expected, and what came."""

    def __init__(self, expected, came):
        super().__init__(f"expected {expected}; came {came}")


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    section: str    # of docs/protocol.md
    level: str
    needs: tuple    # handlers
    run: object     # takes a scene
    about: str


class Suite:
    """The cases for one kind of peer, in the order in which they were written."""

    def __init__(self):
        self.cases = []

    def case(self, name, section, *, level=MUST, needs=()):
        """Registers a function as a case; the first line of its docstring says what it demands."""
        def register(function):
            about = function.__doc__.strip().splitlines()[0]
            self.cases.append(Case(name, section, level, tuple(needs), function, about))
            return function
        return register


def check(condition, expected, came):
    if not condition:
        raise Failure(expected, came)


def check_equal(actual, expected, what):
    if actual != expected:
        raise Failure(f"{what} {expected!r}", repr(actual))
