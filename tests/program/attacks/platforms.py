# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""platforms - genuine platforms that are unfit: attributes of a TD, firmware, banks of a TPM"""
import os

from attack import any_image, attack, check, needs, ok, opens, policy, put, refused
from liar import enclave_id, image, td_boot, tpm_boot

# Offsets in a report. A forged one has SNP firmware 29 and microcode 219, as AMD's bulletins require.
REPORTED, COMMITTED, LAUNCH, CURRENT = 0x180, 0x1e0, 0x1f0, 0x38
SNP, MICROCODE = 6, 7       # of a Milan


@attack
def attributes(b, g):
    any_image(b, "tee: tdx", "binding: none", "phase: initrd")
    boot = td_boot(image(rtmr=True))
    opens(b, g, "control: attributes as they must be", "tdx", boot)
    opens(b, g, "control: the same, TD 1.5", "tdx", dict(boot, version=5))
    # 120: attributes; bit 28 SEPT_VE_DISABLE, 29 MIGRATABLE
    for name, at, value, version in (("debug", 120, 1, 4), ("MIGRATABLE", 123, 0x30, 4), ("MIGRATABLE, TD 1.5", 123, 0x30, 5),
                                     ("SEPT_VE_DISABLE off", 123, 0, 4), ("another bit for debuggers", 120, 2, 4),
                                     ("MRSERVICETD", 600, 1, 5), ("the last byte of MRSERVICETD", 647, 1, 5)):
        refused(b, g, "a TD with " + name, "tdx", dict(boot, version=version, at=1000 + at, value=value))


@attack
def firmware(b, g):
    """A genuine chip with vulnerable firmware, or whose host can roll back to such firmware."""
    guest = {"measurement": "5a" * 48}
    image_ = ["tee: snp", "binding: none", "phase: unknown", "measurement: {value: %s, covers: image}" % guest["measurement"]]
    put(b, "snp-floor", None)
    needs(b, *image_)
    opens(b, g, "control: firmware that AMD's bulletins ask for", "snp", guest)
    for name, at, value in (("reports SNP 28", REPORTED + SNP, 28), ("can be put back to SNP 28", COMMITTED + SNP, 28),
                            ("launched the guest with SNP 28", LAUNCH + SNP, 28), ("reports microcode 218", REPORTED + MICROCODE, 218),
                            ("can be put back to microcode 218", COMMITTED + MICROCODE, 218),
                            ("launched the guest with SNP 0", LAUNCH + SNP, 0)):
        refused(b, g, "a platform that " + name, "snp", dict(guest, at=at, value=value), fails="tcb")
    opens(b, g, "control: the current firmware is not judged, it is never below the committed one", "snp",
          dict(guest, at=CURRENT + SNP, value=99))
    # versions in a policy are an additional condition; they do not replace the floor
    needs(b, *image_, "tcb: {snp: 20}")
    refused(b, g, "versions in a policy do not replace AMD's", "snp", dict(guest, at=COMMITTED + SNP, value=28),
            fails="tcb")
    needs(b, *image_, "tcb: {snp: 28, status: [UpToDate, OutOfDate]}")
    opens(b, g, "control: a policy that allows OutOfDate", "snp", dict(guest, at=COMMITTED + SNP, value=28))
    refused(b, g, "below the version that this policy names", "snp", dict(guest, at=COMMITTED + SNP, value=27), fails="tcb")
    taken, out = policy(b, image_ + ["tcb: {status: ConfigurationNeeded}"])
    ok(not taken and "never hold" in out, "a status that no SNP platform has: policy add refuses it", out)
    # an operator's list
    needs(b, *image_)
    put(b, "snp-floor", "milan snp 30 ours\n")
    refused(b, g, "an operator's list with a higher version", "snp", guest, fails="tcb")
    put(b, "snp-floor", "milan snp 28 ours\n")
    opens(b, g, "control: an operator's list with a lower version", "snp", dict(guest, at=COMMITTED + SNP, value=28))
    for name, text in (("of another generation", "genoa snp 0 ours\n"), ("of another processor", "milan:19/01/02 snp 0 ours\n"),
                       ("of none", "# none\n")):
        put(b, "snp-floor", text)
        refused(b, g, "an operator's list " + name + ": no version for this platform", "snp", guest, fails="tcb")
        needs(b, *image_, "tcb: {status: [UpToDate, OutOfDate]}")
        refused(b, g, "the same, with a policy that allows OutOfDate", "snp", guest, fails="tcb")
        needs(b, *image_)
    with open(os.path.join(b.dir, "trust/snp-floor"), "w") as f:
        f.write("milan snp 28\n")
    r = check(b)
    ok(r.returncode and b"expected generation, part, version and source" in r.stderr, "a list without a source is refused", r.stderr)
    put(b, "snp-floor", None)
    # the same with a paravisor
    put(b, "paravisors", "measurement %s\n" % guest["measurement"])
    boot = tpm_boot(image(), **guest)
    needs(b, "tee: snp", "binding: paravisor", "phase: initrd", "enclave-id: " + enclave_id(image()))
    opens(b, g, "control: the same with a paravisor", "az-snp-vtpm", boot)
    refused(b, g, "the same with firmware below the floor", "az-snp-vtpm", dict(boot, at=LAUNCH + SNP, value=28), fails="tcb")
    put(b, "paravisors", None)


@attack
def banks(b, g):
    base = ["tee: tpm", "binding: tpm-only", "phase: initrd"]
    any_ = ["identity: any"]
    for index in (16, 17, 18, 22, 23):
        good, out = policy(b, base + any_ + ["pcr: {bank: sha256, index: %d, value: %s}" % (index, "00" * 32)], "reset")
        ok(not good, "a policy on PCR %d is refused" % index, out)
    for bank, size in (("sha1", 20),):
        good, out = policy(b, base + any_ + ["pcr: {bank: %s, index: 4, value: %s}" % (bank, "00" * size)], "weak")
        ok(not good, "a policy on bank %s is refused" % bank, out)
    for name in ("reset", "weak"):
        b.admin("policy", "remove", name, check=False)
    boot = image()
    needs(b, *base, *any_)
    opens(b, g, "control: a quote of the SHA-256 bank", "tpm", tpm_boot(boot))
    for bank in ("sha1", "sha384"):
        refused(b, g, "a quote of the %s bank; a policy without a bank is for sha256" % bank, "tpm", tpm_boot(boot, bank))
    value = tpm_boot(boot)["pcr"][4]
    needs(b, *base, *any_, "pcr: {bank: sha256, index: 4, value: %s}" % value)
    opens(b, g, "control: PCR 4 of the SHA-256 bank", "tpm", tpm_boot(boot))
    for bank in ("sha1", "sha384"):
        refused(b, g, "PCR 4 of sha256, and a quote of %s" % bank, "tpm", tpm_boot(boot, bank))
    # a quote without the register, and a list of registers that differs from the quote
    refused(b, g, "a quote without PCR 4", "tpm", dict(tpm_boot(boot), quoted=0xffffff & ~16))
    other = tpm_boot(image(b"my kernel"))
    refused(b, g, "a list of registers that is not what the quote covers", "tpm", dict(other, said=tpm_boot(boot)["pcr"]))
