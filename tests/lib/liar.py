# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""liar - a guest that lies about its measurements and evidence, and CAs that certify it (tests/program/attacks)"""
import base64
import hashlib
import http.client
import json
import os
import ssl
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATH, SECRET = "default/web/key", "correct horse"


# ---- measurements of a boot --------------------------------------------------------

def digest(bank, data):
    return hashlib.new(bank, data).digest()


def extend(bank, value, event):
    return hashlib.new(bank, value + event).digest()


class Event:
    """kind: "firmware", "ccdm" or "systemd"; reg: register of the TPM or the TD; label: another content_type"""

    def __init__(self, kind, reg, data, label=None, data_said=None, event_type=0xd):
        self.kind, self.reg, self.data, self.label, self.event_type = kind, reg, data, label, event_type
        self.said = data if data_said is None else data_said

    def at(self, **kw):
        e = Event(self.kind, self.reg, self.data, self.label, self.said, self.event_type)
        e.__dict__.update(kw)
        return e


def registers(events, bank, n):
    values = [bytes(hashlib.new(bank).digest_size)] * n
    for e in events:
        values[e.reg] = extend(bank, values[e.reg], digest(bank, e.data))
    return values


def firmware_log(events, bank, rtmr):
    alg = {"sha1": 4, "sha256": 11, "sha384": 12}[bank]
    spec = b"Spec ID Event03\0" + bytes(4) + bytes([0, 2, 0, 2]) + (1).to_bytes(4, "little") + \
        alg.to_bytes(2, "little") + hashlib.new(bank).digest_size.to_bytes(2, "little") + b"\0"
    log = [(0).to_bytes(4, "little") + (3).to_bytes(4, "little") + bytes(20) + len(spec).to_bytes(4, "little") + spec]
    for e in events:
        log.append((e.reg + rtmr).to_bytes(4, "little") + e.event_type.to_bytes(4, "little") + (1).to_bytes(4, "little") +
                   alg.to_bytes(2, "little") + digest(bank, e.data) + len(e.said).to_bytes(4, "little") + e.said)
    return base64.b64encode(b"".join(log)).decode()


def record(e, bank, rtmr):
    label = e.label or ("ccdm" if e.kind == "ccdm" else "systemd")
    content = {"ccdm": e.data.decode()} if label == "ccdm" else {"eventType": "phase", "string": e.said.decode("latin-1")}
    return "\x1e%s\n" % json.dumps({"rtmr" if rtmr else "pcr": e.reg, "digests": [
        {"hashAlg": bank, "digest": digest(bank, e.data).hex()}], "content_type": label, "content": content})


def logs(events, bank="sha256", rtmr=False):
    """The members of the evidence."""
    of = {k: [e for e in events if e.kind == k] for k in ("firmware", "ccdm", "systemd")}
    members = {"cc_eventlog" if rtmr else "firmware_log": firmware_log(of["firmware"], bank, rtmr)}
    for kind in ("ccdm", "systemd"):
        if of[kind]:
            members[kind + "_log"] = "".join(record(e, bank, rtmr) for e in of[kind])
    return members


def tpm_boot(events, bank="sha256", **kw):
    return dict({"pcr": [v.hex() for v in registers(events, bank, 24)], "bank": bank, "members": logs(events, bank)}, **kw)


def td_boot(events, **kw):
    return dict({"rtmr": [v.hex() for v in registers(events, "sha384", 4)], "members": logs(events, "sha384", True)}, **kw)


GPT = b"EFI PART" + bytes(84) + (0).to_bytes(8, "little")
CALLING, SEPARATOR = b"Calling EFI Application from Boot Option", bytes(4)
EXIT = [b"Exit Boot Services Invocation", b"Exit Boot Services Returned with Success"]
BASE, READY, CAP = b"ccdm-base:%s" % (b"ab" * 32), b"ccdm-ready:1", b"ccdm-cap:1"


def image(kernel=b"good kernel", rtmr=False):
    """The events of a boot until ccdm's initrd is ready."""
    code, stub, ours = (1, 2, 3) if rtmr else (4, 11, 15)
    e = [Event("firmware", code, CALLING), Event("firmware", code, SEPARATOR)]
    if rtmr:
        e.append(Event("firmware", code, GPT))
    e += [Event("firmware", code, b"UKI with " + kernel), Event("firmware", stub, b".linux\0"), Event("firmware", stub, kernel),
          Event("firmware", code, kernel), Event("firmware", stub if rtmr else 9, b"initrd of " + kernel)]
    if rtmr:
        e += [Event("firmware", code, x) for x in EXIT]
    return e + [Event("ccdm", ours, BASE), Event("ccdm", ours, READY)]


def enclave_id(events, bank="sha256", rtmr=False):
    """As Documentation/explanation/attestation.rst defines it; independent of the code."""
    out = "ccdm-enclave-id 1\n%s\n" % ("tdx sha384" if rtmr else "tpm " + bank)
    known = {digest(bank, x) for x in (SEPARATOR, CALLING, b"Returning from EFI Application from Boot Option", *EXIT)}
    for reg in (1, 2, 3) if rtmr else (4, 8, 9, 11, 12, 13, 14, 15):
        for e in events:
            d = digest(bank, e.data)
            if e.reg == reg and not (e.kind == "firmware" and d in known) and not (rtmr and reg == 1 and e.data.startswith(b"EFI PART")):
                out += "%s%d %s\n" % ("rtmr" if rtmr else "pcr", reg, d.hex())
                if e.data == READY:
                    break
    return hashlib.sha256(out.encode()).hexdigest()


# ---- a guest and its broker -------------------------------------------------------------

class Guest:
    def __init__(self, b, trust):
        self.b = b
        self.p = subprocess.Popen([os.path.join(TOP, "build/tests/attack-guest"), trust], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.p.stdout.readline()
        self.cookie = self.token = self.message = self.credential = None

    def do(self, **ask):
        self.p.stdin.write(json.dumps(ask) + "\n")
        self.p.stdin.flush()
        return json.loads(self.p.stdout.readline())

    def http(self, method, path, body=None, cookie=None, bearer=None):
        ctx = ssl.create_default_context(cafile=self.b.ca)
        c = http.client.HTTPSConnection("localhost", self.b.port, context=ctx, timeout=30)
        headers = {"Content-Type": "application/json"}
        if cookie:
            headers["Cookie"] = cookie
        if bearer:
            headers["Authorization"] = "Bearer " + bearer
        c.request(method, "/kbs/v0/" + path, body, headers)
        r = c.getresponse()
        data = r.read()
        got = r.getheader("Set-Cookie")
        c.close()
        return r.status, json.loads(data) if data else {}, got.split(";")[0] if got else None

    def auth(self, tee, tpm=None):
        """tpm: {"ek": N, "ak": N}: request a credential, and store it in self.credential."""
        extra = {"ccdm-tpm": self.do(introduce=tpm)} if tpm else {}
        status, said, self.cookie = self.http("POST", "auth", json.dumps({"version": "0.4.0", "tee": tee, "extra-params": extra}))
        assert status == 200, said
        self.nonce, self.credential = said["nonce"], (said.get("extra-params") or {}).get("ccdm-credential")
        return self.nonce

    def send(self, message):
        """Return: 200, or the type of the error."""
        self.message = message
        status, said, _ = self.http("POST", "attest", message, cookie=self.cookie)
        self.token = said.get("token")
        return 200 if status == 200 else said.get("type", str(status)).rsplit("/", 1)[-1]

    def attest(self, tee, evidence, beside=None, key=0):
        nonce = self.auth(tee)
        ask = {"make": tee, "nonce": nonce, "key": key, "is": evidence}
        if beside:
            ask["beside"] = beside
        return self.send(self.do(**ask)["message"])

    def attest_svsm(self, is_, beside, tpm, credential=None):
        """With an additional TPM, activated in this session, or with another session's credential."""
        nonce = self.auth("snp", tpm)
        activation = dict(tpm, credential=credential or self.credential)
        return self.send(self.do(make="snp", nonce=nonce, key=0, beside=dict(beside, activation=activation), **{"is": is_})["message"])

    def secret(self, key=0, cookie=True, bearer=None, path=PATH):
        status, said, _ = self.http("GET", "resource/" + path, cookie=self.cookie if cookie is True else cookie, bearer=bearer)
        return self.do(open=said, key=key).get("secret") if status == 200 else None

    def gets(self, tee, evidence, beside=None):
        return self.attest(tee, evidence, beside) == 200 and self.secret() == SECRET


# ---- a certificate authority ----------------------------------------------------------------

class Ca:
    def __init__(self, path, name, key="EC", md="sha384"):
        self.path, self.md = os.path.join(path, name), md
        args = {"EC": ["-pkeyopt", "ec_paramgen_curve:P-384"], "RSA": ["-pkeyopt", "rsa_keygen_bits:2048"],
                "RSA1024": ["-pkeyopt", "rsa_keygen_bits:1024"]}[key]
        self.ssl("genpkey", "-algorithm", key[:3].rstrip("1"), *args, "-out", self.path + ".key")
        with open(self.path + ".cnf", "w") as f:
            f.write("[req]\ndistinguished_name=dn\nx509_extensions=v3\n[dn]\n[v3]\nbasicConstraints=critical,CA:TRUE\n"
                    "keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n")
        self.ssl("req", "-x509", "-new", "-key", self.path + ".key", "-" + md, "-subj", "/CN=" + name, "-days", "3650",
                 "-config", self.path + ".cnf", "-out", self.path + ".pem")
        self.name = name

    @staticmethod
    def ssl(*args):
        r = subprocess.run(["openssl", *args], capture_output=True)
        if r.returncode:
            raise AssertionError(r.stderr.decode())
        return r.stdout

    def pem(self):
        with open(self.path + ".pem") as f:
            return f.read()

    def cert(self, key, usage, keyusage="digitalSignature", serial=2, more=""):
        """Certify the key in file key, which is public or has a private part. Return: PEM"""
        ext = self.path + ".ext"
        with open(ext, "w") as f:
            f.write("basicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n" +
                    ("keyUsage=critical,%s\n" % keyusage if keyusage else "") +
                    ("extendedKeyUsage=%s\n" % usage if usage else "") + more)
        public = key + ".pub"
        with open(key) as f, open(public, "wb") as to:
            to.write(self.ssl("pkey", "-in", key, "-pubout", *["-pubin"] * ("PUBLIC KEY" in f.read())))
        return self.ssl("x509", "-new", "-subj", "/CN=leaf", "-force_pubkey", public, "-CA", self.path + ".pem", "-CAkey",
                        self.path + ".key", "-set_serial", str(serial), "-days", "365", "-" + self.md, "-extfile", ext).decode()

    def crl(self, revoked=(), extensions="", number=1):
        """Make a revocation list. extensions: lines of [crl] for openssl, with their sections; a higher number is newer. Return: PEM"""
        index, cnf = self.path + ".index", self.path + ".ca.cnf"
        with open(index, "w") as f:
            for serial in revoked:
                f.write("R\t391231235959Z\t250101000000Z\t%02X\tunknown\t/CN=leaf\n" % serial)
        with open(self.path + ".number", "w") as f:
            f.write("%02X\n" % number)
        with open(cnf, "w") as f:
            f.write("[ca]\ndefault_ca=c\n[c]\ndatabase=%s\ncrlnumber=%s\ndefault_md=%s\ndefault_crl_days=3000\n"
                    "certificate=%s\nprivate_key=%s\n[crl]\nauthorityKeyIdentifier=keyid\n%s\n" %
                    (index, self.path + ".number", self.md, self.path + ".pem", self.path + ".key", extensions))
        return self.ssl("ca", "-gencrl", "-config", cnf, "-crlexts", "crl", "-crl_lastupdate", "202501%02d000000Z" % number,
                        "-crl_nextupdate", "20390101000000Z").decode()
