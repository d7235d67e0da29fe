# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""guest - a VM that attests: its TPM, its network, and ccdm-setup in it"""
import os
import shutil
import subprocess
import time

# the part of ccdm.conf that all have in common; %s is the root hash
BOOT = """[boot]
cmdline = root=/dev/mapper/ccdm-root rw systemd.import_credentials=no systemd.gpt_auto=no nohibernate noresume systemd.ssh_auto=no panic=0
[base]
device = /dev/vda
roothash = %s
salt = -
data_blocks = 1
hash_start = 1
"""

# after udev has renamed the interface
NET = ("set -e; modprobe -a virtio_net; udevadm settle; d=$(ls /sys/class/net | grep -v lo | head -n1); "
       "ip link set lo up; ip link set $d up; ip addr add 10.0.2.15/24 dev $d; "
       "ip route add default via 10.0.2.2")
TPM = ("set -e; modprobe tpm_crb; udevadm settle; "
       "mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security; test -c /dev/tpmrm0")


NET_ARGS = ["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile="]


class Swtpm:
    def __init__(self, path):
        self.path = path
        os.makedirs(path, exist_ok=True)

    def __enter__(self):
        sock = self.path + "/sock"
        self.p = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.path, "--ctrl",
                                   "type=unixio,path=" + sock, "--flags", "startup-clear"],
                                  stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not os.path.exists(sock):
            if self.p.poll() is not None or time.monotonic() > end:
                raise RuntimeError("swtpm did not start")
            time.sleep(0.02)
        self.args = ["-chardev", "socket,id=tpm,path=" + sock, "-tpmdev", "emulator,id=t,chardev=tpm",
                     "-device", "tpm-crb,tpmdev=t"] + NET_ARGS
        return self

    def __exit__(self, *exc):
        self.p.terminate()
        self.p.wait()


class Maker:
    """A maker of TPMs, which certifies their endorsement keys: swtpm_setup and its CA."""

    def __init__(self, path):
        self.path, self.ca = path, os.path.join(path, "ca")
        os.makedirs(self.ca, exist_ok=True)
        self._write("setup.conf", "create_certs_tool=/usr/bin/swtpm_localca\ncreate_certs_tool_config=%s/localca.conf\n"
                    "create_certs_tool_options=%s/options\n" % (path, path))
        self._write("localca.conf", "statedir = {0}\nsigningkey = {0}/signkey.pem\nissuercert = {0}/issuercert.pem\n"
                    "certserial = {0}/certserial\n".format(self.ca))
        self._write("options", "--platform-manufacturer ccdm\n--platform-version 1\n--platform-model test\n")
        self._write("crl.tmpl", "crl_next_update = 365\ncrl_number = 1\n")

    def _write(self, name, text):
        with open(os.path.join(self.path, name), "w") as f:
            f.write(text)

    def make(self, path, *words):
        """Make a TPM with a certificate in NV. words: more for swtpm_setup."""
        os.makedirs(path, exist_ok=True)
        r = subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", path, "--create-ek-cert", "--config",
                            os.path.join(self.path, "setup.conf"), "--overwrite", *words], capture_output=True, text=True)
        if r.returncode:
            raise RuntimeError("swtpm_setup: " + r.stdout + r.stderr)

    def known(self, path):
        """Make a TPM with both banks. Return: its endorsement key, as a broker takes it in trust/tpm-keys."""
        self.make(path, "--pcr-banks", "sha256,sha384", "--write-ek-cert-files", self.path)
        key = subprocess.run(["openssl", "x509", "-inform", "DER", "-in", os.path.join(self.path, "ek-rsa2048.crt"), "-noout", "-pubkey"],
                             check=True, stdout=subprocess.PIPE).stdout
        return subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True, stdout=subprocess.PIPE).stdout

    def trust(self, trust):
        """Let a broker with this directory trust its TPMs: the root, the CA below it, lists of both."""
        shutil.copy(os.path.join(self.ca, "swtpm-localca-rootca-cert.pem"), os.path.join(trust, "ek-roots/maker.pem"))
        shutil.copy(os.path.join(self.ca, "issuercert.pem"), os.path.join(trust, "certs/issuer.pem"))
        for name, key, cert in (("root", "swtpm-localca-rootca-privkey.pem", "swtpm-localca-rootca-cert.pem"),
                                ("issuer", "signkey.pem", "issuercert.pem")):
            subprocess.run(["certtool", "--generate-crl", "--load-ca-privkey", os.path.join(self.ca, key),
                            "--load-ca-certificate", os.path.join(self.ca, cert), "--template",
                            os.path.join(self.path, "crl.tmpl"), "--outfile",
                            os.path.join(trust, "certs/%s-crl.pem" % name)], check=True, capture_output=True)


def setup(vm, what):
    """Return: exit code and standard error."""
    return vm.sh("/ccdm/bin/ccdm-setup %s 2>&1" % what, check=False)


def asks(t, vm, with_, rc, what, text=""):
    """Fetch default/web/key, which is "secret". rc 0: it must arrive; else it must not, and the message contains text."""
    got, out = setup(vm, "secret get default/web/key %s | head -c 6" % with_)
    # the exit code of the pipe's last command: only what arrived counts
    good = out == "secret" if not rc else "secret" not in out and text in out
    return t.ok(good, what, out)


def put(vm, path, text):
    vm.sh("cat >%s <<'EOF'\n%s\nEOF" % (path, text))
