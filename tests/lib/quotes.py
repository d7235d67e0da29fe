# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""quotes - quotes of a TPM, logs, and reports of an SVSM, made with openssl for tests"""
import base64
import hashlib
import json
import os
import struct
import subprocess

EXTENSIONS = """basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = 2.23.133.8.3
authorityKeyIdentifier = keyid
"""


def openssl(*words, data=b""):
    return subprocess.run(["openssl", *words], input=data, check=True, capture_output=True).stdout


def numbers(der):
    """r and s of an ECDSA signature on P-256, 32 bytes each."""
    at, parts = 2, []
    for _ in range(2):
        size = der[at + 1]
        parts.append(der[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0"))
        at += 2 + size
    return parts


class Tpm:
    """A TPM whose attestation key a provider has certified: files ca.pem, ak.pem and crl.pem in path."""

    def __init__(self, path):
        os.makedirs(path)
        self.key, self.ca, self.cert = (os.path.join(path, n) for n in ("ak.key", "ca.pem", "ak.pem"))
        ca_key, request, extensions = (os.path.join(path, n) for n in ("ca.key", "ak.csr", "ak.ext"))
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        with open(extensions, "w") as f:
            f.write(EXTENSIONS)
        openssl("req", "-x509", *ec, "-keyout", ca_key, "-out", self.ca, "-subj", "/CN=provider", "-days", "3650",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", *ec, "-keyout", self.key, "-out", request, "-subj", "/CN=ak")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "3650", "-extfile",
                extensions, "-out", self.cert)
        # an empty revocation list
        conf, self.crl = os.path.join(path, "ca.conf"), os.path.join(path, "crl.pem")
        with open(conf, "w") as f:
            f.write("[ca]\ndefault_ca=x\n[x]\ndatabase=%s/index\ndefault_md=sha256\ndefault_crl_days=3650\n"
                    "crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n" % path)
        with open(os.path.join(path, "index"), "w"):
            pass
        openssl("ca", "-gencrl", "-config", conf, "-keyfile", ca_key, "-cert", self.ca, "-out", self.crl)
        self.public = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")
        self.words = ["--cert", self.cert, "--ak-root", self.ca, "--allow", "no-crl"]

    def quote(self, pcrs, selected=range(24), nonce=b"", beside=None, flip=0):
        """Evidence over the selected registers. beside: values of all registers in the evidence, if they differ."""
        mask = sum(1 << i for i in selected)
        digest = hashlib.sha256(b"".join(pcrs[i] for i in sorted(selected))).digest()
        message = struct.pack(">IHH", 0xff544347, 0x8018, 34) + b"\0\x0b" + bytes(32) + struct.pack(">H", len(nonce)) + nonce
        message += struct.pack(">QIIBQ", 1, 2, 3, 1, 4) + struct.pack(">IHB", 1, 0xb, 3) + struct.pack("<I", mask)[:3]
        message += struct.pack(">H", 32) + digest
        parts = numbers(openssl("dgst", "-sha256", "-sign", self.key, data=message))
        signature = struct.pack(">HHH", 0x18, 0xb, 32) + parts[0] + struct.pack(">H", 32) + parts[1]
        signature = signature[:20] + bytes([signature[20] ^ flip]) + signature[21:]
        return {"tpm_quote": {"message": base64.b64encode(message).decode(), "signature": base64.b64encode(signature).decode(),
                              "pcrs": [p.hex() for p in beside or pcrs]}, "ak_public": base64.b64encode(self.public).decode()}


def capture(tee, primary, nonce, beside=None):
    """In the form of "ccdm-setup evidence --json". primary, beside: functions of the data to bind."""
    key = {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES+A256KW", "x": "x", "y": "y"}

    def bound(**more):
        o = {"nonce": nonce, "tee-pubkey": key, **more}
        return hashlib.sha384(json.dumps(o, sort_keys=True, separators=(",", ":")).encode()).digest()
    additional = json.dumps({"tpm": beside(bound()[:32])}) if beside else ""
    digest = bound(**{"additional-evidence": additional})
    return {"version": "0.4.0", "tee": tee, "runtime-data": {"nonce": nonce, "tee-pubkey": key},
            "tee-evidence": {"primary_evidence": primary(digest), "additional_evidence": additional}}, digest


def event(index, type_, digest, data, alg=0xb):
    return struct.pack("<III", index, type_, 1) + struct.pack("<H", alg) + digest + struct.pack("<I", len(data)) + data


def log(events, alg=0xb):
    """A firmware log of (register, digest), in the bank SHA-256, or SHA-384 for a TD."""
    spec = b"Spec ID Event03\0" + struct.pack("<IIIHHB", 0, 0x02000200, 1, alg, 32 if alg == 0xb else 48, 0)
    text = struct.pack("<II", 0, 3) + bytes(20) + struct.pack("<I", len(spec)) + spec
    return text + b"".join(event(i, 8, d, b"", alg) for i, d in events)


def registers(events, name="sha256", count=24):
    """The values of the registers after (register, digest)."""
    size = hashlib.new(name).digest_size
    values = [b"\xff" * size if 17 <= i <= 22 else bytes(size) for i in range(count)]
    for i, d in events:
        values[i] = hashlib.new(name, values[i] + d).digest()
    return values


def snp_json(raw):
    """An SNP report of version 2 to 4 before Turin, in the form of the KBS protocol."""
    def number(at, size):
        return int.from_bytes(raw[at:at + size], "little")

    def octets(at, size):
        return list(raw[at:at + size])
    report = {k: number(at, n) for k, at, n in (
        ("version", 0, 4), ("guest_svn", 4, 4), ("policy", 8, 8), ("vmpl", 0x30, 4), ("sig_algo", 0x34, 4), ("plat_info", 0x40, 8),
        ("key_info", 0x48, 4), ("cpuid_fam_id", 0x188, 1), ("cpuid_mod_id", 0x189, 1), ("cpuid_step", 0x18a, 1))}
    report |= {k: octets(at, n) for k, at, n in (
        ("family_id", 0x10, 16), ("image_id", 0x20, 16), ("report_data", 0x50, 64), ("measurement", 0x90, 48), ("host_data", 0xc0, 32),
        ("id_key_digest", 0xe0, 48), ("author_key_digest", 0x110, 48), ("report_id", 0x140, 32), ("report_id_ma", 0x160, 32),
        ("chip_id", 0x1a0, 64))}
    for k, at in ("current_tcb", 0x38), ("reported_tcb", 0x180), ("committed_tcb", 0x1e0), ("launch_tcb", 0x1f0):
        report[k] = {"bootloader": raw[at], "tee": raw[at + 1], "snp": raw[at + 6], "microcode": raw[at + 7], "fmc": None}
    for k, at in ("current", 0x1e8), ("committed", 0x1ec):
        report[k] = {"build": raw[at], "minor": raw[at + 1], "major": raw[at + 2]}
    report["signature"] = {"r": octets(0x2a0, 72), "s": octets(0x2e8, 72)}
    if report["version"] < 3:
        report |= {"cpuid_fam_id": None, "cpuid_mod_id": None, "cpuid_step": None}
    return {"attestation_report": report, "cert_chain": None}


def ek_area():
    """TPMT_PUBLIC of an endorsement key with template L-1."""
    return (struct.pack(">HHI", 1, 0xb, 0x300b2) + struct.pack(">H", 32) + bytes(32) +
            struct.pack(">HHHHHI", 6, 128, 0x43, 0x10, 2048, 0) + struct.pack(">H", 256) + b"\xc1" * 255 + b"\x01")
