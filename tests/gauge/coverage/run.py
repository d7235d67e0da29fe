#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - which lines and branches of kmod/ and userspace/ the tests reach, in one report

  tests/run gauge coverage [--host] [--since REV] [--report] [TEST...]

In a copy of the tree whose programs count their lines, it runs the unit tests, those of programs on
the host and, on the gcov kernel, the tests TEST in VMs (default all, in short form, and the boots), and
tests/fuzz with failing allocations. It adds what tests/kernel/kmod reaches of the module.
Writes build/coverage/report.txt, lines.txt with each line that no test reached, and branches.txt
with each condition that had one outcome only: in the tree, the cache and the I/O path as counted by
tests/kernel/kmod, elsewhere as counted by all the tests.

Less than 95 % of the lines of kmod/ is a failure. So is, without a reason, a line that is not reached
or a condition with one outcome only. tests/gauge/coverage/reasons.py describes the places for
reasons: most are of a kind that it knows, some are marks beside the code ("/* coverage: WHY */"), the
rest is a list of functions. Marks and functions that explained nothing are listed: fuzzers and
failing allocations reach some of them by chance.
"""
import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile

from reasons import Reasons

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
CACHE = os.environ.get("CCDM_CACHE", "/var/cache/ccdm")
WORK = os.path.join(CACHE, "coverage")
TREE, COUNTS = os.path.join(WORK, "tree"), os.path.join(WORK, "counts")
OUT = os.path.join(TOP, "build/coverage")
LEAST = 95
# Tests on the host that count as a whole.
HOST = re.compile(r"userspace/(?:lib/(?:base|crypto|kbs|log|evidence)|broker/\w+)/")


def sh(cmd, **kw):
    print("# " + cmd, flush=True)
    r = subprocess.run(cmd, shell=True, capture_output=True, text=True, errors="replace", **kw)
    said = [x for x in (r.stdout + r.stderr).splitlines() if re.search(r"^\d+ passed|^not ok|^    not ok", x)]
    # a run that did not finish says why in its last lines
    for line in said if said or not r.returncode else (r.stdout + r.stderr).splitlines()[-3:]:
        print("# " + line, flush=True)
    return r


def count(tests, host):
    """Run all tests. @host: only those that need no VM."""
    # files that no longer exist, and objects of other counts, would mix with these
    for path in TREE, COUNTS:
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
    # make dist needs a commit
    sh("git ls-files -z | rsync -a --from0 --files-from=- ./ %s/ && cd %s && git init -q && git add -A && "
       "git -c user.name=coverage -c user.email=coverage commit -q --allow-empty -m 'what is counted'" % (TREE, TREE),
       cwd=TOP).check_returncode()
    flags = "-O0 -g --coverage -fprofile-update=atomic -include %s/tests/gauge/coverage/plain.h" % TREE
    # each test that calls make gets the same flags, or make would build without counters
    env = dict(os.environ, CCDM_COVERAGE=COUNTS, CCDM_VECTORS=os.environ.get("CCDM_VECTORS", TOP + "/../shared/vectors"),
               CFLAGS=flags, UNIT_CFLAGS="-std=gnu11 " + flags)
    sh("make -s -j2 test-programs", cwd=TREE, env=env).check_returncode()
    sh("make -s unit-programs", cwd=TREE, env=env).check_returncode()
    sh("tests/run unit", cwd=TREE, env=env)
    for name in "vectors", "setup", "broker", "trust", "attacks", "mutations", "image", "layers", "package", "faults":
        sh("tests/run program " + name, cwd=TREE, env=env)
    if not host:
        sh("tests/run vm --kernel gcov " + " ".join(tests), cwd=TREE, env=env)
    if not tests and not host:
        sh("tests/run vm --kernel gcov 95", cwd=TREE, env=env)
        # it has configfs-tsm
        sh("tests/run vm --kernel 6.12 91 94", cwd=TREE, env=env)
        sh("tests/run boot --suite gcov", cwd=TREE, env=env)
    sh("tests/run kernel kmod", cwd=TREE, env=env)
    sh("tests/run fuzz --inputs 6", cwd=TREE, env=env)


class Lines:
    """file: {line: times}, {line: [times of each branch]} and {line: function}."""

    def __init__(self):
        self.lines, self.branches, self.functions = {}, {}, {}

    def add(self, name, number, times, branches=()):
        lines = self.lines.setdefault(name, {})
        lines[number] = lines.get(number, 0) + times
        if branches:
            have = self.branches.setdefault(name, {}).setdefault(number, [0] * len(branches))
            if len(have) == len(branches):
                have[:] = [a + b for a, b in zip(have, branches)]

    def gcov(self, gcda, notes):
        """The output of gcov for a .gcda whose .gcno is in @notes: gcov needs both in one folder."""
        beside = gcda[:-5] + ".gcno"
        if not os.path.exists(beside):
            os.symlink(os.path.join(notes, os.path.basename(beside)), beside)
        r = subprocess.run(["gcov", "-b", "-c", "--json-format", "--stdout", gcda], capture_output=True, text=True)
        for text in r.stdout.splitlines():
            for f in json.loads(text)["files"]:
                # a header's path begins with the folder of the including file
                m = re.search(r"(?:^|/)((?:kmod|userspace)/[\w/.]+)$", os.path.normpath(f["file"]))
                if not m:
                    continue
                for line in f["lines"]:
                    self.add(m.group(1), line["line_number"], line["count"], [b["count"] for b in line["branches"]])
                    self.functions.setdefault(m.group(1), {})[line["line_number"]] = line.get("function_name", "?")

    def llvm(self, text):
        """The output of llvm-cov in lcov's format."""
        name, heads = None, {}
        for line in text.splitlines():
            if line.startswith("SF:"):
                m = re.search(r"/((?:kmod|userspace)/[\w/.]+)$", line)
                name = m.group(1) if m else None
            elif line.startswith("DA:") and name:
                number, times = line[3:].split(",")[:2]
                self.add(name, int(number), int(times))
            elif line.startswith("FN:") and name:
                number, function = line[3:].split(",", 1)
                heads[function] = int(number)
            elif line.startswith("FNDA:") and name:
                # The other compiler counts a function's first line as the one above its brace.
                times, function = line[5:].split(",", 1)
                self.add(name, heads[function] - 1, int(times))

    def untaken(self, name, reached):
        """Lines that were reached, but with a condition that had one outcome only, or a case that never occurred: {line: "2,3/4"}.

        "2,3/4": the second and the third of four outcomes. A condition has two outcomes, in the order of evaluation.
        """
        found = {n: [i + 1 for i, t in enumerate(b) if not t] for n, b in self.branches.get(name, {}).items() if reached.get(n)}
        return {n: "%s/%d" % (",".join(map(str, f)), len(self.branches[name][n])) for n, f in found.items() if f}


def export(prof, binary, form="lcov"):
    return subprocess.run(["llvm-cov", "export", "-format=" + form, "-instr-profile", prof, binary], capture_output=True,
                          text=True).stdout


def conditions():
    """{file: {(line, column, end line, end column): [times true, times false]}} for what tests/kernel/kmod runs."""
    found = {}
    text = export(os.path.join(TREE, "build/kmod/mapping.prof"), os.path.join(TREE, "build/kmod/mapping.cov"), "text")
    for f in json.loads(text)["data"][0]["files"] if text else []:
        m = re.search(r"/tree/(kmod/[\w.]+)$", f["filename"])
        for b in f["branches"] if m else []:
            # each file that uses an inline function has its own copy
            times = found.setdefault(m.group(1), {}).setdefault(tuple(b[:4]), [0, 0])
            times[0] += b[4]
            times[1] += b[5]
    return found


def one_way(found, why, since):
    """Conditions with one outcome only: number of outcomes, missed ones, and those without a reason."""
    missed, unexplained = [], []
    for name in sorted(found):
        for where, times in sorted(found[name].items()):
            for outcome, n in zip(("true", "false"), times):
                if n:
                    continue
                reason = why.outcome(name, where)
                missed.append("%s:%d: never %s: %s%s" % (name, where[0], outcome, why.said(name, where[0]),
                                                         "    [%s]" % reason if reason else ""))
                if not reason and (since is None or why.now_at(name, where[0]) in since.get(name, ())):
                    unexplained.append(missed[-1])
    return sum(2 * len(c) for c in found.values()), missed, unexplained


def collect():
    kernel, program, user = Lines(), Lines(), Lines()
    notes = os.path.join(CACHE, "build/gcov/kmod")
    for path in glob.glob(COUNTS + "/*.tgz"):
        where = path[:-4]
        shutil.rmtree(where, ignore_errors=True)
        with tarfile.open(path) as t:
            t.extractall(where)
        for gcda in glob.glob(where + "/module/**/kmod/*.gcda", recursive=True):
            kernel.gcov(gcda, notes)
        for gcda in glob.glob(where + "/programs/#*.gcda"):
            # of -fprofile-dir: all files in one folder, with the path in the name
            path = where + "/programs" + os.path.basename(gcda).replace("#", "/")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.rename(gcda, path)
        for part in "/programs", "/cleared":
            for gcda in glob.glob(where + part + "/**/*.gcda", recursive=True):
                built = os.path.dirname(gcda[len(where + part):])
                # Objects of a boot were built in a root of bookworm.
                root = os.path.join(CACHE, "bookworm") if built.startswith("/build/product-gcov/") else ""
                user.gcov(gcda, root + built)
    for gcda in glob.glob(TREE + "/build/**/*.gcda", recursive=True):
        user.gcov(gcda, os.path.dirname(gcda))
    prof = os.path.join(TREE, "build/kmod/mapping.prof")
    if os.path.exists(prof):
        program.llvm(export(prof, os.path.join(TREE, "build/kmod/mapping.cov")))
    return kernel, program, user


def percent(a, b):
    return "%5.1f" % (100 * a / b) if b else "    -"


def changed(rev):
    """{file: its lines that differ from @rev}."""
    found, name = {}, None
    r = subprocess.run(["git", "diff", "-U0", rev, "--", "kmod", "userspace"], cwd=TOP, check=True, capture_output=True, text=True)
    for line in r.stdout.splitlines():
        m = re.match(r"\+\+\+ b/(.*)", line)
        name = m.group(1) if m else name
        m = re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line)
        if m:
            found.setdefault(name, set()).update(range(int(m.group(1)), int(m.group(1)) + int(m.group(2) or 1)))
    return found


def report(kernel, program, user, args):
    """Return: percentage of kmod's lines, lines without a reason, outcomes of conditions, and those without a reason."""
    beside_kernel = conditions()
    judges = HOST.match if args.host else lambda name: True
    since = changed(args.since) if args.since else None
    why = Reasons(TOP, TREE, [*kernel.lines, *user.lines, *beside_kernel])
    os.makedirs(OUT, exist_ok=True)
    missed, unexplained, one_way_only, unclear, text, sums = [], [], [], [], [], {}
    for title, lines, beside in (("kmod/, on the gcov kernel, and beside it in a program", kernel, program),
                                 ("userspace/", user, Lines())):
        text += [title, "%-34s %7s %7s %9s   %9s" % ("", "lines", "reached", "percent", "branches")]
        total = [0, 0, 0, 0]
        for name in sorted(n for n in lines.lines if n.startswith(title[:4])):
            have = dict(lines.lines[name])
            if name in beside.lines:
                # Lines are counted as the first one's compiler does.
                have = {n: t + beside.lines[name].get(n, 0) for n, t in have.items()}
            reached = sum(t > 0 for t in have.values())
            outcomes = [t for b in lines.branches.get(name, {}).values() for t in b]
            taken = sum(t > 0 for t in outcomes)
            text.append("%-34s %7d %7d %9s   %4d of %4d" % (name, len(have), reached, percent(reached, len(have)), taken,
                                                            len(outcomes)))
            total = [a + b for a, b in zip(total, (len(have), reached, len(outcomes), taken))]
            functions = lines.functions.get(name, {})

            def judge(n, what, reason, said, unsaid):
                said.append("%s:%d: %s: %s%s%s" % (name, n, functions.get(n), what, why.said(name, n),
                                                   "    [%s]" % reason if reason else ""))
                if not reason and judges(name) and (since is None or why.now_at(name, n) in since.get(name, ())):
                    unsaid.append(said[-1])
            for n in sorted(n for n, t in have.items() if not t and why.said(name, n)):
                judge(n, "", why.line(name, n), missed, unexplained)
            for n, never in sorted(lines.untaken(name, have).items() if name not in beside_kernel else ()):
                judge(n, "never %s: " % never, why.condition(name, n, never), one_way_only, unclear)
        text += ["%-34s %7d %7d %9s   %s %% of branches" % ("all", total[0], total[1], percent(total[1], total[0]),
                                                            percent(total[3], total[2]).strip()), ""]
        sums[title[:4]] = 100 * total[1] / max(1, total[0])
    with open(OUT + "/report.txt", "w") as f:
        f.write("\n".join(text))
    with open(OUT + "/lines.txt", "w") as f:
        f.write("\n".join(missed) + "\n")
    outcomes, beside_missed, beside_unclear = one_way(beside_kernel, why, since)
    with open(OUT + "/branches.txt", "w") as f:
        f.write("\n".join(beside_missed + one_way_only) + "\n")
    text.append("conditions of tree, cache and I/O path: %d of %d outcomes seen in tests/kernel/kmod" %
                (outcomes - len(beside_missed), outcomes))
    text.append("elsewhere: %d lines with a condition that came out one way only" % len(one_way_only))
    text += ["explained nothing this time: " + x for x in ([] if args.host else why.unused())]
    print("\n".join("# " + x for x in text))
    return sums["kmod"], unexplained, outcomes, beside_unclear + unclear


def main():
    p = argparse.ArgumentParser(prog="tests/run gauge coverage", usage="%(prog)s [--host] [--since REV] [--report] [TEST...]",
                                description=__doc__.split("\n\n", 2)[2], formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--host", action="store_true",
                   help="count on this machine only, without VMs, boots and the gcov kernel. This judges the rooms that need no "
                   "guest (lib/base, lib/crypto, lib/kbs, lib/log, lib/evidence, broker) and the conditions that "
                   "tests/kernel/kmod counts. It leaves out the rest of kmod/, and setup, lib/disk, lib/net, lib/tpm, lib/boot and "
                   "lib/attest. A line that only a guest reaches is named here, too.")
    p.add_argument("--since", metavar="REV", help="judge only lines that differ from those of a revision of git")
    p.add_argument("--report", action="store_true", help="of what was counted before; of a file that has changed since, of the lines "
                   "that are still the same: a new mark needs no new count")
    p.add_argument("tests", metavar="TEST", nargs="*")
    args = p.parse_args()
    print("KTAP version 1")
    if not args.report:
        count(args.tests, args.host)
    got, unexplained, outcomes, unclear = report(*collect(), args)
    good = [args.host or got >= LEAST, not unexplained, outcomes and not unclear]
    if args.host:
        print("ok 1 the lines of kmod/ # SKIP --host: no gcov kernel")
    else:
        print("%s 1 %.1f %% of the lines of kmod/ are reached" % ("ok" if good[0] else "not ok", got))
    for i, (what, lines) in enumerate((("what is not has its reason", unexplained),
                                       ("each condition that comes out one way only has its reason", unclear))):
        print("%s %d %s" % ("ok" if good[i + 1] else "not ok", i + 2, what))
        for line in lines:
            print("# " + line)
    print("1..3")
    return 0 if all(good) else 1


sys.exit(main())
