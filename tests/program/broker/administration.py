# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""administration - the admin socket, keys and certificates, backups, and the tool's reaction to answers"""
import json
import os
import shutil
import socket
import stat
import subprocess
import time

from harness import PATH, POLICY, load, ok
from broker import BIN

OTHER = 65534       # a user other than root


def checked(b):
    """Test ccdm-brokerd --check."""
    r = subprocess.run([os.path.join(BIN, "ccdm-brokerd"), "--config", b.conf, "--check"],
                       capture_output=True, text=True)
    return r.returncode, r.stderr


def administration(b, key):
    mode = os.stat(os.path.join(b.dir, "admin.sock")).st_mode
    ok(stat.S_IMODE(mode) == 0o660, "the admin socket is for its group (%o)" % stat.S_IMODE(mode))
    for line in (b"\n", b"{\n", b"[]\n", b'{"do": 1}\n', b'{"do": "policy-add"}\n', b'{"do": "x"}\n',
                 b'{"do": "policy-remove"}\n', b'{"do": "secret-remove"}\n', b'{"do": "secret-put"}\n',
                 b'{"do": "secret-put", "path": "a/b/c"}\n', b'{"do": "secret-put", "path": "../x", "value": ""}\n'):
        s = socket.socket(socket.AF_UNIX)
        s.connect(os.path.join(b.dir, "admin.sock"))
        s.sendall(line)
        ok('"error"' in s.recv(4096).decode(), "an invalid order: %s" % line.decode().strip())
        s.close()
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(os.path.join(b.dir, "admin.sock"))
    try:
        s.sendall(b"x" * (9 << 20))
        said = s.recv(1)
    except (BrokenPipeError, ConnectionResetError):
        said = b""
    s.close()
    ok(said == b"", "a line without end: the connection ends")
    if not os.geteuid():
        strange(b)
    ok(json.loads(b.admin("rotate-key", "--json"))["key-file"] == b.dir + "/secrets.key", "rotate-key --json")
    b.reload()
    said, err = load(b, key, 10, 2)
    ok(said["right"] == 10, "a new key: all goes on", err)
    out = b.admin("secret", "reseal")
    ok("1 of 1" in out, "secret reseal", out)
    key_file = os.path.join(b.dir, "secrets.key")
    with open(key_file) as f:
        two = f.read()
    b.admin("rotate-key")
    b.admin("rotate-key")
    rc, out = b.admin("rotate-key", check=False)
    with open(key_file) as f:
        four = f.read()
    ok(rc == 5 and "holds 4 keys" in out and four.endswith(two) and len(four) == 2 * len(two),
       "rotate-key: removes no key that a secret may be sealed under", out)
    with open(key_file, "w") as f:
        f.write(two)
    b.admin("renew", "--name", "localhost", "--name", "::1", "--days", "30")
    b.reload()
    said, err = load(b, key, 10, 2)
    ok(said["right"] == 10, "a new certificate: all goes on", err)

    def names():
        r = subprocess.run(["openssl", "x509", "-in", b.dir + "/server.pem", "-noout", "-ext", "subjectAltName", "-subject", "-serial"],
                           capture_output=True, text=True, check=True)
        *said, serial = r.stdout.splitlines()
        return said, serial
    before = names()
    b.admin("renew", "--days", "30")
    ok("DNS:localhost" in before[0][1] and names()[0] == before[0] and names()[1] != before[1], "renew without a name keeps the names",
       (before, names()))
    b.reload()
    with open(b.dir + "/server.pem") as f:
        pem = f.read()
    with open(b.dir + "/server.pem", "w") as f:
        f.write("x")
    rc, out = b.admin("renew", check=False)
    ok(rc == 1 and "server.pem: expected a certificate with 1 to 32 names" in out and "--name HOST" in out,
       "without a certificate: refused", out)
    with open(b.dir + "/server.pem", "w") as f:
        f.write(pem)
    os.rename(b.dir + "/server.pem", b.dir + "/server.away")
    b.daemon.send_signal(1)
    end = time.monotonic() + 10
    while "not reloaded" not in open(b.log_path).read() and time.monotonic() < end:
        time.sleep(0.02)
    said, err = load(b, key, 10, 2)
    ok(said["right"] == 10 and "not reloaded" in open(b.log_path).read(), "without one: not reloaded, and all goes on", err)
    os.rename(b.dir + "/server.away", b.dir + "/server.pem")
    for name in "server.key", "token.key", "secrets.key":
        key_file = os.path.join(b.dir, name)
        os.chmod(key_file, 0o640)
        rc, out = checked(b)
        os.chmod(key_file, 0o600)
        ok(rc and name + ": mode 0640" in out, "%s that others can read: refused" % name, out)
        if os.geteuid():
            continue
        os.chown(key_file, OTHER, OTHER)
        rc, out = checked(b)
        ok(not rc and not b.admin("log", "verify", check=False)[0], "%s of the service's own user: root reads it" % name, out)
        os.chown(key_file, 0, 0)
    rc, out = b.admin("policy", "add", "--dry-run", b.dir + "/policy.yaml", check=False)
    ok(rc == 0 and "dry run" in out and out.count("+") == 0, "policy add --dry-run of the same: no difference", out)
    line = POLICY.splitlines()[2]
    with open(b.dir + "/changed.yaml", "w") as f:
        f.write(POLICY.replace("unknown", "running"))
    rc, out = b.admin("policy", "add", "--dry-run", b.dir + "/changed.yaml", check=False)
    ok(rc == 0 and {"- " + line, "+ " + line.replace("unknown", "running")} <= set(out.splitlines()) and out.count("require") == 2,
       "policy add --dry-run of another: the lines that differ", out)
    b.admin("policy", "remove", "web")
    said, err = load(b, key, 1, 1)
    ok(said["right"] == 0 and "refused" in err, "without a policy nobody gets anything", err)


def strange(b):
    """A user who is not in the group of the admin socket."""
    mode = os.stat(b.dir).st_mode
    os.chmod(b.dir, 0o755)
    program = shutil.copy(BIN + "/ccdm-broker", b.dir)
    r = subprocess.run([program, "--config", b.conf, "policy", "list"], capture_output=True, text=True, user=OTHER, group=OTHER,
                       extra_groups=[], cwd="/")
    os.unlink(program)
    os.chmod(b.dir, mode)
    ok(r.returncode == 2 and "Permission denied" in r.stderr and "in the group of this socket" in r.stderr,
       "a user outside the socket's group is told so", r)


def backup(b, key):
    """Back up the broker's state into a file, and restore it into an empty state."""
    b.policy(POLICY)
    copy = os.path.join(b.dir, "copy")
    out = b.admin("backup", copy)
    ok("lines of the audit log" in out and stat.S_IMODE(os.stat(copy).st_mode) == 0o600, "backup of a running broker", out)
    with open(copy, "rb") as f:
        ok(b"correct horse" not in f.read(), "backup: no secret in it")
    rc, out = b.admin("backup", copy, check=False)
    ok(rc == 5 and "already exists" in out, "backup: never over a file that is there", out)
    rc, out = b.admin("restore", copy, check=False)
    ok(rc == 5 and "the broker is running" in out, "restore: not under a running broker", out)
    b.stop()
    rc, out = b.admin("restore", copy, check=False)
    ok(rc == 5 and "already" in out, "restore: never over a state that is there", out)
    state = os.path.join(b.dir, "state")
    os.rename(state, state + ".lost")
    os.mkdir(state, 0o700)
    with open(copy, "rb") as f:
        whole = f.read()
    for what, data in (("half of it", whole[:len(whole) // 2]), ("another file", b"x" * 8192),
                       ("one digit of the log", whole.replace(b'"prev":"0000', b'"prev":"0001', 1))):
        with open(copy, "wb") as f:
            f.write(data)
        rc, out = b.admin("restore", copy, check=False)
        ok(rc and os.listdir(state) == ["audit.log"], "restore of %s: refused, and only a line of the log is left" % what, out)
    with open(copy, "wb") as f:
        f.write(whole)
    out = b.admin("restore", copy)
    ok("restored" in out, "restore", out)
    b.start()
    ok("web" in b.admin("policy", "list") and PATH in b.admin("secret", "list"), "restore: policies and secrets")
    out = b.admin("log", "verify")
    ok("hash chain valid" in out, "the log goes on", out)
    said, err = load(b, key, 1, 1)
    ok(said["right"] == 1, "and a guest gets its secret", err)


def answers(b):
    """How ccdm-broker reacts to a daemon's answers, and to no answer."""
    b.stop()
    path = os.path.join(b.dir, "admin.sock")
    for code, exit_code in (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (99, 4):
        rc, out = fake(b, path, b'{"error": "no", "code": %d}\n' % code)
        ok(rc == exit_code and out.startswith("ccdm-broker: no"), "an error with code %d: exit code %d" % (code, exit_code), (rc, out))
    for said in (b"", b"x\n", b'{"a": 1, "a": 2}\n', b"[" * (9 << 20)):
        rc, out = fake(b, path, said)
        ok(rc == 4 and "the broker did not answer" in out, "%r is not an answer" % said[:20], (rc, out))
    b.start()


def fake(b, path, said):
    """Run ccdm-broker with a daemon at this socket that sends answer. Return: its exit code and output"""
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen()
        p = subprocess.Popen([BIN + "/ccdm-broker", "--config", b.conf, "policy", "list"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        c, _ = s.accept()
        with c:
            while not c.recv(4096).endswith(b"\n"):
                pass
            try:
                c.sendall(said)
            except OSError:  # ccdm-broker does not read an endless line to its end
                pass
        out = p.communicate(timeout=30)[0]
    return p.returncode, out
