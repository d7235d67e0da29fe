# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""show - output of the demos: each result has just been measured, or the demo fails"""
import sys


def step(text):
    print("\n\033[1m* %s\033[0m" % text if sys.stdout.isatty() else "\n* " + text, flush=True)


def show(text):
    for line in text.rstrip().splitlines():
        print("    " + line, flush=True)


def must(cond, text, log=""):
    if not cond:
        sys.exit("demo: not so: %s\n%s" % (text, log))
    show(text)


def guest(vm, cmd):
    show("vm# " + cmd)
    show(vm.sh(cmd))


def tamper(log):
    """The lines of a console that contain a text."""
    for line in log.splitlines():
        if "tamper" in line:
            show(line)
