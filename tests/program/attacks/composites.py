# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""composites - old evidence, and evidence that several machines make together"""
import os
import subprocess

from attack import AK_USAGE, MRTD, TOP, any_image, attack, by_value, needs, opens, put, refused
from liar import CAP, Ca, Event, image, td_boot, tpm_boot


@attack
def unbound(b, g):
    """A report over a software key: whoever once ran code in that guest has the report and the key."""
    m, td = "5b" * 48, td_boot(image(rtmr=True))
    vtpm = dict(tpm_boot(image()), stale=1)
    put(b, "paravisors", None)
    needs(b, "tee: snp", "binding: none", "phase: unknown", "measurement: {value: %s, covers: image}" % m)
    opens(b, g, "control: a report for this session, of the image", "snp", {"measurement": m})
    refused(b, g, "an old report of the image, over a key in software that signs the nonce", "az-snp-vtpm", dict(vtpm, measurement=m),
            fails="measurement")
    needs(b, "tee: snp", "binding: none", "phase: unknown", "enclave-id: {value: %s, covers: image}" % m)
    opens(b, g, "control: the same by the enclave ID", "snp", {"measurement": m})
    refused(b, g, "the old report, with the enclave ID", "az-snp-vtpm", dict(vtpm, measurement=m), fails="enclave-id")
    builder = os.path.join(b.dir, "builder.pem")
    Ca.ssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", builder)
    r = subprocess.run([os.path.join(TOP, "scripts/manifest"), builder, "web", "7", "snp=" + m], check=True, capture_output=True, text=True)
    manifest = {"manifest": r.stdout.strip()}
    needs(b, "tee: snp", "binding: none", "phase: unknown", "signer: {key: %s, product: web, svn: 7}" % r.stderr.split()[-1])
    opens(b, g, "control: the same by the signer of the image", "snp", {"measurement": m, "members": manifest})
    refused(b, g, "the old report, with the signer", "az-snp-vtpm",
            dict(vtpm, measurement=m, members=dict(vtpm["members"], **manifest)), fails="signer")
    any_image(b, "tee: snp", "binding: none", "phase: unknown", "id-key: 07%s" % ("00" * 47))
    opens(b, g, "control: a report of a guest with a signed launch", "snp", {"at": 0xe0, "value": 7})
    refused(b, g, "an old report of such a guest", "az-snp-vtpm", dict(vtpm, at=0xe0, value=7), fails="id-key")
    needs(b, "tee: tdx", "binding: none", "phase: unknown", MRTD, by_value("rtmr: {index: %d, value: %s}", td["rtmr"], 1, 2))
    opens(b, g, "control: a TD by its registers", "tdx", dict(td, members={}))
    refused(b, g, "an old quote of it, over a key in software", "az-tdx-vtpm", dict(vtpm, rtmr=td["rtmr"], at=1000 + 123, value=0x10),
            fails="rtmr")
    any_image(b, "tee: snp", "binding: paravisor", "phase: initrd", "measurement: " + m)
    put(b, "paravisors", "measurement %s\n" % m)
    opens(b, g, "control: an old report of a paravisor, which keeps its key to itself", "az-snp-vtpm", dict(vtpm, measurement=m))
    refused(b, g, "the same at VMPL 1", "az-snp-vtpm", dict(vtpm, measurement=m, vmpl=1), fails="measurement")
    put(b, "paravisors", None)


@attack
def two_machines(b, g):
    """Root in the running system uses the TPM of a second machine of the same provider to show another phase."""
    ca, key = Ca(b.dir, "provider2"), os.path.join(b.dir, "ak1.pem")
    put(b, "ak-roots/provider2.pem", ca.pem())
    put(b, "certs/provider2.crl", ca.crl())

    def certified(boot):
        return dict(boot, ak=1, members=dict(boot["members"], ak_cert=ca.cert(key, AK_USAGE)))

    def mute(boot):
        return dict(boot, members={k: v for k, v in boot["members"].items() if k != "ccdm_log"})
    td, mine = image(rtmr=True), certified(tpm_boot(image(b"my kernel")))
    running = td_boot(td + [Event("ccdm", 3, CAP)])
    values = by_value("rtmr: {index: %d, value: %s}", running["rtmr"], 1, 2)
    needs(b, "tee: tdx", "binding: provider", "phase: initrd", MRTD, values)
    opens(b, g, "control: the TD in its initrd", "tdx", td_boot(td), mine)
    refused(b, g, "the running TD with the TPM of a machine in its initrd", "tdx", running, mine, fails="phase")
    refused(b, g, "the same, without the log of the TD", "tdx", mute(running), mine, fails="phase")
    refused(b, g, "the same, with the log of another TD", "tdx", dict(running, members=td_boot(td)["members"]), mine, fails="phase")
    opens(b, g, "control: a TD that measures nothing into RTMR 3", "tdx", td_boot(td[:-2]), mine)
    # another TPM in addition to the evidence of its own TPM
    good, other = certified(tpm_boot(image() + [Event("ccdm", 15, CAP)])), tpm_boot(image(b"my kernel"))
    pcrs = by_value("pcr: {bank: sha256, index: %d, value: %s}", good["pcr"], 2, 4, 9, 12, 13)
    needs(b, "tee: tpm", "binding: [tpm-only, provider]", "phase: initrd", pcrs)
    opens(b, g, "control: a machine in its initrd", "tpm", certified(tpm_boot(image())))
    refused(b, g, "the running one", "tpm", good, fails="phase")
    refused(b, g, "the running one, without its log", "tpm", mute(good), fails="phase")
    refused(b, g, "the same with the attacker's machine in its initrd", "tpm", other, mute(good), fails="pcr")
    put(b, "paravisors", "measurement %s\n" % ("5c" * 48))
    needs(b, "tee: snp", "binding: [paravisor, provider]", "phase: initrd", pcrs)
    opens(b, g, "control: a vTPM below a paravisor", "az-snp-vtpm", tpm_boot(image(), measurement="5c" * 48))
    refused(b, g, "a running machine's TPM with a vTPM that is in its initrd", "az-snp-vtpm",
            tpm_boot(image(b"my kernel"), measurement="5c" * 48), mute(good), fails="pcr")
    for what in ("paravisors", "ak-roots/provider2.pem", "certs/provider2.crl"):
        put(b, what, None)
