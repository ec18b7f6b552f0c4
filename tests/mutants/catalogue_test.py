"""Every mutant still applies to the code as it is, and the table tells of every one that it is dead."""

import unittest

from apply import mutated
from catalogue import BY_NAME, MUTANTS
from run import PROGRAMS
from table import read_table


class Catalogue(unittest.TestCase):
    def test_every_mutant_applies(self):
        problems = []
        for mutant in MUTANTS:
            try:
                mutated(mutant)
            except (OSError, ValueError) as problem:
                problems.append(str(problem))
        self.assertEqual([], problems, "\n".join(problems))

    def test_is_consistent(self):
        self.assertEqual(len(MUTANTS), len(BY_NAME))
        for mutant in MUTANTS:
            with self.subTest(mutant=mutant.name):
                self.assertNotEqual(mutant.old, mutant.new)
                self.assertTrue(mutant.suites)
                self.assertLessEqual(set(mutant.suites), set(PROGRAMS))

    def test_every_mutant_is_dead(self):
        rows = read_table()
        self.assertEqual([mutant.name for mutant in MUTANTS], [row.name for row in rows],
                         "./dev mutants --missing tries what the table does not tell of")
        for row in rows:
            with self.subTest(mutant=row.name):
                self.assertIn(row.suite, BY_NAME[row.name].suites, "it survives: add the check")


if __name__ == "__main__":
    unittest.main()
