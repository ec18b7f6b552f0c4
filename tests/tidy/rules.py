"""The rules of layering and taste that no compiler checks.

A rule is a function of a file's path and text that returns its problems as (line, what is wrong).
"""

import re

LINES_MAX = 500
MAIN_LINES_MAX = 60
COLUMNS_MAX = 100

CPP = (".h", ".cpp")
TEXT = CPP + (".py", ".js", ".mjs", ".ts", ".cmake", ".txt", ".fbs", ".md", ".sh", ".yml", ".json")

STANDARD_HEADER = re.compile(r"^<[a-z_0-9]+>$")
# Headers of the standard library that bring the world in: a pure folder has no use for them.
IMPURE_HEADERS = {
    f"<{name}>"
    for name in (
        "chrono condition_variable ctime filesystem fstream future iostream mutex random "
        "semaphore shared_mutex stop_token thread"
    ).split()
}

# Pure code: the standard library, common/base and what else is listed.
PURE = [
    (re.compile(r"^common/base/"), ("common/base/",)),
    (re.compile(r"^broker/core/"), ("common/base/", "broker/core/")),
    (re.compile(r"^client/cpp/[^/]*session[^/]*$"), ("common/base/", "client/cpp/")),
    (re.compile(r"^worker/cpp/[^/]*session[^/]*$"), ("common/base/", "worker/cpp/")),
]

# A library, and the only places that may include it. Tests and benchmarks may include anything.
OWNERS = [
    (re.compile(r'^[<"](civetweb|CivetServer)\.h[>"]$'), re.compile(r"^broker/admin/admin_server\.")),
    (re.compile(r"^<lmdb\.h>$"), re.compile(r"^broker/store/")),
    (re.compile(r"^<tsl/"), re.compile(r"^common/base/flat_map\.h$")),
    (re.compile(r"^<toml\+\+/"), re.compile(r"^(common/host/|broker/access/allowlist\.)")),
    (re.compile(r'^"schemas/record_generated\.h"$'), re.compile(r"^broker/store/")),
    (re.compile(r"^<flatbuffers/"), re.compile(r"^(common/wire|broker/store)/")),
    (re.compile(r'^"schemas/(task|control|heartbeat)_generated\.h"$'), re.compile(r"^common/wire/")),
    # One door in, one shape out: neither side of the wire knows the other. What comes over HTTP is a
    # client and a worker that happen to live in the broker's process.
    (re.compile(r'^"broker/'), re.compile(r"^broker/")),
    (re.compile(r'^"worker/'), re.compile(r"^(worker|broker/door)/")),
    (re.compile(r'^"client/'), re.compile(r"^(client|broker/door)/")),
]
ANYTHING = re.compile(r"^(tests|bench)/")

BANNED_HEADERS = {
    "<ranges>": "not complete in clang 14",
    "<format>": "not in g++ 12",
    "<expected>": "not in g++ 12; use common/base/result.h",
    "<bits/stdc++.h>": "name what is used",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"][^>"]+[>"])')
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
BARE_NOLINT = re.compile(r"//\s*NOLINT[A-Z]*(\([^)]*\))?\s*$")


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def layering(path, text):
    if not path.endswith(CPP):
        return
    for number, header in includes(text):
        yield from ((number, problem) for problem in purity(path, header))
        if ANYTHING.match(path):
            continue
        for library, owner in OWNERS:
            if library.match(header) and not owner.match(path):
                yield number, f"{header} is only for {owner.pattern}"


def purity(path, header):
    for folder, allowed in PURE:
        if not folder.match(path):
            continue
        if header in IMPURE_HEADERS:
            yield f"pure code includes {header}: time, randomness and threads come in from outside"
        elif header == "<tsl/robin_map.h>":
            pass  # a container and nothing else; OWNERS says where
        elif header.startswith("<") and not STANDARD_HEADER.match(header):
            yield f"pure code includes {header}: the standard library and common/base only"
        elif header.startswith('"') and not header[1:].startswith(allowed):
            yield f"pure code includes {header}: allowed are {', '.join(allowed)}"


def include_style(path, text):
    if not path.endswith(CPP):
        return
    for number, header in includes(text):
        if header in BANNED_HEADERS:
            yield number, f"{header}: {BANNED_HEADERS[header]}"
        if header.startswith('"') and ("../" in header or "/" not in header):
            yield number, f"{header}: name it from the root of the repository"
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
        yield 1, "a header without #pragma once"


def size(path, text):
    lines = text.count("\n")
    limit = MAIN_LINES_MAX if path == "broker/main.cpp" else LINES_MAX
    if path.endswith(CPP + (".py", ".mjs", ".js", ".sh")) and lines > limit:
        yield limit, f"{lines} lines; at most {limit}: split it by duty"
    if path.endswith(CPP):
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > COLUMNS_MAX:
                yield number, f"{len(line)} columns; at most {COLUMNS_MAX}"


def whitespace(path, text):
    if not path.endswith(TEXT):
        return
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end of the file"
    for number, line in enumerate(text.splitlines(), 1):
        if "\t" in line:
            yield number, "a tab; indent with spaces"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"


def finished(path, text):
    if not path.endswith(TEXT):
        return
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield number, "finish it, or write down the decision"
        # The reason may stand in the line itself or in the two above it.
        reasons = "".join(lines[max(0, number - 3):number - 1])
        if path.endswith(CPP) and BARE_NOLINT.search(line) and "//" not in reasons:
            yield number, "NOLINT without a reason"


RULES = (layering, include_style, size, whitespace, finished)
