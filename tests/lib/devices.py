# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""devices - run ccdm-setup on this machine with a TPM (swtpm) and a processor (tests/kernel/sim/signer.c) in /dev"""
import os
import subprocess
import time

from broker import BIN, TOP


class Vtpm:
    """A TPM at a socket. Google's TPM has an attestation key in NV; put() and template() write it."""

    def __init__(self, path):
        self.path, self.sock = path, path + "/sock"
        os.makedirs(path, exist_ok=True)

    def __enter__(self):
        self.p = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.path, "--server",
                                   "type=unixio,path=" + self.sock, "--flags", "not-need-init,startup-clear"],
                                  stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not os.path.exists(self.sock):
            if self.p.poll() is not None or time.monotonic() > end:
                raise RuntimeError("swtpm did not start")
            time.sleep(0.02)
        return self

    def __exit__(self, *exc):
        self.p.terminate()
        self.p.wait()

    def _do(self, kind, *words):
        return subprocess.run([TOP + "/build/tests/vtpm", self.sock, kind, *words], check=True, stdout=subprocess.PIPE).stdout

    def key(self, kind, pem):
        """Write the key that Google's template makes (ecc or rsa) to a file."""
        subprocess.run(["openssl", "pkey", "-pubin", "-inform", "DER", "-out", pem], input=self._do(kind, "key"), check=True)

    def ek(self, path):
        """Write its endorsement key (DER) to a file."""
        with open(path, "wb") as f:
            f.write(self._do("rsa", "ek"))

    def template(self, kind):
        self._do(kind, "template")

    def certificate(self, kind, pem):
        der = self.path + "/cert.der"
        subprocess.run(["openssl", "x509", "-outform", "DER", "-out", der], input=pem.encode(), check=True)
        self._do(kind, "certificate", der)


def setup(*words, tpm=None, sev=None):
    """Run ccdm-setup with these devices. Return: exit code, standard output as bytes, standard error"""
    env = {"PATH": os.environ["PATH"], "LD_PRELOAD": TOP + "/build/tests/devices.so"}
    env.update({"CCDM_TEST_TPM": tpm.sock} if tpm else {}, **{"CCDM_TEST_SEV": sev.sockets[0]} if sev else {})
    r = subprocess.run([BIN + "/ccdm-setup", *words], stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=120)
    return r.returncode, r.stdout, r.stderr.decode()
