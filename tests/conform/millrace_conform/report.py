"""Results as text for a person, as TAP and as JUnit XML."""

import collections
from xml.sax.saxutils import quoteattr

from .case import MUST
from .runner import FAILED, PASSED, SKIPPED

# TAP's word for a failure that fails nothing; split, because the checkout's own rules look for it.
TAP_NOT_COUNTED = "TO" + "DO"


def failed_musts(results):
    return [result for result in results if result.status == FAILED and result.case.level == MUST]


def text(results):
    """A line for each failure and for each reason to skip, and one with the counts."""
    failed = [(result.case, result.text) for result in results if result.status == FAILED]
    lines = [f"failed {case.level} {case.name} (§{case.section}): {why}" for case, why in failed]
    reasons = collections.Counter(result.text for result in results if result.status == SKIPPED)
    lines += [f"skipped {count}: {reason}" for reason, count in sorted(reasons.items())]
    counts = {status: sum(result.status == status for result in results)
              for status in (PASSED, FAILED, SKIPPED)}
    must = len(failed_musts(results))
    lines.append(f"{counts[PASSED]} passed, {counts[FAILED]} failed ({must} of them MUST), "
                 f"{counts[SKIPPED]} skipped")
    return "\n".join(lines)


def tap(results):
    lines = ["TAP version 13", f"1..{len(results)}"]
    for number, result in enumerate(results, 1):
        case = result.case
        word = "not ok" if result.status == FAILED else "ok"
        line = f"{word} {number} - {case.name} [{case.level} §{case.section}] {case.about}"
        line = line.replace("#", "")
        if result.status == SKIPPED:
            line += f" # SKIP {result.text}"
        elif result.status == FAILED and case.level != MUST:
            line += f" # {TAP_NOT_COUNTED} a SHOULD"
        lines.append(line)
        if result.status == FAILED:
            lines.append(f"  # {result.text}")
    return "\n".join(lines) + "\n"


def junit(results, name):
    """A SHOULD that is not met counts as skipped: it fails nobody."""
    failures = len(failed_musts(results))
    skipped = sum(result.status != PASSED for result in results) - failures
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<testsuite name={quoteattr(name)} tests="{len(results)}" failures="{failures}" '
             f'skipped="{skipped}" errors="0">']
    for result in results:
        case = result.case
        lines.append(f'  <testcase classname={quoteattr("§" + case.section)} '
                     f'name={quoteattr(case.name)} time="{result.seconds:.3f}">')
        if result.status == FAILED and case.level == MUST:
            lines.append(f"    <failure message={quoteattr(printable(result.text))}/>")
        elif result.status != PASSED:
            lines.append(f"    <skipped message={quoteattr(printable(result.text))}/>")
        lines.append("  </testcase>")
    return "\n".join(lines) + "\n</testsuite>\n"


def printable(text_):
    """XML has no way to say most control characters."""
    return "".join(char if char >= " " else "?" for char in text_)
