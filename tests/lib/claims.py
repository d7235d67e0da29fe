# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""claims - check that each test exists that the threat model names"""
import glob
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def cells():
    """The text in the right column of the tables, line by line."""
    with open(os.path.join(TOP, "Documentation/explanation/threat-model.rst")) as f:
        lines = f.read().splitlines()
    right, out = False, []
    for line in lines:
        if line.startswith("     - "):
            right = True
        elif not line.startswith("       "):
            right = False
        if right:
            out.append(line[7:])
    return out


def missing(names):
    """The words that name no test."""
    done = subprocess.run([os.path.join(TOP, "tests/program/attacks/run.py"), "?"], capture_output=True, text=True)
    parts = set(done.stderr.split("\n")[-2].split())
    for number in re.findall(r"\b\d\d-[a-z][a-z-]*\b", names):
        if not glob.glob(os.path.join(TOP, "tests/*", number + ".*")):
            yield number
    for unit, inside in re.findall(r"\b(test_\w+)(?: \(([^)]*)\))?", names):
        path = os.path.join(TOP, "tests/unit", unit + ".c")
        text = open(path).read() if os.path.exists(path) else ""
        if not text:
            yield unit
        for word in re.findall(r"\w+", inside):
            if not re.search(r"^static void %s\w*\(void \*\*state\)" % word, text, re.M):
                yield "%s (%s)" % (unit, word)
    for inside in re.findall(r"(?<!/)\battacks \(([^)]*)\)", names):
        yield from ("attacks (%s)" % word for word in re.split(r",\s*", inside) if word not in parts)
    for path, program in re.findall(r"\b(tests/[\w/]+)|(?<![\w/])(\w+/\w+\.(?:py|c))\b", names):
        path = path or "tests/program/" + program
        if not any(glob.glob(os.path.join(TOP, path + end)) for end in ("", ".*")):
            yield path


def main():
    lines = cells()
    bad = list(missing(" ".join(lines)))
    for what in bad:
        print("threat-model.rst names %s, which is not there" % what)
    return 1 if bad or len(lines) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
