# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""identity - logs and registers that resemble those of another image"""
from attack import MRTD, any_image, attack, needs, ok, opens, policy, refused
from liar import CAP, GPT, READY, SEPARATOR, Event, digest, enclave_id, image, td_boot, tpm_boot


@attack
def tdx_identity(b, g):
    good = image(rtmr=True)
    mine = image(b"my kernel", rtmr=True)
    kernel = digest("sha384", b"good kernel").hex()
    taken, out = policy(b, ["tee: tdx", "binding: none", "phase: initrd", "event: {register: rtmr2, digest: %s}" % kernel])
    ok(not taken, "policy add refuses a single event as the identity", out)
    contains = mine[:-2] + [Event("firmware", 2, b"good kernel"), *mine[-2:]]
    good_id = enclave_id(good, "sha384", True)
    taken, out = policy(b, ["tee: tdx", "binding: none", "phase: initrd", "enclave-id: " + good_id])
    ok(not taken and "MRTD" in out, "policy add refuses an ID without the firmware that filled the registers", out)
    needs(b, "tee: tdx", "binding: none", "phase: initrd", MRTD, "enclave-id: " + good_id)
    opens(b, g, "control: the good image", "tdx", td_boot(good))
    refused(b, g, "the host's firmware, which extends the good digests and sends the good log", "tdx",
            td_boot(good, mrtd="ee" * 48))
    for name, events in tdx_variants(good, contains):
        refused(b, g, "enclave-id: " + name, "tdx", td_boot(events))
    honest = td_boot(good)
    for name, e in (("a bigger disk: another partition table",
                     [x.at(data=GPT + bytes(128), said=GPT + bytes(128)) if x.data == GPT else x for x in good]),
                    ("no partition table", [x for x in good if x.data != GPT]),
                    ("two of them", good[:3] + [good[2]] + good[3:])):
        opens(b, g, "control: %s, the same identity" % name, "tdx", td_boot(e))
    # the log of the valid image with the registers of another one
    refused(b, g, "enclave-id: the good image's log, another's registers", "tdx", dict(td_boot(mine), members=honest["members"]))
    refused(b, g, "enclave-id: no log at all", "tdx", dict(honest, members={}))
    refused(b, g, "enclave-id: only RTMR 3 is right", "tdx", dict(td_boot(mine[:-2] + good[-2:])))


def tdx_variants(good, contains):
    """(name, events) of logs that are nearly the valid one."""
    swapped = list(good)
    a = next(i for i, e in enumerate(good) if e.data == b"good kernel" and e.reg == 2)
    swapped[a - 1], swapped[a] = swapped[a], swapped[a - 1]
    firmware = [e for e in good if e.kind == "firmware"]
    ours = [e for e in good if e.kind == "ccdm"]
    yield "another kernel, which also extends the good digests", contains
    yield "two events of a register swapped", swapped
    yield "an event moved to another register", [e.at(reg=1) if e.data == b"good kernel" and e.reg == 2 else e for e in good]
    yield "one more event in the middle", good[:4] + [Event("firmware", 2, b"x")] + good[4:]
    yield "one more event before the base's", firmware + [Event("ccdm", 3, b"ccdm-base:%s" % (b"cd" * 32))] + ours
    yield "an event is missing", [e for e in good if e.data != b"initrd of good kernel"]
    yield "the cap after ready", good + [Event("ccdm", 3, CAP)]
    yield "an event whose data claims to be a partition table", \
        [Event("firmware", 1, b"evil", data_said=GPT)] + good
    yield "a partition table in RTMR 2", good[:4] + [Event("firmware", 2, GPT)] + good[4:]
    yield "a known event in another log than firmware's", firmware + [Event("ccdm", 3, b"ccdm-x:1", label="other")] + ours
    yield "a constant of firmware in another log", firmware + [Event("ccdm", 2, SEPARATOR, label="other", data_said=b"")] + ours
    yield "the good image twice", good + [e for e in firmware if e.reg == 2]


@attack
def policies(b, g):
    """Conditions that identify the running image, and conditions that do not."""
    tdx, tpm, snp = (["tee: " + x, "binding: " + y] for x, y in (("tdx", "none"), ("tpm", "tpm-only"), ("snp", "none")))
    any48, any32 = "11" * 48, "11" * 32
    pcr = "pcr: {bank: sha256, index: %d, value: %s}"
    event = "event: {register: rtmr3, name: ccdm-ready}"
    for what, require in (
            ("nothing", tdx), ("an event by its name", tdx + [event]), ("RTMR 3", tdx + ["rtmr: {index: 3, value: %s}" % any48]),
            ("RTMR 2 without 1", tdx + ["rtmr: {index: 2, value: %s}" % any48]),
            ("RTMR 1 without 2", tdx + ["rtmr: {index: 1, value: %s}" % any48]), ("MRTD", tdx + ["measurement: " + any48]),
            ("PCR 15", tpm + [pcr % (15, any32)]), ("PCR 4", tpm + [pcr % (4, any32)]),
            ("RTMR 1 and 2 without the firmware",
             tdx + ["all: [{rtmr: {index: 1, value: %s}}, {rtmr: {index: 2, value: %s}}]" % (any48, any48)]),
            ("PCR 4 and 9", tpm + ["all: [{%s}, {%s}]" % (pcr % (4, any32), pcr % (9, any32))]),
            ("a measurement without covers", snp + ["measurement: " + any48]),
            ("a measurement that covers the firmware", snp + ["measurement: {value: %s, covers: firmware}" % any48]),
            ("identity or an event", tdx + ["any: [{enclave-id: %s}, {%s}]" % (any32, event)]),
            ("any identity but one", tdx + ["not: {enclave-id: %s}" % any32])):
        good, out = policy(b, require, "weak")
        ok(not good, "a policy that requires %s: refused" % what, out)
        b.admin("policy", "remove", "weak", check=False)
    good, out = policy(b, tdx + ["measurement: {value: %s, covers: image}" % any48], "weak")
    ok(not good, "covers on TDX, where nothing covers the image: refused", out)
    for name, make, regs, require, other in (
            ("MRTD, RTMR 1 and 2", td_boot, ("rtmr", (1, 2)), tdx + [MRTD], image(b"my kernel", True)),
            ("PCR 2, 4, 9, and 12 and 13 zero", tpm_boot, ("pcr", (2, 4, 9, 12, 13)), tpm, image(b"my kernel"))):
        boot = make(image(rtmr=make is td_boot))
        word = "rtmr: {index: %d, value: %s}" if make is td_boot else pcr
        needs(b, *require, "phase: initrd", "all: [%s]" % ", ".join("{%s}" % (word % (i, boot[regs[0]][i])) for i in regs[1]))
        tee = "tdx" if make is td_boot else "tpm"
        opens(b, g, "control: %s by value" % name, tee, boot)
        refused(b, g, "%s by value: another image" % name, tee, make(other))
    refused(b, g, "PCR 12 not zero: the host's command line", "tpm", tpm_boot(image() + [Event("firmware", 12, b"init=/bin/sh")]))
    refused(b, g, "PCR 2: a driver that ran before the image", "tpm", tpm_boot([Event("firmware", 2, b"driver")] + image()))
    needs(b, *tpm, "phase: initrd", "enclave-id: " + enclave_id(image(), "sha256", False))
    opens(b, g, "control: an enclave ID of a TPM", "tpm", tpm_boot(image()))
    refused(b, g, "a driver in PCR 2, which extends the good digests", "tpm", tpm_boot([Event("firmware", 2, b"driver")] + image()))
    needs(b, *snp, "phase: unknown", "measurement: {value: %s, covers: image}" % any48)
    opens(b, g, "control: a launch measurement that covers the image", "snp", {"measurement": any48})
    refused(b, g, "another launch measurement", "snp", {"measurement": "12" * 48})
    refused(b, g, "the right one, at VMPL 1", "snp", {"measurement": any48, "vmpl": 1})
    refused(b, g, "the right one, with debugging", "snp", {"measurement": any48, "debug": 1})


@attack
def cap(b, g):
    for rtmr, reg, bank in ((False, 15, "sha256"), (True, 3, "sha384")):
        tee = "tdx" if rtmr else "tpm"
        make = td_boot if rtmr else tpm_boot
        boot = image(rtmr=rtmr)
        ident = ["enclave-id: " + enclave_id(boot, bank, rtmr)] + [MRTD] * rtmr
        base = ["tee: " + tee, "binding: " + ("none" if rtmr else "tpm-only"), "phase: initrd"]
        needs(b, *base, *ident)
        opens(b, g, tee + ": control: the image by its identity", tee, make(boot))
        # an enclave ID would refuse most of these logs for another reason
        any_image(b, *base)
        opens(b, g, tee + ": control: before the cap", tee, make(boot))
        for name, event in (
                ("as ccdm's", Event("ccdm", reg, CAP)),
                ("as another content_type in ccdm's log", Event("ccdm", reg, CAP, label="systemd")),
                ("as an unknown content_type", Event("ccdm", reg, CAP, label="cel")),
                ("in systemd's log", Event("systemd", reg, CAP)),
                ("in systemd's log with another text", Event("systemd", reg, CAP, data_said=b"machine-id:1")),
                ("in systemd's log as ccdm's", Event("systemd", reg, CAP, label="ccdm"))):
            refused(b, g, "%s: the cap %s" % (tee, name), tee, make(boot + [event]))
            said = b.log()[-1].get("facts") or {}
            ok(said.get("phase") == "running", "%s: the cap %s: the phase is running" % (tee, name), said)
        # the firmware's log is replayed first: these registers are of a machine that capped them at its start
        for name, at in (("first", 0), ("last of firmware's", len(boot) - 2)):
            events = boot[:at] + [Event("firmware", reg, CAP)] + boot[at:]
            refused(b, g, "%s: the cap in firmware's log, %s" % (tee, name), tee, make(events))
        # ccdm's events moved into the firmware's log as well, followed by the cap
        moved = [e.at(kind="firmware") for e in boot] + [Event("firmware", reg, CAP)]
        refused(b, g, tee + ": all events in firmware's log", tee, make(moved))
        moved = [e.at(kind="firmware") if e.kind == "ccdm" else e for e in boot] + [Event("firmware", reg, CAP), Event("ccdm", reg, READY)]
        refused(b, g, tee + ": the same, and ready a second time in ccdm's log", tee, make(moved))
