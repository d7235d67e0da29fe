# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""report - KTAP in; the same out, and one closing line: N passed, N failed, N skipped

A result with subtests is not counted itself; its subtests are. These are failures, too: a plan
that was not kept, a missing plan, and a program that ends with an error although none of its
tests failed. A program that prints no KTAP is one test, and its exit code is the result.
"""
import re

RESULT = re.compile(r"( *)(not ok|ok)\b(?: (\d+))?(?: -)? ?(.*)")
PLAN = re.compile(r"( *)1\.\.(\d+)$")


class Report:
    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0
        self.ktap = False           # did the program say that it prints KTAP?
        self.any = False            # has it printed a line?
        self.results, self.plan = 0, None
        self.below = False          # were there results of subtests since the last result?
        self.bad_below = False      # and did one of them fail?

    def say(self, line):
        print(line, flush=True)

    def count(self, good, what):
        skip = re.search(r"# *skip\b", what, re.I)
        if not good:
            self.failed += 1
        elif skip:
            self.skipped += 1
        else:
            self.passed += 1

    def line(self, line):
        """One line of the program's output, without its end."""
        if line.startswith("KTAP version"):
            self.ktap = True
        if not self.any and not self.ktap:
            self.say("KTAP version 1")
        self.any = True
        self.say(line)
        m = PLAN.match(line)
        if m and not m.group(1):
            self.plan = int(m.group(2))
        m = RESULT.match(line)
        if not m or not self.ktap:
            return
        good = m.group(2) == "ok"
        if m.group(1):
            self.below = True
            self.bad_below = self.bad_below or not good
            self.count(good, m.group(4))
            return
        self.results += 1
        if not self.below or (not good and not self.bad_below):
            self.count(good, m.group(4))
        self.below = self.bad_below = False

    def end(self, code):
        """The program has ended with this exit code. Return: the exit code of all."""
        if not self.any:
            self.say("KTAP version 1")
        if not self.ktap:
            self.say("%s 1 %s\n1..1" % ("not ok" if code else "ok", self.name))
            self.count(not code, "")
        elif self.plan != self.results:
            self.say("not ok %d %s: planned %s tests, ran %d (exit code %d)" %
                     (self.results + 1, self.name, "no" if self.plan is None else self.plan, self.results, code))
            self.failed += 1
        elif code and not self.failed:
            self.say("not ok %d %s: exit code %d" % (self.results + 1, self.name, code))
            self.failed += 1
        self.say("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped))
        return 1 if self.failed or not self.passed + self.skipped else 0
