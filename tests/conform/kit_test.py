"""The kit's own parts: its reader of schemas and buffers, its reports, its command line."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
import uuid
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from millrace_conform import command_line, flatbuffer, report, schema, wire  # noqa: E402
from millrace_conform.case import MUST, SHOULD, Case  # noqa: E402
from millrace_conform.client_cases import SUITE as CLIENT_SUITE  # noqa: E402
from millrace_conform.runner import FAILED, PASSED, SKIPPED, Result  # noqa: E402
from millrace_conform.worker_cases import SUITE as WORKER_SUITE  # noqa: E402

TASK = str(uuid.UUID(int=1 << 64 | 2))


class Schemas(unittest.TestCase):
    def test_reads_what_schemas_say(self):
        read = schema.Schema(["enum Word : ubyte { unset = 0, one = 1 } // words\n"
                              "struct Pair { a: ubyte; b: ulong; }\n"
                              "table Item { pairs: [Pair] (id: 1); word: Word = one (id: 0); }"])
        self.assertEqual(read["Word"].numbers, {"unset": 0, "one": 1})
        self.assertEqual(read.layout("Pair"), (16, 8))
        self.assertEqual([(field.name, field.slot, field.default) for field in read["Item"].fields],
                         [("word", 0, 1), ("pairs", 1, 0)])

    def test_objects_to_what_it_does_not_understand(self):
        for text in ("table Item { a: ubyte", "rpc_service S { }",
                     "table Item { a ubyte; }", "enum §"):
            with self.subTest(text), self.assertRaises((ValueError, IndexError)):
                schema.Schema([text])


class Buffers(unittest.TestCase):
    def test_a_cut_buffer_is_unreadable(self):
        spec = wire.write_spec(TASK, "q", b"payload", headers=[{"key": "k", "value": "v"}])
        self.assertEqual(wire.read_spec(spec)["payload"], b"payload")
        text_end = len(spec.rstrip(b"\0"))  # behind it are a zero that belongs there, and padding
        for size in range(text_end + 1):
            with self.subTest(size), self.assertRaises(flatbuffer.Unreadable):
                wire.read_spec(spec[:size])

    def test_a_bundle_ends_where_its_lengths_do(self):
        parts = [b"1", b"", b"12345678", b"123456789"]
        sizes = [len(part) for part in parts]
        bundle = wire.join_bundle(parts)
        self.assertEqual(wire.split_bundle(bundle, sizes), parts)
        for broken in (bundle[:-1], bundle + b"\0", b"", b"1" + b"x" * 7 + bundle[8:]):
            with self.subTest(broken), self.assertRaises(flatbuffer.Unreadable):
                wire.split_bundle(broken, sizes)


class Reports(unittest.TestCase):
    def setUp(self):
        def result(name, level, status, text=""):
            return Result(Case(name, "7", level, (), None, "about"), status, text, 0.5)

        self.results = [result("a", MUST, PASSED),
                        result("b", MUST, FAILED, 'expected <x> & "y"\x01'),
                        result("c", SHOULD, FAILED, "expected z"),
                        result("d", MUST, SKIPPED, "no handler")]

    def test_only_a_must_fails(self):
        self.assertEqual([result.case.name for result in report.failed_musts(self.results)], ["b"])
        self.assertIn("1 passed, 2 failed (1 of them MUST), 1 skipped", report.text(self.results))

    def test_tap(self):
        lines = report.tap(self.results).splitlines()
        self.assertEqual(lines[:2], ["TAP version 13", "1..4"])
        self.assertEqual([line.split(" - ")[0] for line in lines[2:] if "ok" in line],
                         ["ok 1", "not ok 2", "not ok 3", "ok 4"])
        self.assertTrue(lines[-1].endswith("# SKIP no handler"))

    def test_junit(self):
        suite = xml.etree.ElementTree.fromstring(report.junit(self.results, "a & b"))
        self.assertEqual((suite.get("tests"), suite.get("failures"),
                         suite.get("skipped")), ("4", "1", "2"))
        self.assertEqual(len(suite.findall("testcase/failure")), 1)


class CommandLine(unittest.TestCase):
    def run_kit(self, *arguments):
        """(exit code, what it printed)."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                code = command_line.main(list(arguments))
            except SystemExit as ended:
                code = ended.code
        return code, printed.getvalue()

    def test_wrong_use_is_told(self):
        for arguments in ((), ("--case", "no.such", "--", "true"),
                          ("--handlers", "dance", "--", "true"),
                          ("--no-such-option",)):
            with self.subTest(arguments):
                code, printed = self.run_kit(*arguments)
                self.assertEqual(code, 2)
                self.assertIn("millrace-conform: error:", printed)

    def test_the_list_names_every_case_once(self):
        for suite, arguments in ((WORKER_SUITE, ("--list",)),
                                 (CLIENT_SUITE, ("--client", "--list"))):
            code, printed = self.run_kit(*arguments)
            names = [line.split()[1] for line in printed.splitlines()]
            self.assertEqual(code, 0)
            self.assertEqual(names, [case.name for case in suite.cases])
            self.assertEqual(len(set(names)), len(names))

    def test_a_program_that_is_none_fails(self):
        code, printed = self.run_kit("--case", "work.echo", "--", "/no/such/program", "{broker}")
        self.assertEqual(code, 1)
        self.assertIn("it ended with exit code", printed)

    def test_results_go_to_files(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("tap", "xml")]
            code, _ = self.run_kit("--case", "work.echo", "--tap",
                                   paths[0], "--junit", paths[1], "--", "false")
            self.assertEqual(code, 1)
            for path in paths:
                with open(path, encoding="utf-8") as file:
                    self.assertIn("work.echo", file.read())

    def test_the_entry_script_runs_from_anywhere(self):
        done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "millrace-conform"),
                               "--list"],
                              cwd="/", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Sections(unittest.TestCase):
    def test_every_case_names_a_section_of_the_protocol(self):
        with open(os.path.join(HERE, "..", "..", "docs", "protocol.md"), encoding="utf-8") as file:
            headings = {line.split()[1].rstrip(".") for line in file if line.startswith("## ")}
        for case in WORKER_SUITE.cases + CLIENT_SUITE.cases:
            self.assertIn(case.section, headings, case.name)


if __name__ == "__main__":
    unittest.main()
