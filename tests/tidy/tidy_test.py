"""The checkout keeps its own rules, and each rule catches what it is there for."""

import os
import subprocess
import tempfile
import unittest

import links
import rules

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOT_OURS = ("build", "node_modules", ".git", ".cache", "__pycache__")


def files_of_the_checkout():
    """What git knows or would take; without git, everything outside the build folders."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        return sorted({p.decode() for p in listing.stdout.split(b"\0") if p
                       and os.path.isfile(os.path.join(ROOT, p.decode()))})
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in NOT_OURS]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return sorted(found)


def read(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8", newline="") as file:
            return file.read()
    except (UnicodeDecodeError, FileNotFoundError):
        return None


class Checkout(unittest.TestCase):
    def test_has_files(self):
        self.assertIn("CMakeLists.txt", files_of_the_checkout())

    def test_keeps_the_rules(self):
        problems = []
        for path in files_of_the_checkout():
            text = read(path)
            if text is None:
                continue
            found = [problem for rule in rules.RULES for problem in rule(path, text) or ()]
            if path.endswith(".md"):
                found += links.broken_links(path, text, ROOT)
            problems += [f"{path}:{line}: {what}" for line, what in sorted(found)]
        if problems:
            self.fail("\n" + "\n".join(problems))


class Rules(unittest.TestCase):
    def assert_caught(self, rule, path, text, part):
        problems = [what for _, what in rule(path, text)]
        self.assertTrue(any(part in what for what in problems), problems)

    def assert_clean(self, rule, path, text):
        self.assertEqual([], list(rule(path, text)))

    def test_the_core_is_pure(self):
        for header in ('"common/wire/socket.h"', "<thread>", "<zmq.hpp>", "<sys/socket.h>", "<random>",
                       '"broker/store/store.h"'):
            with self.subTest(header=header):
                self.assert_caught(rules.layering, "broker/core/task.h", f"#include {header}\n", "pure")
        self.assert_clean(rules.layering, "broker/core/task.h",
                          '#include <vector>\n#include "common/base/time.h"\n#include "broker/core/event.h"\n')

    def test_sessions_are_pure(self):
        self.assert_caught(rules.layering, "client/cpp/client_session.cpp",
                           '#include "common/wire/socket.h"\n', "pure")
        self.assert_clean(rules.layering, "client/cpp/connection.cpp",
                          '#include "common/wire/socket.h"\n')

    def test_each_library_has_its_place(self):
        for path, header in (("broker/admin/status_json.cpp", "<civetweb.h>"),
                             ("broker/reactor.cpp", "<lmdb.h>"),
                             ("broker/inbox.cpp", '"schemas/control_generated.h"'),
                             ("client/cli/main.cpp", '"broker/core/event.h"'),
                             ("worker/cpp/runner.cpp", '"client/cpp/connection.h"')):
            with self.subTest(path=path):
                self.assert_caught(rules.layering, path, f"#include {header}\n", "only for")
        self.assert_clean(rules.layering, "broker/admin/admin_server.cpp", "#include <civetweb.h>\n")
        self.assert_clean(rules.layering, "tests/unit/store/store_test.cpp", "#include <lmdb.h>\n")

    def test_include_style(self):
        self.assert_caught(rules.include_style, "a/b.cpp", '#include "../c.h"\n', "from the root")
        self.assert_caught(rules.include_style, "a/b.cpp", '#include "c.h"\n', "from the root")
        self.assert_caught(rules.include_style, "a/b.cpp", "#include <ranges>\n", "clang 14")
        self.assert_caught(rules.include_style, "a/b.h", "int a;\n", "#pragma once")

    def test_size(self):
        self.assert_caught(rules.size, "a.cpp", "\n" * (rules.LINES_MAX + 1), "split it")
        self.assert_caught(rules.size, "broker/main.cpp", "\n" * (rules.MAIN_LINES_MAX + 1), "split it")
        self.assert_caught(rules.size, "a.h", "x" * (rules.COLUMNS_MAX + 1) + "\n", "columns")
        self.assert_clean(rules.size, "a.h", "\u00fc" * rules.COLUMNS_MAX + "\n")

    def test_whitespace(self):
        self.assert_caught(rules.whitespace, "a.py", "\tx\n", "tab")
        self.assert_caught(rules.whitespace, "a.py", "x \n", "blanks")
        self.assert_caught(rules.whitespace, "a.py", "x", "newline")

    def test_finished(self):
        self.assert_caught(rules.finished, "a.h", "// TO" "DO later\n", "finish")
        self.assert_caught(rules.finished, "a.h", "int a;  // NOLINT\n", "reason")
        self.assert_clean(rules.finished, "a.h", "int a;  // NOLINT: by design\n")


class Links(unittest.TestCase):
    def problems(self, text):
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, "there.md"), "w", encoding="utf-8") as file:
                file.write("# A heading, with commas\n")
            return [what for _, what in links.broken_links("page.md", text, root)]

    def test_catches_what_leads_nowhere(self):
        self.assertTrue(self.problems("[a](nowhere.md)"))
        self.assertTrue(self.problems("[a](there.md#another)"))

    def test_takes_what_is_there(self):
        self.assertEqual([], self.problems(
            "[a](there.md) [b](there.md#a-heading-with-commas) [c](https://example.org)"))

    def test_code_is_not_a_link(self):
        self.assertEqual([], self.problems("`[a](nowhere)`\n```\n[a](nowhere)\n```\n"))


if __name__ == "__main__":
    unittest.main()
