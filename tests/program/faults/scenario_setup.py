# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""scenario_setup - ccdm-setup: on the host, and in a VM with a device or a TPM"""
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import threading

from harness import PATH, listing
from broker import BIN      # after harness, which sets the programs' folder
from guest import BOOT
from sim import Signer


def report(signer):
    """The report of a guest, from the signer of its processor."""
    def get(n):
        out = b""
        while len(out) < n:
            out += c.recv(n - len(out))
        return out

    signer.vm("a1" * 48)
    with socket.socket(socket.AF_UNIX) as c:
        c.connect(signer.sockets[0])
        c.sendall(b"CCDMR\0" + bytes(64))
        n, _ = struct.unpack("<II", get(8))
        return get(n)


CONFIG = BOOT % ("ab" * 32) + "[measure]\n"


def setup_files(t):
    """ccdm-setup without a device: verify evidence, check a configuration."""
    tool = [BIN + "/ccdm-setup"]
    for tee, beside in (("snp", ("--cert", "beside/vcek.pem", "--chain", "certs/ask.pem", "--root", "roots/ark.pem")),
                        ("tdx", ("--collateral", "collateral/0a0b0c0d0e0f.json", "--root", "roots/intel.pem"))):
        trust = os.path.join(t.dir, tee)
        for sub in ("roots", "certs", "collateral", "beside"):
            os.makedirs(os.path.join(trust, sub))
        with Signer(tee, os.path.join(t.dir, "signer-" + tee), trust) as s:
            evidence = os.path.join(trust, "report")
            with open(evidence, "wb") as f:
                f.write(report(s))
        argv = tool + ["verify", tee, evidence]
        argv += [os.path.join(trust, w) if "/" in w else w for w in beside]
        for more in [], ["--json"]:
            t.command(" ".join(["verify", tee, *more]), argv + more, same=lambda out: re.sub(r" at \S+Z", "", out))
    config = os.path.join(t.dir, "ccdm.conf")
    with open(config, "w") as f:
        f.write(CONFIG)
    for verb in "check", "files":
        t.command("config " + verb, tool + ["config", verb, config])
    t.command("measure --dry-run", tool + ["measure", "--dry-run", "--config", config])
    t.command("evidence", tool + ["evidence", "--json"])


# ---- in a VM, for tests/vm/95-faults.py ---------------------------------------

@contextlib.contextmanager
def scrubs(tool):
    """Scrub x repeatedly; each scrub's events have a listener."""
    over = threading.Event()

    def scrub():
        while not over.is_set():
            subprocess.run(tool + ["scrub", "x"], check=True, capture_output=True)
    thread = threading.Thread(target=scrub)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def setup_device(t):
    """ccdm-setup with a device: the module is loaded, and CCDM_DISK is unused."""
    tool, disk = [BIN + "/ccdm-setup"], os.environ["CCDM_DISK"]

    def mappings():
        out = subprocess.run(["dmsetup", "ls", "--target", "ccdm"], capture_output=True, text=True).stdout
        return sorted(line.split()[0] for line in out.splitlines() if "(" in line)

    def closed():
        for name in mappings():
            subprocess.run(["dmsetup", "remove", "--retry", name], check=True, stdout=subprocess.DEVNULL)

    def opened():
        closed()
        subprocess.run(tool + ["open", disk, "x", "--yes", "--cache-size", "4M"], check=True)

    def size():
        out = subprocess.run(["dmsetup", "status", "x"], capture_output=True, text=True).stdout
        return re.findall(r"cache_kib:\d+", out)

    def same(out):
        return re.sub(r"\d+", "", out)

    with open("/etc/ccdmtab", "w") as f:
        f.write("ccdm-y %s cache-size=4M,mkfs=ext4\n" % disk)
    t.command("open", tool + ["open", disk, "x", "--yes", "--cache-size", "4M"], fresh=closed, state=mappings)
    t.command("attach", tool + ["attach", "ccdm-y"], fresh=closed, state=mappings)
    t.command("close", tool + ["close", "x"], fresh=opened, state=mappings)
    opened()
    t.command("status", tool + ["status", "x"], same=same)
    t.command("status --json", tool + ["status", "x", "--json"], same=same)
    t.command("list", tool + ["list"])
    t.command("list --json", tool + ["list", "--json"], same=same)
    t.command("cache", tool + ["cache", "x", "8M"], fresh=lambda: subprocess.run(
        ["dmsetup", "message", "x", "0", "cache_mib", "4"], check=True), state=size, same=same)
    t.command("scrub", tool + ["scrub", "x"], same=same, least=0.5)
    with scrubs(tool):
        t.command("monitor", tool + ["monitor", "--count", "1", "x"], same=same)
        t.command("monitor --json", tool + ["monitor", "--json", "--count", "1", "x"], same=same)
    t.command("benchmark", tool + ["benchmark", "--json"], same=lambda out: re.sub(r"[\d.]+|true|false", "", out), least=0.3)
    closed()


def setup_tpm(t):
    """ccdm-setup with a TPM, and a broker at CCDM_BROKER that trusts it; its CA is in /tmp/ca.pem."""
    tool, url = [BIN + "/ccdm-setup"], os.environ["CCDM_BROKER"]
    with_ = ["--broker", url, "--ca", "/tmp/ca.pem", "--timeout", "20"]

    def shape(out):
        return sorted(json.loads(out)) if out else None
    t.command("evidence --nonce", tool + ["evidence", "--nonce", "any"], same=shape)
    t.command("attest", tool + ["attest", *with_])
    token = os.path.join(t.dir, "token")
    t.command("attest --output", tool + ["attest", *with_, "--output", token],
              fresh=lambda: os.path.exists(token) and os.unlink(token),
              state=lambda: [f for f in listing(t.dir) if f.startswith("token")])
    t.command("secret get", tool + ["secret", "get", PATH, *with_])
    config = os.path.join(t.dir, "ccdm.conf")
    with open(config, "w") as f:
        f.write(CONFIG + "[attest]\nbroker = %s\nca = /tmp/ca.pem\ntimeout = 20\n[secrets]\none = %s\nkey = %s\n" %
                (url, PATH, "default/cryptsetup/disk"))
    fetch, drop = [*tool, "secret", "fetch", "--config", config], [*tool, "secret", "drop"]

    def secrets():
        return listing("/run/credstore") + listing("/run/cryptsetup-keys.d")

    def nowhere():
        for where in "/run/credstore", "/run/cryptsetup-keys.d":
            subprocess.run(["umount", where], stderr=subprocess.DEVNULL)

    def fetched():
        subprocess.run(fetch, check=True)
    t.command("secret fetch", fetch, fresh=nowhere, state=secrets)
    # removing some of them is not removing all
    t.command("secret drop", drop, fresh=fetched, state=lambda: not secrets())
    nowhere()
    t.command("measure --check", tool + ["measure", "--check"], same=lambda out: "")
