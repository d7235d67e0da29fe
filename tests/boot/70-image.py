# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""ccdm-image predicts exactly what a boot of the disk measures.

One boot is complete. In the others a small initrd prints the firmware's log and powers off: firmware and stub
of Debian 12 and 13, Secure Boot, and changes of a disk that "verify" must name. (The short form boots a disk of
"ccdm-image build": 76-workload.py.)
"""
import base64
import os
import re
import shutil
import subprocess

from boot import get_esp, image_script, put_esp
from measured import equal, image, keep, predicted, whole
from vm import MiB

SUITES = ("bookworm", "trixie")
# on a busy machine the clock is too irregular for the kernel's check of its timer
PROBE = {"INITRD": "probe", "SCRATCH": "0", "CMDLINE": "console=ttyS0 no_timer_check loglevel=1"}
SECURE = "SecureBoot".encode("utf-16le") + b"\1"


def probe(t, title, disk, **kw):
    """The firmware's log of a boot, and the registers."""
    with t.boot([disk], title=title, **kw) as m:
        said = m.said.decode(errors="replace")
    m = re.search(r"PROBE-BEGINS\s+(.*?)PROBE-ENDS", said, re.S)
    t.ok(m, title + ": the initrd prints the log", said[-2000:])
    values = {(b, i): v.lower() for b, i, v in re.findall(r"PROBE (sha\d+) (\d+) ([0-9A-F]+)", said)}
    return keep(t, "probe.log", base64.b64decode("".join(re.findall(r"^[A-Za-z0-9+/=]+\r?$", m.group(1), re.M)) if m else "")), values


def as_predicted(t, title, disk, log, values, *words):
    rc, out = image("verify", disk, "--event-log", log, *words)
    # nothing of ccdm runs in that initrd
    t.ok(rc == 7 and "departure" not in out and out.count("not compared") == 1 and "not compared: pcr15" in out,
         title + ": each event is as predicted", out)
    equal(t, title, disk, values, words=words)


def matrix(t):
    folders = {s: image_script("firmware", s) for s in SUITES}
    for stub in SUITES:
        disk = t.image("matrix.img", STUB=stub, **PROBE)
        for suite in SUITES:
            title = "firmware of %s, stub of %s" % (suite, stub)
            log, values = probe(t, title, disk, ovmf=folders[suite])
            as_predicted(t, title, disk, log, values)


def secure(t):
    """With Secure Boot on, the firmware does not measure the kernel: the stub vouches for it."""
    key, cert = "/usr/share/ovmf/PkKek-1-snakeoil.key", "/usr/share/ovmf/PkKek-1-snakeoil.pem"
    folder = os.path.join(t.dir, "keys")
    os.makedirs(folder)
    subprocess.run(["openssl", "rsa", "-in", key, "-passin", "pass:snakeoil", "-out", folder + "/db.key"], check=True,
                   stderr=subprocess.DEVNULL)
    shutil.copy(cert, folder + "/db.pem")
    for stub in SUITES:
        title = "Secure Boot, stub of " + stub
        disk = t.image("signed.img", STUB=stub, SECUREBOOT=folder, **PROBE)
        plain = t.image("plain.img", STUB=stub, **PROBE)
        t.ok(predicted(disk)["enclave-id"] == predicted(plain)["enclave-id"], title + ": a signature does not change the enclave ID")
        log, values = probe(t, title, disk, secure=True)
        with open(log, "rb") as f:
            t.ok(SECURE in f.read(), title + ": it is on")
        as_predicted(t, title, disk, log, values, "--secure-boot")
        rc, out = image("verify", disk, "--event-log", log)
        t.ok(rc == 7 and "Secure Boot is on, perhaps" in out, title + ": verify says so where it was not told", out)


def changes(t):
    """The host changes a disk, and "verify" names the change."""
    good = t.image("good.img", **PROBE)
    with open(good, "rb") as f:
        f.seek(0, os.SEEK_END)
        size = f.tell()
    bigger = shutil.copy(good, os.path.join(t.dir, "bigger.img"))
    os.truncate(bigger, size + 8 * MiB)
    subprocess.run(["sfdisk", "-q", "--relocate", "gpt-bak-std", bigger], check=True, stderr=subprocess.DEVNULL)

    def esp(name, folder, file, data):
        """The same disk with another file in its ESP."""
        path = shutil.copy(good, os.path.join(t.dir, name))
        put_esp(path, folder, file, data)
        return path

    beside = "EFI/BOOT/BOOTX64.EFI.extra.d"
    files = esp("cred.img", beside, "host.cred", b"hello")
    addon = get_esp(t.image("other.img", ADDON_CMDLINE="quiet", **PROBE), beside + "/host.addon.efi")
    line = get_esp(t.image("other.img", **dict(PROBE, CMDLINE="console=ttyS0 no_timer_check quiet")), "EFI/BOOT/BOOTX64.EFI")
    cases = [("a resized disk", bigger, "pcr5", "the disk was resized", "unknown"),
             ("an addon beside the UKI", esp("addon.img", beside, "host.addon.efi", addon), "pcr4",
              "host.addon.efi", "another one"),
             ("a credential beside the UKI", files, "pcr12", "an addon, a credential or a command line", "another one"),
             ("another command line", esp("line.img", "EFI/BOOT", "BOOTX64.EFI", line), "pcr4",
              "the kernel's command line (.cmdline) differs", "another one")]
    for what, disk, register, words, ident in cases:
        log, _ = probe(t, what, disk)
        rc, out = image("verify", good, "--event-log", log)
        t.ok(rc == 7 and re.search("^first departure: %s, .*%s" % (register, re.escape(words)), out, re.M) and
             "the enclave ID of the boot is " + ident in out, "%s: verify says so, and that the ID is %s" % (what, ident), out)
        rc, out = image("inspect", good, "--against", disk)
        t.ok(rc == 0 and out.strip(), "%s: inspect says it, too" % what, out)


def run(t):
    whole(t, t.image("whole.img"))
    matrix(t)
    secure(t)
    changes(t)
