# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""files - ccdm-brokerd and ccdm-broker with files that are invalid or missing"""
import os
import re
import sqlite3
import subprocess

from harness import PATH, load, ok
from broker import BIN


def daemon(b, *words):
    """Run ccdm-brokerd, and expect that it ends. Return: its exit code and errors; 0: it did not end"""
    p = subprocess.Popen([BIN + "/ccdm-brokerd", "--config", b.conf, *words], stderr=subprocess.PIPE, text=True)
    try:
        out = p.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:
        p.kill()
        return 0, p.communicate()[1]
    return p.returncode, out


def files(b, key):
    """Each invalid file is named in an error."""
    b.stop()
    p256, p384, rsa = (subprocess.run(["openssl", "genpkey", "-algorithm", *c], check=True, capture_output=True).stdout
                       for c in (("EC", "-pkeyopt", "ec_paramgen_curve:P-256"), ("EC", "-pkeyopt", "ec_paramgen_curve:P-384"), ("RSA",)))
    database = os.path.join(b.dir, "other.db")
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA user_version = 7")
    with open(database, "rb") as f:
        other = f.read()
    line = b"ab" * 32 + b"\n"
    for what, name, data, said, words in (
            ("five keys", "secrets.key", line * 5, "more than 4 keys", ["--check"]),
            ("no key", "secrets.key", b"\n", "secrets.key: expected a key, found none", ["--check"]),
            ("an invalid key", "secrets.key", line + b"xy\n", "line 2: expected 64 hexadecimal digits", ["--check"]),
            ("a token key on another curve", "token.key", p384, "token.key: expected a private key on P-256", ["--check"]),
            ("a token key of RSA", "token.key", rsa, "token.key: expected a private key on P-256", ["--check"]),
            ("an invalid token key", "token.key", b"x", "token.key: expected a private key on P-256", ["--check"]),
            ("another server's key", "server.key", p256, "server.key: expected the key of ", ["--check"]),
            ("an invalid certificate", "server.pem", b"x", "server.pem: expected a certificate chain", ["--check"]),
            ("an invalid root of a provider", "trust/ak-roots/x.pem", b"x", "x.pem", ["--check"]),
            ("roots of both kinds", "trust/tpm-roots/x.pem", b"x", "use ak-roots and ek-roots", ["--check"]),
            ("an invalid root", "trust/roots/x.pem", b"x", "x.pem", ["--check"]),
            ("a file of certificates that is empty", "trust/certs/x.pem", b"", "expected a certificate, found 0 other bytes", ["--check"]),
            ("a database of a later version", "state/broker.db", other, "expected a database of version 2, found version 7", []),
            ("an invalid database", "state/broker.db", b"x" * 8192, "broker.db: ", []),
            ("an invalid audit log", "state/audit.log", b"x\n", "audit.log: line 1", [])):
        path = os.path.join(b.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            os.rename(path, path + ".away")
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o600)
        rc, out = daemon(b, *words)
        os.unlink(path)
        if os.path.exists(path + ".away"):
            os.rename(path + ".away", path)
        ok(rc and said in out, "%s: %s" % (what, said), (rc, out))
    with open(b.conf) as f:
        conf = f.read()
    for what, old, now, said in (
            ("an address of another machine", "listen = 127.0.0.1", "listen = 192.0.2.1", "192.0.2.1, port "),
            ("a socket with too long a name", b.dir + "/admin.sock", b.dir + "/" + "x" * 100, "too long for a socket"),
            ("a socket in no directory", b.dir + "/admin.sock", "/proc/nosuch/admin.sock", "/proc/nosuch/admin.sock: "),
            ("a state in no directory", b.dir + "/state", b.dir + "/nosuch", "nosuch/broker.db: ")):
        with open(b.conf, "w") as f:
            f.write(conf.replace(old, now))
        rc, out = daemon(b)
        ok(rc and said in out, "%s: %s" % (what, said), (rc, out))
        if "too long" in said:
            rc, out = b.admin("policy", "list", check=False)
            ok(rc and said in out, "ccdm-broker has the same error", (rc, out))
        with open(b.conf, "w") as f:
            f.write(conf)
    with open(b.dir + "/state/audit.log") as f:
        log = f.read()
    with open(b.dir + "/state/audit.log", "w") as f:
        f.write(log + "x\n")
    rc, out = b.admin("log", check=False)
    with open(b.dir + "/state/audit.log", "w") as f:
        f.write(log + "x")
    whole, said = b.admin("backup", b.dir + "/torn", check=False)
    with open(b.dir + "/state/audit.log", "w") as f:
        f.write(log)
    # the log gets a line about the incomplete one and a line about the backup, perhaps also a head
    more = int(re.search(r" (\d+) lines of the audit log", said).group(1)) - log.count("\n") if whole == 0 else 0
    ok(more in (2, 3), "backup: an incomplete line is not counted", (whole, said))
    ok(rc == 1 and "?" in out.splitlines() and "found 1 invalid lines" in out, "log: an invalid line is reported", (rc, out))
    os.rename(b.dir + "/state/audit.log", b.dir + "/state/away")
    os.mkdir(b.dir + "/state/audit.log")
    rc, out = b.admin("log", check=False)
    os.rmdir(b.dir + "/state/audit.log")
    os.rename(b.dir + "/state/away", b.dir + "/state/audit.log")
    ok(rc == 4 and "audit.log: Is a directory" in out, "log: a directory in place of the log", (rc, out))
    os.rename(b.dir + "/state/audit.log", b.dir + "/state/away")
    os.symlink("audit.log", b.dir + "/state/audit.log")
    rc, out = b.admin("backup", b.dir + "/copy2", check=False)
    os.unlink(b.dir + "/state/audit.log")
    none = b.admin("backup", b.dir + "/copy3", check=False)
    os.rename(b.dir + "/state/away", b.dir + "/state/audit.log")
    ok(none[0] == 0 and " 1 lines of the audit log" in none[1], "backup of a state without a log: the new log is in it", none)
    ok(rc and "audit.log: Too many levels" in out and not os.path.exists(b.dir + "/copy2"), "backup of a log that cannot be read",
       (rc, out))
    os.rename(b.dir + "/state/broker.db", b.dir + "/state/away")
    rc, out = b.admin("backup", b.dir + "/copy2", check=False)
    os.rename(b.dir + "/state/away", b.dir + "/state/broker.db")
    ok(rc == 4 and "broker.db: No such file" in out and not os.path.exists(b.dir + "/copy2"), "backup of no state", (rc, out))
    rc, out = b.admin("log", "verify", b.dir + "/nosuch", check=False)
    ok(rc == 4 and "nosuch: No such file" in out, "log verify of no file", (rc, out))
    key_file = b.dir + "/secrets.key"
    os.rename(key_file, key_file + ".away")
    with open(key_file, "wb") as f:
        f.write(line)
    os.chmod(key_file, 0o600)
    b.start()
    said, err = load(b, key, 1, 1)
    rc, out = b.admin("secret", "reseal", check=False)
    b.stop()
    os.rename(key_file + ".away", key_file)
    ok(rc and "cannot open the sealed secret " + PATH in out and not said["right"], "secrets under a lost key: nobody gets them", (rc, out))
    other = os.path.join(b.dir, "other")
    os.mkdir(other)
    with open(other + "/brokerd.conf", "w") as f:
        f.write(conf.replace(b.dir, other))
    for names, said in (((), "needs a name"), (("a b",), "'a b': expected a host name"), (("",), "expected a host name"),
                        (["x" * 250 + str(i) for i in range(16)], "too many names"), (["x"] * 33, "usage:")):
        for verb in ("init", "renew") if names else ("init",):
            words = [w for n in names for w in ("--name", n)]
            r = subprocess.run([BIN + "/ccdm-broker", "--config", (other if verb == "init" else b.dir) + "/brokerd.conf", verb, *words],
                               capture_output=True, text=True)
            ok(r.returncode == 1 and said in r.stderr, "%s: %s" % (verb, said), r)
    ok(not os.path.exists(other + "/secrets.key"), "no file of a broker is left by that")
    with open(other + "/ca.key", "w"):
        pass
    r = subprocess.run([BIN + "/ccdm-broker", "--config", other + "/brokerd.conf", "init", "--name", "x"], capture_output=True, text=True)
    ok(r.returncode == 5 and "ca.key: File exists" in r.stderr and "if no broker uses it" in r.stderr,
       "init: a key that exists is not replaced", r)
    os.unlink(other + "/ca.key")
    for name in ("ca.pem", "server.pem"):
        with open(other + "/" + name, "w") as f:
            f.write("mine")
        r = subprocess.run([BIN + "/ccdm-broker", "--config", other + "/brokerd.conf", "init", "--name", "x"],
                           capture_output=True, text=True)
        with open(other + "/" + name) as f:
            ok(r.returncode == 5 and name + ": File exists" in r.stderr and f.read() == "mine" and not os.path.exists(other + "/ca.key"),
               "init: %s that exists is not replaced" % name, r)
        os.unlink(other + "/" + name)
    b.start()
