# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""attack - shared by the attacks: each is a function with a broker and a guest"""
import json
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
MRTD = "measurement: " + "00" * 48     # the MRTD of a forged TD, unless an attack sets it
AK_USAGE, EK_USAGE = "2.23.133.8.3", "2.23.133.8.1"
results = []
ATTACKS = {}        # name: function


def attack(f):
    """Decorator: registers an attack under its function's name, with "-" for "_"."""
    ATTACKS[f.__name__.replace("_", "-")] = f
    return f


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        for line in str(detail).splitlines()[-8:]:
            print("# " + line[:600])


def last(b):
    """The newest entry of the audit log."""
    return json.dumps(b.log()[-1])


def opens(b, g, what, tee, evidence, beside=None):
    """Expect that the guest gets its secret with this evidence."""
    got = g.gets(tee, evidence, beside)
    ok(got, what, last(b))
    return got


def refused(b, g, what, tee, evidence, beside=None, fails=None):
    """Expect that the guest does not get its secret. fails: a check or condition that the log must name as failed."""
    got = g.gets(tee, evidence, beside)
    ok(not got and (not fails or fails in b.refused()), what, last(b))


def policy(b, require, name="web"):
    """Add a policy for the secret. Return: whether it was accepted, and the output"""
    text = "name: %s\nsecrets: default/web/*\nrequire:\n" % name + "".join("  %s\n" % x for x in require)
    path = os.path.join(b.dir, "policy.yaml")
    with open(path, "w") as f:
        f.write(text)
    rc, out = b.admin("policy", "add", path, check=False)
    return rc == 0, out


def needs(b, *require):
    """From now on the secret requires these conditions."""
    good, out = policy(b, require)
    if not good:
        raise AssertionError("policy add: " + out)


def any_image(b, *require):
    """The same for conditions that do not identify the image."""
    needs(b, *require, "identity: any")


def by_value(word, values, *index):
    """A condition on the values of several registers; word: the condition on one."""
    return "all: [%s]" % ", ".join("{%s}" % (word % (i, values[i])) for i in index)


def put(b, name, text):
    """Write a file of the broker's trust/, or remove it (None); the broker reloads."""
    path = os.path.join(b.dir, "trust", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if text is None:
        if os.path.exists(path):
            os.unlink(path)
    else:
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
    b.reload()


def check(b):
    """Run ccdm-brokerd --check with the present files."""
    return subprocess.run([os.path.join(TOP, "build/bin/ccdm-brokerd"), "--config", b.conf, "--check"], capture_output=True)
