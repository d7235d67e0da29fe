# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""certificates - certificates without the usage of an attestation key, revocation lists, weak chains"""
import os

from attack import AK_USAGE, EK_USAGE, any_image, attack, last, ok, opens, put, refused
from liar import Ca, image, tpm_boot


@attack
def attestation_key(b, g):
    ca, ek = Ca(b.dir, "provider"), Ca(b.dir, "maker")
    key = os.path.join(b.dir, "ak1.pem")
    put(b, "ak-roots/provider.pem", ca.pem())
    put(b, "certs/provider.crl", ca.crl())
    put(b, "certs/maker.crl", ek.crl())
    boot = tpm_boot(image(), ak=1)

    def with_cert(pem):
        return dict(boot, members=dict(boot["members"], ak_cert=pem))
    any_image(b, "tee: tpm", "binding: tpm-only", "phase: initrd")
    opens(b, g, "control: a certificate of an attestation key", "tpm", with_cert(ca.cert(key, AK_USAGE)))
    refused(b, g, "an unknown attestation key", "tpm", boot)
    for name, args in (("TLS client", ("clientAuth",)), ("TLS server", ("serverAuth",)), ("client and AK", (AK_USAGE + ",clientAuth",)),
                       ("server and AK", (AK_USAGE + ",serverAuth",)), ("no usage", ("",)),
                       ("anyExtendedKeyUsage", ("anyExtendedKeyUsage",)),
                       ("code signing", ("codeSigning",)), ("an endorsement key", (EK_USAGE,)),
                       ("an endorsement key, keyEncipherment", (EK_USAGE, "keyEncipherment")),
                       ("AK, without digitalSignature", (AK_USAGE, "keyEncipherment")), ("AK, keyAgreement", (AK_USAGE, "keyAgreement"))):
        refused(b, g, "below a provider's root, %s" % name, "tpm", with_cert(ca.cert(key, *args)))
    refused(b, g, "a good certificate of another key", "tpm", with_cert(ca.cert(os.path.join(b.dir, "ak2.pem"), AK_USAGE)))
    refused(b, g, "another CA of the same name", "tpm", with_cert(Ca(os.path.join(b.dir, "state"), "provider").cert(key, AK_USAGE)))
    put(b, "ek-roots/maker.pem", ek.pem())
    for name, usage in (("a TLS client", "clientAuth"), ("an attestation key", AK_USAGE), ("an endorsement key", EK_USAGE),
                        ("nothing", "")):
        refused(b, g, "below a TPM maker's root, %s" % name, "tpm", with_cert(ek.cert(key, usage)))
    # an additional TPM
    any_image(b, "tee: snp", "binding: provider", "phase: initrd")
    tee = {"measurement": "5a" * 48}
    opens(b, g, "control: a provider's key beside a TEE", "snp", tee, with_cert(ca.cert(key, AK_USAGE)))
    for name, pem in (("a maker's endorsement key", ek.cert(key, EK_USAGE)), ("a TLS client of the provider's", ca.cert(key, "clientAuth")),
                      ("an attestation key of the maker's", ek.cert(key, AK_USAGE))):
        refused(b, g, "in addition to a TEE, %s: not bound by a provider" % name, "snp", tee, with_cert(pem))
        ok((b.log()[-1].get("facts") or {}).get("binding") == "none", "beside a TEE, %s: binding none" % name, last(b))
    # the usage that the root's own file names
    any_image(b, "tee: tpm", "binding: tpm-only", "phase: initrd")
    put(b, "ak-roots/provider.usage", EK_USAGE + "\n")
    opens(b, g, "control: a root whose usage file names another usage", "tpm", with_cert(ca.cert(key, EK_USAGE)))
    refused(b, g, "the default usage below it", "tpm", with_cert(ca.cert(key, AK_USAGE)))
    refused(b, g, "the usage without digitalSignature", "tpm", with_cert(ca.cert(key, EK_USAGE, "keyEncipherment")))
    put(b, "ak-roots/provider.usage", None)
    put(b, "ak-roots/provider.pem", None)
    put(b, "ek-roots/maker.pem", None)
    put(b, "certs/provider.crl", None)
    put(b, "certs/maker.crl", None)


@attack
def revocation(b, g):
    ca = Ca(b.dir, "revoker")
    key = os.path.join(b.dir, "ak1.pem")
    put(b, "ak-roots/revoker.pem", ca.pem())
    leaf = ca.cert(key, AK_USAGE, serial=9)
    boot = tpm_boot(image(), ak=1)

    def with_certs(*pem):
        return dict(boot, members=dict(boot["members"], ak_cert="".join((leaf,) + pem)))
    any_image(b, "tee: tpm", "binding: tpm-only", "phase: initrd")
    put(b, "certs/revoker.crl", ca.crl(number=5))
    opens(b, g, "control: a list that does not name it", "tpm", with_certs())
    partition = "issuingDistributionPoint=critical,@idp\n[idp]\nfullname=URI:http://x/other.crl\n"
    users = "issuingDistributionPoint=critical,@idp\n[idp]\nonlyCA=TRUE\n"
    delta = "2.5.29.27=critical,DER:020101\n"
    unknown = "1.2.3.4=critical,DER:0500\n"
    for name, ext in (("a delta list", delta), ("a partition's list", partition), ("a list for CAs alone", users),
                      ("a list with an unknown critical extension", unknown)):
        try:
            list_ = ca.crl(extensions=ext, number=9)
        except AssertionError as e:
            ok(False, name + ": openssl makes it", e)
            continue
        put(b, "certs/revoker.crl", ca.crl([9], number=5))
        refused(b, g, "revoked by the operator's list; %s of the guest's, newer, without it" % name, "tpm", with_certs(list_))
        put(b, "certs/revoker.crl", None)
        refused(b, g, "no list but %s, which the guest brings" % name, "tpm", with_certs(list_))
        put(b, "certs/revoker.crl", list_)
        refused(b, g, "no list but %s, of the operator's" % name, "tpm", with_certs())
    put(b, "certs/revoker.crl", ca.crl([9], number=5))
    refused(b, g, "control: revoked", "tpm", with_certs())
    refused(b, g, "revoked; the guest brings a newer full list without it", "tpm", with_certs(ca.crl(number=9)))
    refused(b, g, "revoked; the guest brings an older full list without it", "tpm", with_certs(ca.crl(number=1)))
    put(b, "certs/revoker.crl", ca.crl(number=5))
    refused(b, g, "only the guest's own list revokes it", "tpm", with_certs(ca.crl([9], number=9)))
    for what in ("ak-roots/revoker.pem", "certs/revoker.crl"):
        put(b, what, None)


@attack
def weak_chain(b, g):
    key = os.path.join(b.dir, "ak1.pem")
    any_image(b, "tee: tpm", "binding: tpm-only", "phase: initrd")
    boot = tpm_boot(image(), ak=1)
    for name, kind, md in (("RSA 2048, SHA-256", "RSA", "sha256"), ("RSA 1024", "RSA1024", "sha256"), ("SHA-1", "EC", "sha1")):
        ca = Ca(b.dir, "weak-" + kind + md, kind, md)
        put(b, "ak-roots/weak.pem", ca.pem())
        put(b, "certs/weak.crl", ca.crl())
        evidence = dict(boot, members=dict(boot["members"], ak_cert=ca.cert(key, AK_USAGE)))
        (opens if name.startswith("RSA 2048") else refused)(
            b, g, ("control: " if name.startswith("RSA 2048") else "") + "a chain of " + name, "tpm", evidence)
    for what in ("ak-roots/weak.pem", "certs/weak.crl"):
        put(b, what, None)
