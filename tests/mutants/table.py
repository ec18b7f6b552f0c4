"""The table in README.md: one row a mutant, between two marks."""

import os
from dataclasses import astuple, dataclass

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "README.md")
BEGIN, END = "<!-- begin of the table -->\n", "<!-- end of the table -->\n"
HEAD = "| mutant | breaks | what is wrong | in | killed by | at |\n|---|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Row:
    name: str
    breaks: str
    what: str
    file: str
    suite: str
    how: str


def parts():
    with open(README, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    table, _, after = rest.partition(END)
    return before, table, after


def read_table():
    lines = parts()[1].splitlines()[2:]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def write_table(rows):
    before, _, after = parts()
    lines = ["| " + " | ".join(cell.replace("|", "/") for cell in astuple(row)) + " |\n" for row in rows]
    text = before + BEGIN + HEAD + "".join(lines) + END + after
    with open(README + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(README + ".new", README)
