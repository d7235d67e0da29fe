# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""broker - a broker on the host; a VM reaches it at 10.0.2.2"""
import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(TOP, os.environ.get("CCDM_BIN", "build/bin"))     # CCDM_BIN: programs built with a sanitizer

CONF = """[server]
listen = 127.0.0.1
port = %(port)s
%(server)s
certificate = %(dir)s/server.pem
key = %(dir)s/server.key
[limits]
%(limits)s
[broker]
state = %(dir)s/state
key_file = %(dir)s/secrets.key
token_key = %(dir)s/token.key
trust = %(dir)s/trust
admin = %(dir)s/admin.sock
"""


# All guests of a test have one address, and the log is what a test looks at.
LIMITS = "rate = 100000\nburst = 100000\nrefusals = 100000\nrefusals_size = 100000"


class Broker:
    """ccdm-brokerd with all its files under path. server, limits: lines for [server], [limits]; under: a command that runs the daemon."""

    def __init__(self, path, server="", under=(), limits=LIMITS):
        self.under, self.limits = list(under), limits
        self.dir, self.daemon, self.port, self.protocol = path, None, 0, "0.4.0 0.2.0"
        self.conf = os.path.join(path, "brokerd.conf")
        os.makedirs(path, exist_ok=True)
        self.configure(server)
        out = self.admin("init", "--name", "10.0.2.2", "--name", "localhost", "--json")
        self.pin = json.loads(out)["pin"]
        self.ca = os.path.join(path, "ca.pem")

    def configure(self, server):
        self.server = server
        with open(self.conf, "w") as f:
            f.write(CONF % {"port": self.port, "dir": self.dir, "server": self.server, "limits": self.limits})
            f.write("protocol = %s\n" % self.protocol)

    def start(self, *words):
        self.log_path = os.path.join(self.dir, "brokerd.log")
        self.daemon = subprocess.Popen([*self.under, BIN + "/ccdm-brokerd", "--config", self.conf, *words],
                                       stderr=open(self.log_path, "w"))
        end = time.monotonic() + 30
        while True:
            with open(self.log_path) as f:
                m = re.search(r"^ccdm-brokerd: port (\d+)$", f.read(), re.M)
            if m:
                break
            if self.daemon.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the broker did not start: " + open(self.log_path).read())
            time.sleep(0.02)
        self.port = int(m.group(1))
        self.configure(self.server)      # the same port after a restart
        self.url = "https://10.0.2.2:%d" % self.port
        return self

    def only(self, versions):
        """Restart with these protocol versions only."""
        self.protocol = versions
        self.stop()
        self.configure(self.server)
        self.start()

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()
            self.daemon = None

    def reload(self):
        """Send SIGHUP, and wait for the message."""
        before = open(self.log_path).read().count("reloaded")
        self.daemon.send_signal(signal.SIGHUP)
        end = time.monotonic() + 30
        while open(self.log_path).read().count("reloaded") == before:
            if time.monotonic() > end:
                raise RuntimeError("the broker does not reload")
            time.sleep(0.02)

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def admin(self, *args, stdin=b"", check=True):
        r = subprocess.run([BIN + "/ccdm-broker", "--config", self.conf, *args], input=stdin,
                           capture_output=True)
        if check and r.returncode:
            raise AssertionError("ccdm-broker %s: %s" % (" ".join(args), r.stderr.decode()))
        return r.stdout.decode() if check else (r.returncode, r.stdout.decode() + r.stderr.decode())

    def evidence(self, key):
        """The output of ccdm-setup evidence in a guest of tests/program/broker/load. Return: its file"""
        path = os.path.join(self.dir, "evidence")
        with open(path, "wb") as f:
            subprocess.run([TOP + "/build/tests/load", "evidence", key], stdout=f, check=True)
        return path

    def policy(self, text):
        path = os.path.join(self.dir, "policy.yaml")
        with open(path, "w") as f:
            f.write(text)
        return self.admin("policy", "add", path)

    def secret(self, path, value):
        self.admin("secret", "put", path, stdin=value)

    def trust_tpm(self, evidence):
        """Trust the TPM that made this evidence."""
        self.know(base64.b64decode(evidence["tee-evidence"]["primary_evidence"]["ak_public"]))
        self.reload()

    def know(self, key):
        """The file of a TPM's key, under the name by which the broker finds it."""
        path = os.path.join(self.dir, "trust/tpm-keys", hashlib.sha256(key).hexdigest() + ".der")
        with open(path, "wb") as f:
            f.write(key)
        return path

    def log(self):
        """The audit log's entries, without signed heads and without counts of requests that had no session."""
        lines = self.admin("log", "--json").splitlines()
        return [e for e in map(json.loads, lines) if e["event"] not in ("head", "anonymous")]

    def refused(self):
        """The reasons against the guest in the newest entry of the log: checks or conditions."""
        last = self.log()[-1]
        return [c["name"] for c in last.get("failed", [])] or [
            c["condition"] for p in last.get("conditions", {}).values() for c in p if not c["passed"]]
