"""The program under test: started for one case, and gone with it."""

import os
import shutil
import signal
import subprocess
import tempfile

LAST_WORDS_BYTES = 200
# Nothing outlives the kit, however that ends: this program of util-linux becomes the candidate.
DIES_WITH_US = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


class Candidate:
    """A command whose {placeholders} are filled in; the same values are in MILLRACE_… variables."""

    def __init__(self, command, values):
        self._output = tempfile.TemporaryFile()
        self._errors = tempfile.TemporaryFile()
        environment = dict(os.environ)
        for name, value in values.items():
            environment[f"MILLRACE_{name.upper()}"] = str(value)
        self.process = subprocess.Popen(
            DIES_WITH_US + [fill(word, values) for word in command], stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._errors, env=environment, start_new_session=True)

    @property
    def exit_code(self):
        """None while it runs."""
        return self.process.poll()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def output(self):
        """What it has printed so far, a list of lines."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace").splitlines()

    def last_words(self):
        """The end of its standard error, on one line."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - LAST_WORDS_BYTES))
        return " / ".join(self._errors.read().decode(errors="replace").splitlines())

    def end(self):
        """Kills it and whatever it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self._output.close()
        self._errors.close()


def fill(word, values):
    for name, value in values.items():
        word = word.replace("{" + name + "}", str(value))
    return word
