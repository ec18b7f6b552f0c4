"""apply.py NAME FOLDER: writes the mutated copy below the folder and prints which file it is of."""

import os
import sys

from catalogue import BY_NAME

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def mutated(mutant):
    """The file's text with the fault in it. Errors: ValueError, when the text has moved on."""
    with open(os.path.join(ROOT, mutant.file), encoding="utf-8") as file:
        text = file.read()
    found = text.count(mutant.old)
    if found != 1:
        raise ValueError(f"{mutant.name}: its text stands {found} times in {mutant.file}, and not once: "
                         f"follow the change in tests/mutants/catalogue.py\n{mutant.old}")
    return text.replace(mutant.old, mutant.new)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    name, folder = sys.argv[1:]
    if name not in BY_NAME:
        sys.exit(f"no mutant '{name}'; they are in tests/mutants/catalogue.py")
    mutant = BY_NAME[name]
    copy = os.path.join(folder, mutant.file)
    try:
        text = mutated(mutant)
    except ValueError as problem:
        sys.exit(str(problem))
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text)
    print(mutant.file)


if __name__ == "__main__":
    main()
