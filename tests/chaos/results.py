"""What a run found, as a JSON line that says when, of which commit and by which command."""

import datetime
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def stamped(command, found):
    """`found` with the date, the commit and the command in front."""
    commit = subprocess.run(["git", "-c", "safe.directory=*", "describe", "--always", "--dirty"],
                            cwd=HERE, text=True, capture_output=True, check=False).stdout.strip()
    date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    return {"date": date, "commit": commit, "command": " ".join([command, *sys.argv[1:]]), **found}


def append(path, result):
    """Adds a line to the file, which it makes where it is missing. No path: nothing."""
    if path:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
