#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - ccdm-setup without a device and without a broker: invalid arguments, files and options

  tests/run program setup
"""
import base64
import gzip
import hashlib
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
import expect  # noqa: E402
from broker import BIN  # noqa: E402
from guest import BOOT  # noqa: E402
from sim import Signer  # noqa: E402

VERBS = ("open", "close", "list", "status", "cache", "scrub", "monitor", "benchmark", "attach", "measure", "evidence", "attest",
         "secret", "verify", "config", "doctor")
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        print("# %s" % (detail,))


def setup(*words, **kw):
    r = subprocess.run([BIN + "/ccdm-setup", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, **kw)
    return r.returncode, r.stdout, r.stderr


def says(code, text, *words, **kw):
    rc, out, err = setup(*words, **kw)
    ok(rc == code and text in out + err, "ccdm-setup %s: %d, %s" % (" ".join(os.path.basename(w) for w in words), code, text),
       (rc, out, err))


def usage():
    for verb in VERBS:
        says(1, "nosuch", verb, "--nosuch")
        says(0, "usage: ccdm-setup " + verb, verb, "--help")
        # a letter that another verb uses
        if verb != "config":
            says(1, "is not an option of", verb, *(("-n", "1") if verb in ("open", "benchmark") else ("-y",)))
    for words in ("-h",), ("-V",):
        says(0, "ccdm-setup", *words)
    says(1, "--nosuch is not an option", "--nosuch")
    for word, near in ("opne", "open"), ("lsit", "list"), ("moniter", "monitor"):
        says(1, "unknown verb '%s'; did you mean '%s'?" % (word, near), word)
    for word in "x", "zzzzzz":
        rc, out, err = setup(word)
        ok(rc == 1 and "unknown verb '%s'\n" % word in err and not out, "%s: like no verb" % word, err)
    says(1, "--jsn is not an option of list; did you mean '--json'?", "list", "--jsn")
    says(1, "--json=x: the option takes no value", "evidence", "--json=x")
    says(0, "\"attesters\"", "--json", "evidence")
    says(4, "/nosuch", "--config", "/nosuch", "measure", "--dry-run")
    says(1, "expected bash, zsh or fish", "--completion", "csh")
    says(1, "usage:", "nosuch")
    says(0, "usage:", "--debug", "--help")
    says(0, "\"attesters\"", "evidence", "--json")
    says(1, "expected one NAME, or --generate", "attach")
    says(1, "expected one NAME, or --generate", "attach", "a", "--generate", "/tmp")
    says(1, "--check measures nothing", "measure", "--check", "--dry-run")
    says(1, "--check measures nothing", "measure", "--check", "--config", "/x")
    says(4, "ccdm.conf", "measure", "--dry-run", "--config", "/nosuch/ccdm.conf")
    for n in "0", "x", "1x":
        says(1, "invalid value", "monitor", "-n", n)
    for size in "0", "x":
        says(1, "invalid value", "open", "--size", size, "/dev/null", "x")
        says(1, "expected a size", "cache", "x", size)
    for uuid in "0" * 31, "0" * 33, "g" * 32:
        says(1, "invalid value", "open", "--uuid", uuid, "/dev/null", "x")
    says(1, "cannot be combined", "scrub", "x", "--detach", "--stop")
    says(1, "expected to run in an initrd", "boot", "fence")
    says(1, "one of: check, files, attest", "config", "nosuch")
    for words in ("nosuch",), ("get",), ("fetch", "x"), ("drop", "x"):
        says(1, "one of: get NAME..., fetch, drop", "secret", *words, "--broker", "https://x", "--ca", "/x")


def attesting(tmp):
    """Which broker is asked, and how it is identified."""
    conf, junk, crl = (os.path.join(tmp, n) for n in ("ccdm.conf", "junk", "crl.pem"))
    with open(conf, "w") as f:
        f.write(BOOT % ("ab" * 32) + "[measure]\n")
    with open(junk, "w") as f:
        f.write("no such thing\n")
    key, ca = os.path.join(tmp, "key.pem"), os.path.join(tmp, "ca.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", ca, "-subj", "/CN=x"], check=True, capture_output=True)
    with open(os.path.join(tmp, "index"), "w"):
        pass
    with open(os.path.join(tmp, "ca.conf"), "w") as f:
        f.write("[ca]\ndefault_ca=x\n[x]\ndatabase=%s/index\ndefault_md=sha256\ndefault_crl_days=1\n" % tmp)
    subprocess.run(["openssl", "ca", "-gencrl", "-config", os.path.join(tmp, "ca.conf"), "-keyfile", key, "-cert", ca, "-out", crl],
                   check=True, capture_output=True)
    to = ("--broker", "https://localhost:1")
    for verb in ("attest",), ("secret", "get", "a/b/c"):
        says(1, "no section [attest]", *verb, "--config", conf)
        says(4, "nosuch", *verb, "--config", tmp + "/nosuch")
        says(1, "one of --ca and --pin", *verb, *to)
        says(1, "one of --ca and --pin", *verb, *to, "--ca", ca, "--pin", "ab" * 32)
        says(1, "--pin: expected 64", *verb, *to, "--pin", "ab")
        says(1, "expected 0.4.0 or 0.2.0, found 0.3.0", *verb, *to, "--pin", "ab" * 32, "--protocol", "0.3.0")
        says(4, "nosuch", *verb, *to, "--pin", "ab" * 32, "--manifest", tmp + "/nosuch")
        says(1, "expected a manifest", *verb, *to, "--pin", "ab" * 32, "--manifest", junk)
        says(4, "nosuch", *verb, *to, "--pin", "ab" * 32, "--certificate", tmp + "/nosuch")
        says(1, "neither a certificate", *verb, *to, "--pin", "ab" * 32, "--certificate", junk)
        says(1, "expected a certificate", *verb, *to, "--pin", "ab" * 32, "--certificate", crl)
    says(1, "one of --ca and --pin", "secret", "fetch", *to, "--config", conf)
    says(1, "expected a certificate", "verify", "snp", junk, "--cert", crl)
    says(1, "ccdm-setup: ", "verify", "snp", junk, "--crl", crl)
    for seconds in "0", "x", "3601":
        says(1, "invalid value", "attest", *to, "--pin", "ab" * 32, "--timeout", seconds)
    says(7, "", "config", "attest", conf)
    with open(conf + "2", "w") as f:
        f.write(BOOT % ("ab" * 32) + "[attest]\nbroker = https://localhost:1\npin = %s\ncertificate = %s/nosuch\n" % ("ab" * 32, tmp))
    says(4, "nosuch", "attest", "--config", conf + "2")
    says(0, "", "config", "attest", conf + "2")
    # options override the configuration
    says(4, "other-certificate", "attest", "--config", conf + "2", "--certificate", tmp + "/other-certificate")
    says(4, "nosuch", "attest", "--config", conf + "2", "--ca", ca, "--timeout", "1")
    with open(conf + "3", "w") as f:
        f.write(BOOT % ("ab" * 32) + "[attest]\nbroker = https://localhost:1\nprotocol = 0.2.0\nca = %s\n" % ca)
    says(4, "nosuch", "attest", "--config", conf + "3", "--manifest", tmp + "/nosuch")
    says(1, "--pin: expected 64", "attest", "--config", conf + "3", "--pin", "ab")
    says(1, "expected 0.4.0 or 0.2.0, found 0.3.0", "attest", "--config", conf + "3", "--protocol", "0.3.0")
    rc, out, _ = setup("config", "files", conf + "2")
    ok(rc == 0 and out == tmp + "/nosuch\n", "config files: what it names", out)
    says(0, "", "config", "check", conf)
    rc, out, _ = setup("measure", "--dry-run", "--json", "--config", conf)
    said = json.loads(out or "{}")
    ok(rc == 0 and len(said["events"]) == 2 and said["pcr"] == 15, "measure --dry-run --json: its events", (rc, out))
    rc, text, _ = setup("measure", "--dry-run", "--config", conf)
    ok(rc == 0 and text.splitlines() == said["events"], "measure --dry-run: the same for a person", text)


def terminal():
    """A secret is not printed to a terminal."""
    us, them = pty.openpty()
    argv = [BIN + "/ccdm-setup", "secret", "get", "a/b/c", "--broker", "https://localhost:1"]
    for more, text in ((), "would show the secret"), (("--force",), "one of --ca and --pin"):
        r = subprocess.run([*argv, *more], stdin=subprocess.DEVNULL, stdout=them, stderr=subprocess.PIPE, text=True)
        ok(r.returncode == 1 and text in r.stderr, "secret get to a terminal%s: %s" % (" ".join(("", *more)), text), r)
    os.close(us)
    os.close(them)


def nobody():
    """Users other than root get a clear error."""
    for words in ("open", "/dev/null", "x"), ("close", "x"), ("status", "x"), ("list",), ("scrub", "x"), ("attach", "x"), \
            ("secret", "fetch"), ("secret", "drop"), ("cache", "x", "8M"), ("measure", "--check"):
        # a user that does not exist, with the rights of the old one on files
        r = subprocess.run(["unshare", "--user", BIN + "/ccdm-setup", *words], capture_output=True, text=True)
        ok(r.returncode == 2 and "run it as root" in r.stderr, "not root: ccdm-setup %s: run it as root" % " ".join(words), r)


def no_dm():
    """Verbs that need device-mapper say that it is missing or forbidden, and what to do."""
    with open("/proc/misc", encoding="ascii") as f:
        missing = "device-mapper" not in f.read().split()
    code, text, hint = (4, "the kernel has no device-mapper", "modprobe dm-mod") if missing else \
        (2, "device-mapper needs CAP_SYS_ADMIN", "give a container")
    for words in ("open", "/dev/null", "x"), ("close", "x"), ("close", "--deferred", "x"), ("status",), ("status", "--json"), \
            ("list",), ("list", "--json"), ("cache", "x", "8M"), ("scrub", "x"), ("scrub", "--stop", "x"), ("monitor",), \
            ("attach", "x"):
        r = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", BIN + "/ccdm-setup", *words],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
        lines = r.stderr.splitlines()
        ok(r.returncode == code and len(lines) == 2 and text in lines[0] and hint in lines[1] and not r.stdout,
           "no device-mapper: ccdm-setup %s: %s" % (" ".join(words), text), r)
    rc, out, err = setup("doctor", "--json")
    lines = json.loads(out) if out else []
    ok(rc in (0, 7) and (rc == 7) == ("failed" in [x["verdict"] for x in lines]) and
       {"kernel", "module", "swap", "tee"} <= {x["check"] for x in lines}, "doctor --json, without privileges", (rc, out, err))
    rc, out, err = setup("benchmark")
    ok(rc == 0 or (rc in (2, 4) and "AF_ALG" in err and "in a container, allow" in err), "benchmark: it runs, or says what is missing", err)


def event(index, type_, digest, data):
    return struct.pack("<III", index, type_, 1) + struct.pack("<H", 0xb) + digest + struct.pack("<I", len(data)) + data


def logs(tmp):
    """The firmware's log: the values of its registers, compared with the expected ones."""
    spec = b"Spec ID Event03\0" + struct.pack("<IIIHHB", 0, 0x02000200, 1, 0xb, 32, 0)
    log = struct.pack("<II", 0, 3) + bytes(20) + struct.pack("<I", len(spec)) + spec
    log += event(4, 8, b"\x11" * 32, b"data") + event(7, 8, b"\x22" * 32, b"")
    path, expect = os.path.join(tmp, "log"), os.path.join(tmp, "expect")
    with open(path, "wb") as f:
        f.write(log)
    rc, out, err = setup("verify", "eventlog", path)
    lines = out.splitlines()
    ok(rc == 0 and len(lines) == 2 and lines[0].startswith("sha256 4 ") and lines[1].startswith("sha256 7 "),
       "verify eventlog: its registers", (out, err))
    rc, out, err = setup("verify", "eventlog", path, "--json")
    said = json.loads(out or "{}")
    ok(rc == 0 and [" ".join(("sha256", i, v)) for i, v in said["sha256"].items()] == lines, "the same as JSON", (out, err))
    for code, text, what in (
            (0, "accepted", json.dumps(said)),
            (7, "refused", json.dumps({"sha256": {"4": "00" * 32}})),
            (7, "refused", json.dumps({"sha384": {"4": "00" * 48}})),
            (1, "expect: line 1", "{"), (1, "expected registers: found none", "{}"), (1, "is not a register", '{"sha256": {"24": "00"}}'),
            (1, "is not a register", '{"sha256": {"x": "00"}}'), (1, "is not a register", '{"md5": {"4": "00"}}'),
            (1, "is not a register", '{"sha256": {"4x": "00"}}'), (1, "is not a register", '{"sha256": {"": "00"}}'),
            (1, "is not a register", '{"sha256": {"4": 7}}'), (1, "is not a register", '{"sha256": {"4": "00"}}'),
            (1, "is not a register", '{"rtmr4": "00"}'), (1, "expected an object", "[]"),
            (1, "sha256 x is not a register", '{"sha256": {"x": "00", "y": "00"}, "rtmr9": ""}')):
        with open(expect, "w") as f:
            f.write(what)
        says(code, text, "verify", "eventlog", path, "--expect", expect)
    with open(expect, "w") as f:
        json.dump(said, f)
    empty = os.path.join(tmp, "empty")
    with open(empty, "w"):
        pass
    says(0, "phase unknown\n", "verify", "eventlog", path, "--expect", expect)
    zipped("eventlog", path, ["--expect", expect])
    bombs(tmp, [(kind, "BOMB") for kind in ("snp", "tdx", "tpm", "azure", "eventlog")] +
          [("eventlog", path, "--expect", expect, o, "SMALL") for o in ("--ccdm-log", "--systemd-log")])
    for option in "--ccdm-log", "--systemd-log":
        says(1, "not proved", "verify", "eventlog", path, option, empty)
        says(4, "nosuch", "verify", "eventlog", path, "--expect", expect, option, tmp + "/nosuch")
        says(0, "a quote proves that", "verify", "eventlog", path, "--expect", expect, option, empty)
    # an event of ccdm in a register that the firmware's log alone explains
    text = "ccdm-ready:1"
    record = {"recnum": 0, "pcr": 7, "digests": [{"hashAlg": "sha256", "digest": hashlib.sha256(text.encode()).hexdigest()}],
              "content_type": "systemd", "content": {"eventType": "phase", "string": text}}
    with open(empty, "w") as f:
        f.write("\x1e" + json.dumps(record) + "\n")
    says(7, "the logs replay to another value", "verify", "eventlog", path, "--expect", expect, "--systemd-log", empty)
    with open(empty, "wb") as f:
        f.write(gzip.compress(("\x1e" + json.dumps(record) + "\n").encode()))
    says(7, "the logs replay to another value", "verify", "eventlog", path, "--expect", expect, "--systemd-log", empty)
    with open(empty, "w") as f:
        f.write("junk")
    says(1, "ccdm-setup: ", "verify", "eventlog", path, "--expect", expect, "--systemd-log", empty)
    with open(path, "wb") as f:
        f.write(log[:-1])
    says(1, "ccdm-setup: ", "verify", "eventlog", path)
    says(1, "invalid value 'everything'", "verify", "snp", path, "--allow", "everything")
    with open(path, "w"):
        pass
    for kind in "snp", "tdx", "tpm", "azure", "eventlog":
        says(1, "ccdm-setup: ", "verify", kind, path)
    for option in "--tcb-info", "--qe-identity":
        says(4, "nosuch", "verify", "tdx", path, option, tmp + "/nosuch")
    for data in "", "zz", "ab" * 65:
        says(1, "invalid value", "verify", "snp", path, "--report-data", data)
    says(1, "KIND: expected one of", "verify", "nosuch", path)
    for kind in "snp", "tdx", "tpm", "azure":
        with open(path, "w") as f:
            f.write("{}")
        says(1, "ccdm-setup: ", "verify", kind, path)
        with open(path, "w") as f:
            f.write("{")
        says(1, "ccdm-setup: ", "verify", kind, path)


def processor(tmp, tee):
    """Evidence of a complete platform, raw and in the form of the protocol."""
    trust, data, path = os.path.join(tmp, tee), os.urandom(64), os.path.join(tmp, tee + ".bin")
    os.mkdir(trust)
    with_ = ["--report-data", data.hex()]
    with Signer(tee, trust + "/sockets", trust) as s:
        for word in "", "debug", "forged":
            s.vm("5a" * 48, word)
            raw, table = s.report(data)
            with open(path + word, "wb") as f:
                f.write(raw)
            if tee == "tdx":
                with open(path + word + ".json", "w") as f:
                    json.dump({"quote": base64.b64encode(raw).decode()}, f)
            else:
                size = struct.unpack("<I", table[20:24])[0]
                with open(path + ".cert", "wb") as f:
                    f.write(table[48:48 + size])
    roots = os.path.join(trust, "roots")
    with_ += ["--root", os.path.join(roots, *os.listdir(roots))]
    if tee == "tdx":
        more, kinds = ["--collateral", trust + "/collateral/0a0b0c0d0e0f.json"], ("", ".json")
    else:
        more, kinds = ["--cert", path + ".cert", "--chain", trust + "/certs/ask.pem"], ("",)
    for kind in kinds:
        says(0, "accepted", "verify", tee, path + kind, *with_, *more)
        rc, out, _ = setup("verify", tee, path + kind, *with_, *more, "--json")
        ok(rc == 0 and json.loads(out)["verdict"] == "accepted", "the same as JSON", out)
        says(0, "accepted", "verify", tee, path + kind, *with_[2:], *more)
        for what, check, words in (("other data", "report-data", ["--report-data", "00" * 64, *with_[2:], *more]),
                                   ("no root", "", [*with_[:2], *more])):
            rc, out, _ = setup("verify", tee, path + kind, *words)
            ok(rc == 7 and "refused" in out and "FAILED  " + check in out, "verify %s: %s: refused" % (tee + kind, what), out)
        says(7, "FAILED  debug", "verify", tee, path + "debug" + kind, *with_, *more)
        says(0, "allowed debug", "verify", tee, path + "debug" + kind, *with_, *more, "--allow", "debug")
        says(7, "FAILED  signature", "verify", tee, path + "forged" + kind, *with_, *more)
        if tee == "tdx":
            says(7, "FAILED  ", "verify", tee, path + kind, *with_)
    return path, [*with_, *more]


def forms(path, what):
    """Write a report in all forms. Return: their files"""
    for name, content in what.items():
        with open(path + name, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
    return [path + name for name in what]


def text(tee, path, words):
    """The same report or quote as text, and invalid text."""
    with open(path, "rb") as f:
        raw = f.read()
    b64 = base64.encodebytes(raw).decode()
    for file in forms(path, {".hex": raw.hex(), ".url": base64.urlsafe_b64encode(raw).decode(), ".b64": b64,
                             ".line": " " + b64.replace("\n", ""),
                             ".HEX": "\n".join(raw.hex().upper()[i:i + 64] for i in range(0, 2 * len(raw), 64)) + "\r\n"}):
        says(0, "accepted", "verify", tee, file, *words)
    for file in forms(path, {".odd": raw.hex() + "0", ".less": raw.hex()[:1200], ".pad": "A" + b64, ".junk": raw.hex() + "g!",
                             ".zero": raw.hex() + "\0", ".blank": " \n"}):
        rc, out, err = setup("verify", tee, file, *words)
        ok(rc in (1, 7) and "accepted" not in out, "verify %s: %s is refused" % (tee, os.path.basename(file)), (rc, out, err))


def bomb():
    """A GiB of zeros, compressed to a MiB."""
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([z.compress(bytes(1 << 20)) for _ in range(1024)] + [z.flush()])


def zipped(tee, path, words):
    """The same compressed with gzip: one complete member of limited size."""
    with open(path, "rb") as f:
        raw = f.read()
    z = gzip.compress(raw, mtime=0)
    for file in forms(path, {".gz": z, ".gz.hex": z.hex(), ".gz.b64": base64.encodebytes(z),
                             ".b64.gz": gzip.compress(base64.b64encode(raw))}):
        says(0, "accepted", "verify", tee, file, *words)
    for code, text, what in ((1, "truncated", z[:-1]), (1, "truncated", z[:len(z) // 2]), (1, "truncated", z[:2]),
                             (1, "damaged", z[:-8] + bytes([z[-8] ^ 1]) + z[-7:]), (1, "damaged", z[:-4] + bytes([z[-4] ^ 1]) + z[-3:]),
                             (1, "damaged", z[:2] + b"\7" + z[3:]), (1, "%d bytes follow" % len(z), z + z),
                             (1, "1 bytes follow", z + b"\0"),
                             (1, "inside gzip data", gzip.compress(z))):
        rc, out, err = setup("verify", tee, *forms(path, {".z": what}), *words)
        ok(rc == code and text in err and "accepted" not in out, "verify %s: gzip data: %s" % (tee, text), (rc, out, err))


def inside(path, words):
    """A member of evidence is never unpacked: the broker receives it from the network."""
    with open(path + ".json", encoding="ascii") as f:
        evidence = json.load(f)
    log = base64.b64encode(gzip.compress(b"")).decode()
    says(1, "ccdm-setup: ", "verify", "tdx", *forms(path, {".w": json.dumps({**evidence, "cc_eventlog": log})}), *words)
    for name in "ccdm-broker", "ccdm-brokerd":
        r = subprocess.run(["readelf", "-d", os.path.join(BIN, name)], capture_output=True, text=True)
        ok(r.returncode == 0 and "libcrypto" in r.stdout and "libz." not in r.stdout, "%s unpacks nothing" % name, r)


def bombs(tmp, kinds):
    """Data that unpacks to more than its limit is refused, with no more memory than the limit."""
    path, small = os.path.join(tmp, "bomb.gz"), os.path.join(tmp, "small.gz")
    with open(path, "wb") as f:
        f.write(bomb())
    with open(small, "wb") as f:
        f.write(gzip.compress(bytes((1 << 20) + 1)))
    for words in kinds:
        file = words[-1].replace("BOMB", path).replace("SMALL", small)
        limit = "ulimit -v 262144; exec \"$@\""
        r = subprocess.run(["sh", "-c", limit, "sh", BIN + "/ccdm-setup", "verify", *words[:-1], file], capture_output=True, text=True)
        ok(r.returncode == 1 and "unpacks to more than %d bytes" % (4 << 20 if file == path else 1 << 20) in r.stderr and
           os.path.basename(file) in r.stderr, "verify %s: a bomb" % " ".join(os.path.basename(w) for w in words), r)


def extended(path, words):
    """An SNP report followed by the host's certificates, and several --cert."""
    with open(path, "rb") as f:
        raw = f.read()
    with open(path + ".cert", "rb") as f:
        cert = f.read()
    vcek = bytes.fromhex("8d75da6364e66445adc5f4b93be8accd")

    def table(offset=48, size=len(cert)):
        return raw + vcek + struct.pack("<II", offset, size) + bytes(24) + cert

    at = words.index("--cert")
    bare, other = words[:at] + words[at + 2:], words[words.index("--chain") + 1]
    plain, with_table, as_text = forms(path, {".plain": raw, ".table": table(), ".table.hex": table().hex()})
    says(0, "accepted", "verify", "snp", with_table, *bare)
    says(0, "accepted", "verify", "snp", as_text, *bare)
    says(7, "FAILED  certificate", "verify", "snp", plain, *bare)
    for what, file in (("out of itself", table(size=len(cert) + 1)), ("far out of itself", table(offset=0xffffffff)),
                       ("out by an overflow", table(offset=0xfffffff0, size=0x20)), ("nowhere: it is cut off", raw + vcek[:8]),
                       ("nowhere: it has no end", raw + vcek + struct.pack("<II", 0, 0))):
        rc, out, err = setup("verify", "snp", *forms(path, {".t": file}), *bare)
        ok(rc == 1 and "the host's certificates" in err, "verify snp: a table that leads %s" % what, (rc, out, err))
    # a single --cert is always the leaf; of several, the order does not matter
    says(7, "FAILED  ", "verify", "snp", plain, *bare, "--cert", other)
    for certs in ([other, path + ".cert"], [path + ".cert", other]):
        says(0, "accepted", "verify", "snp", plain, *bare, *(w for c in certs for w in ("--cert", c)))
    says(7, "FAILED  certificate", "verify", "snp", plain, *bare, "--cert", other, "--cert", other)
    says(1, "invalid value", "verify", "snp", plain, *bare, *("--cert", other) * 33)


def platform(path, words):
    """Evidence in an object that names its platform."""
    with open(path + ".json", encoding="ascii") as f:
        evidence = json.load(f)
    for name, value in ("platform", "tdx"), ("tee", "tdx"), ("platform", "TDX"):
        says(0, "accepted", "verify", "tdx", *forms(path, {".w": json.dumps({name: value, "evidence": evidence})}), *words)
    for value in "snp", "az-tdx-vtpm", "nosuch", "":
        says(1, "expected evidence of tdx", "verify", "tdx", *forms(path, {".w": json.dumps({"tee": value, "evidence": evidence})}),
             *words)
    for o in {"evidence": evidence}, {"tee": 1, "evidence": evidence}, {"tee": "tdx", "evidence": "x"}, \
            {"tee": "tdx", "evidence": {"tee": "tdx", "evidence": evidence}}:
        says(1, "quote", "verify", "tdx", *forms(path, {".w": json.dumps(o)}), *words)


def tab(tmp):
    """Units for systemd from ccdmtab."""
    path, units = os.path.join(tmp, "ccdmtab"), os.path.join(tmp, "units")
    with open(path, "w") as f:
        f.write("ccdm-swap PARTUUID=12 swap\nccdm-data gpt mkfs=ext4,nofail\nccdm-late /dev/vdb noauto\n")
    os.mkdir(units)
    says(0, "", "attach", "--generate", units, "--tab", path)
    found = sorted(os.path.relpath(os.path.join(d, f), units) for d, _, names in os.walk(units) for f in names)
    ok("ccdm-attach@ccdm-data.service" in " ".join(found) and "dev-mapper-ccdm\\x2dswap.swap" in " ".join(found) and
       "local-fs.target.wants/ccdm-attach@ccdm-data.service" in found and
       not [f for f in found if f.startswith("local-fs") and "late" in f], "its units", found)
    says(0, "", "attach", "--generate", units, "--tab", path)
    says(4, "", "attach", "--generate", tmp + "/nosuch", "--tab", path)
    with open(path, "w") as f:
        f.write("data /dev/vdb\n")
    says(1, "ccdmtab:1:1", "attach", "--generate", units, "--tab", path)


def main():
    print("KTAP version 1")
    tmp = tempfile.mkdtemp(prefix="ccdm-setup-")
    try:
        usage()
        attesting(tmp)
        terminal()
        nobody()
        no_dm()
        logs(tmp)
        path, words = processor(tmp, "snp")
        text("snp", path, words)
        zipped("snp", path, words)
        extended(path, words)
        path, words = processor(tmp, "tdx")
        text("tdx", path, words)
        zipped("tdx", path, words)
        zipped("tdx", path + ".json", words)
        inside(path, words)
        platform(path, words)
        for part in expect.tpm, expect.tdx, expect.snp:
            part(tmp, sys.modules[__name__])
        tab(tmp)
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
