# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""expect - ccdm-setup verify: compare logs with a quote's registers; captures; an SVSM's report"""
import base64
import gzip
import hashlib
import json
import os
import socket
import struct

from quotes import Tpm, capture, ek_area, log, registers, snp_json
from sim import Signer

EVENTS = [(4, b"\x11" * 32), (7, b"\x22" * 32), (4, b"\x33" * 32)]


def put(path, content):
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def record(register, text, name="pcr"):
    """The events of a log of systemd."""
    digests = [{"hashAlg": a, "digest": hashlib.new(a, text.encode()).hexdigest()} for a in ("sha256", "sha384")]
    o = {"recnum": 0, name: register, "digests": digests, "content_type": "systemd", "content": {"eventType": "phase", "string": text}}
    return ("\x1e" + json.dumps(o) + "\n").encode()


def tpm(tmp, t):
    """Registers of a TPM's quote: only those that the quote covers count, not values that accompany it."""
    good, other = Tpm(os.path.join(tmp, "tpm")), Tpm(os.path.join(tmp, "other"))
    logs, quote = os.path.join(tmp, "firmware"), os.path.join(tmp, "quote")
    pcrs, nonce = registers(EVENTS), os.urandom(32)
    put(logs, log(EVENTS))

    def check(code, says, what, evidence, *words, lacks="no such text", key=good.words):
        rc, out, err = t.setup("verify", "eventlog", logs, "--expect", put(quote, evidence), *key, *words)
        t.ok(rc == code and says in out + err and lacks not in out + err and (rc == 0) == ("\naccepted" in out), "expect: " + what,
             (rc, out, err))
    whole = good.quote(pcrs, nonce=nonce)
    check(0, "ok      sha256-4 ", "a quote and its log", whole)
    check(0, "ok      signature ", "the quote's checks are shown", whole)
    check(0, "registers come from a quote, which was verified", "and said", whole, lacks="only if the registers are")
    check(0, "accepted", "with its nonce", whole, "--report-data", nonce.hex())
    check(0, "accepted", "gzip'ed", gzip.compress(json.dumps(whole).encode()))
    for tee in "tpm", "TPM":
        check(0, "accepted", "in an object that names its platform", {"platform": tee, "evidence": whole})
    check(1, "expected evidence of snp, tdx", "of a platform that there is not", {"platform": "sgx", "evidence": whole})
    rc, out, _ = t.setup("verify", "eventlog", logs, "--expect", put(quote, whole), *good.words, "--json")
    said = json.loads(out)
    t.ok(rc == 0 and said["quote"]["verdict"] == "accepted" and said["verdict"] == "accepted" and
         not [c for c in said["quote"]["checks"] if c["name"].startswith("sha256")], "expect: both verdicts as JSON", out)

    # a log is never compared with a quote that was not verified
    for what, says, evidence, more in (
            ("a signature that is none", "signature: found invalid", good.quote(pcrs, flip=1), ()),
            ("another nonce", "report-data: found ", whole, ("--report-data", "00" * 32)),
            ("values that its digest does not cover", "pcr-digest: found ", good.quote(pcrs, beside=registers(EVENTS[:1])), ()),
            ("another TPM's key", "ak: found a certificate of another key", other.quote(pcrs), ()),
            ("too few values", "pcr-list: found 23", good.quote(pcrs, beside=pcrs[:23]), ())):
        check(1, "the quote was refused, so the log was not compared: " + says, what, evidence, *more, lacks="sha256-4")
    check(1, "ak-chain: found ", "a provider that nobody trusts", whole,
          key=["--cert", good.cert, "--ak-root", other.ca, "--allow", "no-crl"])
    check(1, "ak-crl: found ", "without a revocation list", whole, key=good.words[:4])
    check(1, "the log was not compared: ak: found none", "without any option", whole, key=[])
    check(1, "tpm_quote.message", "without its message", {"tpm_quote": {}})

    # a log of another machine
    forged = registers([(4, b"\x11" * 32), (7, b"\x22" * 32)])
    check(7, "FAILED  sha256-4 ", "an event that the machine did not measure", good.quote(forged))
    check(7, "FAILED  sha256-10 ", "an event that is not in the log", good.quote(registers(EVENTS + [(10, b"\x44" * 32)])))
    check(7, "sha256-10            the logs have no event of it", "and it is said", good.quote(registers(EVENTS + [(10, b"\x44" * 32)])))
    check(7, "FAILED  sha256-17 ", "a dynamic root of trust that the log does not know of",
          good.quote(registers(EVENTS + [(17, b"\x44" * 32)])))

    # the maker of a quote chooses what it covers, but must not choose what is compared
    for selected in [7], [16], [0, 7, 10], range(5, 24):
        part = good.quote(pcrs, selected)
        check(7, "FAILED  sha256-4             not in the quote", "a quote over %s, with all values beside it" % list(selected), part)
        part["tpm_quote"]["pcrs"] = [pcrs[i].hex() for i in sorted(selected)]
        check(7, "FAILED  sha256-4             not in the quote", "and with its own alone", part)
    check(0, "accepted", "one over the registers that the log has", good.quote(pcrs, [4, 7]))
    check(0, "sha256-4: not compared, because --registers leaves it out; its events are not proved", "what is taken out is said",
          good.quote(pcrs, [7]), "--registers", "7")
    busy = good.quote(registers(EVENTS + [(10, b"\x44" * 32)]))
    check(0, "accepted", "--registers takes one out", busy, "--registers", "0-9,11-23", lacks="sha256-10")
    check(7, "FAILED  sha256-10 ", "--registers asks for it", busy, "--registers", "10")
    check(7, "sha256-5             not in the quote", "--registers asks for what is not in the quote", good.quote(pcrs, [4, 7]),
          "--registers", "4-5,7")
    for text in "", "24", "3-1", "x", "1,", "1-", "-1", "1 2", "0-99999999999999999999":
        t.says(1, "invalid value", "verify", "eventlog", logs, "--expect", quote, "--registers", text)
    t.says(1, "--registers selects registers of a quote", "verify", "eventlog", logs, "--registers", "1")

    # a file must not decide that nothing is verified
    plain = {"sha256": {"4": pcrs[4].hex()}}
    check(0, "only if the registers are the machine's", "registers that were written down", plain, key=[])
    for words in good.words[:2], good.words[2:4], good.words[4:], ["--registers", "4"], ["--report-data", "00"]:
        check(1, "found registers, which nothing signs", "they are no quote: " + words[0], plain, key=words)
    check(1, "for a quote, give the options", "bytes that are none", b"\4\0\2\0", key=[])
    check(1, "must be a quote, evidence with a quote, or registers", "bytes that are no quote", b"\4\0\2\0")

    # other logs of the same boot
    systemd = os.path.join(tmp, "systemd")
    more = registers(EVENTS + [(11, hashlib.sha256(b"x").digest())])
    put(systemd, record(11, "x"))
    check(0, "ok      sha256-11 ", "and systemd's log", good.quote(more), "--systemd-log", systemd)
    check(7, "FAILED  sha256-11 ", "whose event the machine did not measure", good.quote(pcrs), "--systemd-log", systemd)
    check(7, "sha256-11            not in the quote", "whose register is not covered", good.quote(more, [4, 7]), "--systemd-log", systemd)
    put(systemd, record(1, "x", "rtmr"))
    check(0, "the logs have events of RTMRs, which are not proved: the quote covers PCRs", "events of registers that no TPM has",
          good.quote(pcrs), "--systemd-log", systemd)

    # a capture: its nonce and key determine the data to which it must be bound
    def bound(data):
        return good.quote(pcrs, nonce=data[:32])
    told, digest = capture("tpm", bound, "any")
    check(0, "accepted", "a capture", told)
    check(0, "ok      nonce-and-key ", "that is of the right nonce and key", told, "--report-data", digest[:32].hex())
    check(1, "nonce-and-key: found ", "and not of another", told, "--report-data", "00" * 32)
    check(1, "nonce-and-key: found ", "nor of a part of it", told, "--report-data", digest[:31].hex())
    told["runtime-data"]["nonce"] = "another"
    check(1, "report-data: found ", "a capture with another nonce", told)
    del told["runtime-data"]
    check(0, "accepted", "a capture without one", told)
    t.says(0, "note: the nonce was not checked", "verify", "tpm", quote, *good.words)
    t.says(1, "expected evidence of snp", "verify", "snp", quote, *good.words)
    check(1, "an object primary_evidence", "a capture that is none", {"tee": "tpm", "tee-evidence": {}})


def measured(s, events, data):
    """Let a TD measure events and quote itself."""
    with socket.socket(socket.AF_UNIX) as c:
        c.connect(s.sockets[0])
        with c.makefile("rb") as f:
            for i, d in events:
                c.sendall((b"CCDME" + bytes([i - 1]) + d).ljust(70, b"\0"))
                f.read(sum(struct.unpack("<II", f.read(8))))
            c.sendall(b"CCDMR\0" + data)
            return [f.read(size) for size in struct.unpack("<II", f.read(8))][0]


def tdx(tmp, t):
    """Registers of a TD's quote."""
    trust, logs, quote = os.path.join(tmp, "td"), os.path.join(tmp, "ccel"), os.path.join(tmp, "td.quote")
    events = [(1, b"\x11" * 48), (3, b"\x22" * 48)]
    data = os.urandom(64)
    os.mkdir(trust)
    quotes = {}
    with Signer("tdx", trust + "/sockets", trust) as s:
        for word in "", "debug", "forged":
            s.vm("5a" * 48, word)
            quotes[word] = measured(s, events, data)
        s.vm("5a" * 48)
        quotes["other"] = measured(s, events[1:], data)
        told, _ = capture("tdx", lambda digest: {"quote": base64.b64encode(measured(s, events, digest + bytes(16))).decode()}, "any")
    roots = os.path.join(trust, "roots")
    words = ["--root", os.path.join(roots, *os.listdir(roots)), "--collateral", trust + "/collateral/0a0b0c0d0e0f.json"]

    def check(code, says, what, content, *more, firmware=log(events, 0xc), key=words):
        rc, out, err = t.setup("verify", "eventlog", put(logs, firmware), "--expect", put(quote, content), *key, *more)
        t.ok(rc == code and says in out + err and (rc == 0) == ("\naccepted" in out), "expect: " + what, (rc, out, err))
    raw = quotes[""]
    for what, content in (("", raw), (" in hex", raw.hex().encode()), (" in base64", base64.b64encode(raw)),
                          (" gzip'ed", gzip.compress(raw)),
                          (" as the protocol has it", {"quote": base64.b64encode(raw).decode()}), (" in a capture", told)):
        check(0, "ok      sha384-rtmr2 ", "a TD's quote" + what, content)
    # a capture is judged as the kind that its "tee" names
    for kind, code, says in ("snp", 1, "expected evidence of snp, found evidence of \"tdx\""), ("tdx", 0, "accepted"):
        rc, out, err = t.setup("verify", kind, put(quote, {"platform": "snp", **told}), *words)
        t.ok(rc == code and says in out + err and (rc == 0) == ("\naccepted" in out),
             "verify %s: a capture of tdx with another name beside it" % kind,
             (rc, out, err))
    check(0, "accepted", "with what it is bound to", raw, "--report-data", data.hex())
    check(1, "report-data: found ", "and with something else", raw, "--report-data", "00" * 64)
    check(1, "the quote was refused, so the log was not compared: signature", "a quote that nobody signed", quotes["forged"])
    check(1, "debug: found ", "a TD that can be debugged", quotes["debug"])
    check(0, "allowed debug ", "and with --allow debug", quotes["debug"], "--allow", "debug")
    check(1, "the log was not compared: ", "without collateral", raw, key=words[:2])
    check(7, "FAILED  sha384-rtmr0 ", "another TD's quote", quotes["other"])
    check(7, "FAILED  sha384-rtmr1 ", "an event that the TD did not measure", raw, firmware=log(events + [(2, b"\x33" * 48)], 0xc))
    check(7, "FAILED  sha384-rtmr4 ", "an event of a register that there is not", raw, firmware=log(events + [(5, b"\x33" * 48)], 0xc))
    check(7, "FAILED  mrtd ", "an event of the launch", raw, firmware=log(events + [(0, b"\x33" * 48)], 0xc))
    check(7, "the log has no such bank", "a log of another bank", raw, firmware=log([(1, b"\x11" * 32)]))
    check(7, "FAILED  sha384-rtmr0 ", "with --registers, of RTMRs", quotes["other"], "--registers", "0")
    check(0, "accepted", "and of another", quotes["other"], "--registers", "1")
    check(7, "refused", "and of none", raw, "--registers", "23")


def snp(tmp, t):
    """SNP has no registers, but an SVSM's report can vouch for a TPM."""
    trust, path, svsms = os.path.join(tmp, "svsm"), os.path.join(tmp, "svsm.json"), os.path.join(tmp, "svsms")
    os.mkdir(trust)
    manifest, asked, pcrs = ek_area(), os.urandom(64), registers(EVENTS)
    provider = Tpm(os.path.join(tmp, "provider"))
    with open(provider.cert, encoding="ascii") as f:
        pem = f.read()
    with Signer("snp", trust + "/sockets", trust) as s:
        s.vm("5a" * 48)

        def report(data, what=manifest):
            raw, table = s.report(hashlib.sha512(data.ljust(64, b"\0") + what).digest())
            size = struct.unpack("<I", table[20:24])[0]
            put(path + ".cert", table[48:48 + size])
            return {**snp_json(raw), "svsm": {"manifest": base64.b64encode(what).decode()}}
        evidence = report(asked)
        told, digest = capture("snp", report, "any")
        empty = report(asked, b"no key")

        def alone(data):
            return snp_json(s.report(data + bytes(16))[0])

        def beside(data):
            return {**provider.quote(pcrs, nonce=data), "ak_cert": pem}
        both, _ = capture("snp", alone, "any", beside)
        old, _ = capture("snp", alone, "any", lambda data: beside(bytes(32)))
    roots = os.path.join(trust, "roots")
    words = ["--root", os.path.join(roots, *os.listdir(roots)), "--cert", path + ".cert", "--chain", trust + "/certs/ask.pem"]
    with_ = ["--report-data", asked.hex()]
    vouches = "note: a listed SVSM names the endorsement key in its manifest"

    def check(code, says, what, content, *more, lacks=vouches):
        rc, out, err = t.setup("verify", "snp", put(path, content), *words, *more)
        t.ok(rc == code and says in out + err and lacks not in out, "svsms: " + what, (rc, out, err))
    listed = ["--svsms", svsms]
    put(svsms, b"measurement " + b"5a" * 48 + b"\n")
    check(0, vouches, "one that is listed", evidence, *listed, *with_, lacks="no listed")
    check(0, vouches, "in a capture", told, *listed, lacks="no listed")
    check(0, vouches, "that is of the right nonce and key", told, *listed, "--report-data", digest.hex(), lacks="no listed")
    check(7, "FAILED  nonce-and-key ", "and not of another", told, *listed, "--report-data", "00" * 48)
    check(0, "no listed SVSM: \"measurement " + "5a" * 48, "without a list", evidence, *with_)
    check(0, "no nonce was given", "without a nonce its manifest is not proved", evidence, *listed)
    check(7, "FAILED  report-data ", "with another nonce", evidence, *listed, "--report-data", "00" * 64)
    check(0, "no endorsement key", "a manifest that holds none", empty, *listed, *with_)
    evidence["svsm"]["manifest"] = base64.b64encode(manifest[:-1] + b"\3").decode()
    check(7, "FAILED  report-data ", "another manifest", evidence, *listed, *with_)
    put(svsms, b"measurement " + b"5b" * 48 + b"\nid-key " + b"5a" * 48 + b"\n")
    check(0, "no listed SVSM", "one that is not in the list", told, *listed)
    put(svsms, b"measurement 5a\n")
    check(1, "svsms: line 1", "a list that is none", told, *listed)
    t.says(4, "nosuch", "verify", "snp", path, *words, "--svsms", tmp + "/nosuch")
    # it has no register to which a log replays
    logs = put(os.path.join(tmp, "firmware"), log(EVENTS))
    t.says(1, "the evidence proves no register", "verify", "eventlog", logs, "--expect", put(path, told), *words)
    # except registers of an additional TPM whose provider is trusted
    trusts = ["--ak-root", provider.ca, "--crl", provider.crl]
    against = ["verify", "eventlog", logs, "--expect", path, *words]
    put(path, both)
    t.says(0, "binding provider", "verify", "snp", path, *words, *trusts)
    t.says(0, "ok      sha256-4 ", *against, *trusts)
    t.says(1, "the evidence proves no register", *against)
    # exceptions apply to the evidence, not to what accompanies it
    t.says(1, "the evidence proves no register: the TPM beside the TEE: ak-crl", *against, *provider.words[2:])
    put(path, old)
    t.says(1, "the evidence proves no register: the TPM beside the TEE: report-data", *against, *trusts)
    del both["runtime-data"]
    put(path, both)
    t.says(0, "without a nonce nothing ties the TPM to the TEE", "verify", "snp", path, *words, *trusts)
    t.says(1, "the evidence proves no register: the nonce was not checked", *against, *trusts)
    both["tee-evidence"]["additional_evidence"] = ""
    put(path, both)
    t.says(0, "note: the nonce was not checked", "verify", "snp", path, *words)
