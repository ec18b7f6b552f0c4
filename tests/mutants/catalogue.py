"""The mutants: faults seeded into the real code, one at a time, each as one substitution in one file.

A mutant names the file, the text as it stands (exactly once) and what stands there instead. The suites are
tried in their order; the first that fails has killed it.
"""

from core_mutants import CORE_MUTANTS
from session_mutants import SESSION_MUTANTS
from shell_mutants import SHELL_MUTANTS

MUTANTS = CORE_MUTANTS + SESSION_MUTANTS + SHELL_MUTANTS

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}
