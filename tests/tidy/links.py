"""Every link in the documentation leads somewhere: files, folders and headings of this repository."""

import os
import re

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:")


def blank(match):
    """Keeps the line numbers of what follows."""
    return "\n" * match.group(0).count("\n")


def anchors(text):
    """The fragment names that a renderer derives from the headings."""
    names = set()
    for heading in HEADING.findall(FENCE.sub(blank, text)):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        names.add(slug)
    return names


def broken_links(path, text, root):
    prose = CODE.sub("", FENCE.sub(blank, text))
    for found in LINK.finditer(prose):
        target = found.group(1)
        if ELSEWHERE.match(target):
            continue
        number = prose.count("\n", 0, found.start()) + 1
        name, _, fragment = target.partition("#")
        place = os.path.join(root, os.path.dirname(path), name) if name else os.path.join(root, path)
        if not os.path.exists(place):
            yield number, f"the link leads nowhere: {target}"
        elif fragment and place.endswith(".md"):
            with open(place, encoding="utf-8") as file:
                if fragment not in anchors(file.read()):
                    yield number, f"no such heading: {target}"
