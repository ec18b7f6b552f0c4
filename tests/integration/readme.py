"""The blocks of README.md that are marked as tested.

`<!-- test -->` before a fenced block: a part of the shell script that the README adds up to.
`<!-- test: NAME -->`: a source file of that name.
"""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"^<!-- test(?:: *(?P<name>\S+))? -->\n+```(?P<language>\w+)\n(?P<text>.*?)^```$",
                   re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^<!-- test", re.MULTILINE)


def marked_blocks():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    blocks = list(BLOCK.finditer(text))
    if len(blocks) != len(MARK.findall(text)):
        raise ValueError("README.md marks something as tested that is not a fenced block")
    return blocks


def shell_script():
    """All marked shell blocks, in order: a reader runs them one after the other."""
    return "\n".join(b["text"] for b in marked_blocks() if b["language"] == "sh")


def sources():
    return {b["name"]: b["text"] for b in marked_blocks() if b["name"]}
