"""The program millrace-conform."""

import argparse
import sys

from . import report, runner
from .case import HANDLERS
from .client_cases import SUITE as CLIENT_SUITE
from .client_scene import ClientScene
from .worker_cases import SUITE as WORKER_SUITE
from .worker_scene import WorkerScene

DONE, NOT_CONFORMING, USAGE = 0, 1, 2

DESCRIPTION = """Plays the broker to a worker, or to a client: does it keep docs/protocol.md?
The program under test is started once per case; {broker}, {queue} and {slots} in its arguments are
filled in, and MILLRACE_BROKER, MILLRACE_QUEUE and MILLRACE_SLOTS are set."""


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = make_parser()
    options, command = split(parser, arguments)
    suite = CLIENT_SUITE if options.client else WORKER_SUITE
    if options.list:
        for case in suite.cases:
            needs = f" (needs {', '.join(case.needs)})" if case.needs else ""
            print(f"{case.level:6} {case.name:32} §{case.section:3} {case.about}{needs}")
        return DONE
    cases = selected(parser, suite.cases, options.case)
    if not command:
        parser.error("no program to test; add it after --, as in: "
                     "millrace-conform -- ./my_worker {broker}")
    make_scene = scene_maker(options, command)
    results = runner.run([(case, make_scene) for case in cases], options.handlers, options.at_once)
    write(options.tap, report.tap(results))
    write(options.junit, report.junit(results, " ".join(command)))
    if options.tap != "-":
        print(report.text(results))
    return NOT_CONFORMING if report.failed_musts(results) else DONE


def scene_maker(options, command):
    """A function that makes the scene of one case, for a ZeroMQ context."""
    if options.client:
        return lambda context: ClientScene(context, options.patience, command)
    return lambda context: WorkerScene(context, options.patience, command)


def make_parser():
    parser = argparse.ArgumentParser(
        prog="millrace-conform", description=DESCRIPTION,
        usage="millrace-conform [OPTIONS] -- PROGRAM ARG...")
    parser.add_argument("--client", action="store_true",
                        help="the program is a client; the kit appends its order (see README.md)")
    parser.add_argument("--list", action="store_true", help="print the cases, and end")
    parser.add_argument("--case", action="append", metavar="NAME",
                        help="only this case, or those below it as in `hello.`; may be repeated")
    parser.add_argument("--handlers", type=handler_list, default=HANDLERS, metavar="NAME[,NAME...]",
                        help="what the worker's handler can do besides echo; default: "
                             + ",".join(HANDLERS))
    parser.add_argument("--tap", metavar="FILE",
                        help="write the results as TAP; -: to standard output")
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML")
    parser.add_argument("--patience", type=float, default=20, metavar="SECONDS",
                        help="how long to wait for what must come (default: 20)")
    parser.add_argument("--at-once", type=int, default=24, metavar="N",
                        help="cases that run side by side (default: 24)")
    return parser


def split(parser, arguments):
    """The kit's own options, and the command after --."""
    if "--" not in arguments:
        return parser.parse_args(arguments), []
    at = arguments.index("--")
    return parser.parse_args(arguments[:at]), arguments[at + 1:]


def handler_list(text):
    names = [name for name in text.split(",") if name not in ("", "echo")]
    unknown = set(names) - set(HANDLERS)
    if unknown:
        raise argparse.ArgumentTypeError(f"no handler {', '.join(sorted(unknown))}; there are "
                                         f"{', '.join(HANDLERS)}")
    return tuple(names)


def selected(parser, cases, names):
    if not names:
        return cases
    chosen = [case for case in cases
              if any(case.name == name or (name.endswith(".") and case.name.startswith(name))
                     for name in names)]
    if not chosen:
        parser.error(f"no case {', '.join(names)}; --list shows them")
    return chosen


def write(path, text):
    if path == "-":
        sys.stdout.write(text)
    elif path:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


