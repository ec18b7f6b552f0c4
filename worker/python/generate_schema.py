"""Writes millrace/wire/schema from schemas/*.fbs with the installed flatc, or checks that it is so.

usage: generate_schema.py [--check]

The output is committed: installing the package takes no flatc. Files end with a newline, which
flatc leaves out; nothing else is changed.
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMAS = os.path.join(HERE, os.pardir, os.pardir, "schemas")
NAMES = ("uuid.fbs", "task.fbs", "control.fbs", "heartbeat.fbs")
TARGET = os.path.join(HERE, "millrace", "wire", "schema")


def generated():
    """{file name: text} as flatc makes them."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["flatc", "--python", "-o", folder, *NAMES], cwd=SCHEMAS, check=True)
        made = os.path.join(folder, "millrace", "wire", "schema")
        return {name: with_newline(read(os.path.join(made, name))) for name in os.listdir(made)}


def committed():
    names = os.listdir(TARGET) if os.path.isdir(TARGET) else []
    return {name: read(os.path.join(TARGET, name)) for name in names if name.endswith(".py")}


def differences(wanted, found):
    return sorted(name for name in wanted.keys() | found.keys()
                  if wanted.get(name) != found.get(name))


def with_newline(text):
    return text if not text or text.endswith("\n") else text + "\n"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(files):
    shutil.rmtree(TARGET, ignore_errors=True)
    os.makedirs(TARGET)
    for name, text in files.items():
        with open(os.path.join(TARGET, name), "w", encoding="utf-8") as file:
            file.write(text)


def main():
    if sys.argv[1:] == ["--check"]:
        changed = differences(generated(), committed())
        if changed:
            sys.exit(f"not what flatc makes: {', '.join(changed)}; run {sys.argv[0]}")
    elif sys.argv[1:]:
        sys.exit(__doc__.strip().splitlines()[2])
    else:
        write(generated())


if __name__ == "__main__":
    main()
