# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""trust_stored - stored trust: import from files, ccdm-broker trust status, and the daemon"""
import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import time
import urllib.request

from harness import ok
from trust_mirror import AT, FMSPC, state


def imports(t):
    """ccdm-broker trust import, into an empty directory."""
    shutil.rmtree(t.trust)
    for sub in "roots", "certs", "vcek":
        os.makedirs(os.path.join(t.trust, sub))
    t.roots()
    good, bad = (os.path.join(t.made, x) + "/" for x in ("good", "bad"))

    def put(*names):
        return t.b.admin("trust", "import", "--at", AT, *names, check=False)
    # the daemon's own user must be able to read the files, whatever the umask is
    mask = os.umask(0o077)
    rc, out = put(good + "platform.crl", good + "platform.chain", good + "root.crl", good + "newer.crl", good + "vcek.der",
                  good + "tcb-newer.json",
                  good + "qe.json", good + "tcb.chain", good + "qe.chain")
    ok(rc == 0 and out.count("stored") == 5, "files of all kinds, in any order", (rc, out))
    os.umask(mask)
    got = state(t.trust)
    ok(all(os.stat(os.path.join(t.trust, n)).st_mode & 0o777 == 0o644 for n in got
           if n.startswith(("certs/amd", "certs/intel", "collateral", "vcek"))) and
       os.stat(t.trust + "/collateral").st_mode & 0o777 == 0o755, "everybody may read the files, whatever the umask")
    ok(os.path.exists("%s/collateral/%s.json" % (t.trust, FMSPC)), "the directory of bundles is created", got)
    rc, out = t.b.admin("trust", "import", "--vlek", "--at", AT, good + "vlek-milan.crl", check=False)
    ok(rc == 0 and "VLEKs of Milan" in out and os.path.exists(t.trust + "/certs/amd-vlek-milan.pem"),
       "a list for VLEKs, which does not say so", (rc, out))
    got = state(t.trust)
    bundle = "%s/collateral/%s.json" % (t.trust, FMSPC)
    copy = t.b.dir + "/bundle.json"
    shutil.copy(bundle, copy)
    rc, out = put(copy)
    ok(rc == 0 and "unchanged" in out and state(t.trust) == got, "a bundle, as it is stored", (rc, out))
    with open(copy) as f:
        whole = json.load(f)
    with open(copy, "w") as f:
        json.dump(dict(whole, qe_identity_signature="00" * 64), f)
    lists = dict(whole, root_ca_crl=t.m.read("good/root.crl").hex())
    with open(t.b.dir + "/lists.json", "w") as f:
        json.dump(lists, f)
    rc, out = put(t.b.dir + "/lists.json")
    ok(rc == 0 and ": stored" in out, "a bundle with a list in it", (rc, out))
    with open(t.b.dir + "/plain.json", "w") as f:
        json.dump(whole, f)
    rc, out = put(t.b.dir + "/plain.json")
    ok(rc == 0 and state(t.trust) == got, "a bundle without the list again", (rc, out))
    with open(t.b.dir + "/lists.json", "w") as f:
        json.dump(dict(lists, root_ca_crl=t.m.read("bad/root-expired.crl").hex()), f)
    with open(t.b.dir + "/half.json", "w") as f:
        f.write("{")
    for name, code, said in ((t.b.dir + "/lists.json", 7, "list-date"), (t.b.dir + "/half.json", 1, "line 1"),
                             ("delta.crl", 7, "delta list"), ("forged.crl", 7, "list-signature"),
                             ("older-number.crl", 7, "number is lower"),
                             ("forgets.crl", 7, "lacks a"), ("expired.crl", 7, "list-date"), ("vcek-expired.der", 7, "validity"),
                             (copy, 7, "qe-identity-signature"), ("tcb-number.json", 1, "expected a second file with the identity"),
                             ("nosuch", 4, "No such file")):
        rc, out = put(name if name[0] == "/" else bad + name)
        ok(rc == code and said in out and state(t.trust) == got, "import of %s: %s" % (os.path.basename(name), said), (rc, out))
    # a file that is useful only together with another one is an error by itself
    for names, stored in ((["qe.json"], 0), (["platform.chain"], 0), (["qe.json", "qe.chain", "platform.chain"], 0),
                          (["root.crl", "qe.json"], 1)):
        rc, out = put(*(good + n for n in names))
        ok(rc == 1 and ("expected a second file with TCB info" if "qe.json" in names else "found only issuers' certificates") in out and
           out.count("unchanged") == stored and state(t.trust) == got, "import of %s alone: an error" % ", ".join(names), (rc, out))
    with open(t.b.dir + "/page", "w") as f:
        f.write("<html>")
    with open(t.b.dir + "/other.json", "w") as f:
        f.write("{}")
    for name, said in (("page", "neither a certificate"), ("other.json", "expected TCB info")):
        rc, out = put(good + "platform-newer.crl", t.b.dir + "/" + name)
        ok(rc == 1 and said in out and state(t.trust) == got, "with an invalid file nothing is stored", (rc, out))
    os.unlink(t.trust + "/certs/amd-vcek-milan.pem")
    rc, out = put(bad + "delta.crl", good + "newer.crl", "--json")
    said = json.loads(out[:out.rindex("]") + 1])
    ok(rc == 7 and [x["result"] for x in said] == ["refused", "stored"] and "delta" in said[0]["why"],
       "a refused file does not stop the others", (rc, out))
    # a list of another issuer
    r = subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -keyout k -out c && "
                       "touch i && openssl ca -gencrl -keyfile k -cert c -crldays 9 -md sha256 -out l -config "
                       "<(printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=i\\n')",
                       shell=True, executable="/bin/bash", cwd=t.b.dir, capture_output=True)
    rc, out = put(t.b.dir + "/l")
    ok(r.returncode == 0 and rc == 1 and "expected a list of AMD or Intel" in out,
       "a list of another vendor is refused: it belongs into certs/, by hand",
       (rc, out, r.stderr))


def status(t):
    """ccdm-broker trust status at different times, and with more files."""
    def at(when, *words):
        return t.b.admin("trust", "status", "--at", when, *words, check=False)
    rc, out = at(AT)
    ok(rc == 0 and re.search(r"^valid +list of ARK-Milan \(certs/amd-vcek-milan.pem\) is valid until 2039-01-01", out, re.M) and
       "tcb-info of " + FMSPC in out and "qe-identity of " + FMSPC in out and "vcek of c0c1" in out, "status: each piece", (rc, out))
    rc, out = at("2038-12-17T23:59:59Z")
    ok(rc == 0, "14 days and a second before the end: all is well", (rc, out))
    rc, out = at("2038-12-18T00:00:01Z")
    ok(rc == 5 and re.search("^expires +list of ARK-Milan", out, re.M) and "warning: 6 files expire within 14 days" in out and
       '"ccdm-broker trust fetch" renews' in out, "less than that: a warning, exit code 5", (rc, out))
    rc, out = at("2039-01-02")
    ok(rc == 7 and re.search("^expired +list of ARK-Milan", out, re.M) and "6 files have expired" in out, "after the end: 7", (rc, out))
    rc, out = at("2025-05-01")
    ok(rc == 7 and re.search("^early +tcb-info", out, re.M) and "are not valid yet" in out, "before the beginning: exit code 7", (rc, out))
    rc, out = at("2039-01-02", "--json")
    said = json.loads(out[:out.rindex("]") + 1])
    ok({x["state"] for x in said} == {"valid", "expired"} and
       all({"kind", "what", "file", "state", "from", "until"} == set(x) for x in said),
       "status --json", out)
    shutil.copy(t.made + "/bad/expired.crl", t.trust + "/certs/old.crl")
    rc, out = at(AT)
    ok(rc == 0 and re.search("^superseded +list of ARK-Milan", out, re.M), "an old list beside a valid one: superseded", (rc, out))
    # a bundle may contain lists
    bundle = "%s/collateral/%s.json" % (t.trust, FMSPC)
    with open(bundle) as f:
        whole = f.read()
    with open(bundle, "w") as f:
        json.dump(dict(json.loads(whole), root_ca_crl=t.m.read("bad/root-expired.crl").hex()), f)
    rc, out = at(AT)
    ok(rc == 0 and re.search(r"^superseded +list of Intel SGX Root CA \(collateral/%s.json\)" % FMSPC, out, re.M),
       "an old list in a bundle, beside a valid one: superseded", (rc, out))
    os.rename(t.trust + "/certs/intel-root.pem", t.b.dir + "/away")
    rc, out = at(AT)
    ok(rc == 7 and re.search(r"^expired +list of Intel SGX Root CA \(collateral/%s.json\)" % FMSPC, out, re.M),
       "without the valid one: expired", (rc, out))
    with open(bundle, "w") as f:
        json.dump(dict(json.loads(whole), root_ca_crl=t.m.read("good/root.crl").hex()), f)
    shutil.copy(t.made + "/bad/root-expired.crl", t.trust + "/certs/by-hand.crl")
    rc, out = at(AT)
    ok(rc == 7 and re.search(r"^expired +list of Intel SGX Root CA \(certs/by-hand.crl\)", out, re.M),
       "a list in a bundle is for its platform only", (rc, out))
    os.unlink(t.trust + "/certs/by-hand.crl")
    os.rename(t.b.dir + "/away", t.trust + "/certs/intel-root.pem")
    with open(bundle, "w") as f:
        f.write(whole)
    # the lists for VCEKs and for VLEKs have the same issuer, and neither replaces the other
    vcek = t.trust + "/certs/amd-vcek-milan.pem"
    os.rename(vcek, t.b.dir + "/away")
    shutil.copy(t.made + "/bad/expired.crl", vcek)
    rc, out = at(AT)
    ok(rc == 7 and re.search(r"^expired +list of ARK-Milan \(certs/amd-vcek-milan.pem\)", out, re.M) and
       re.search(r"^valid +list of ARK-Milan \(certs/amd-vlek-milan.pem\)", out, re.M),
       "a list for VCEKs that expired, beside one for VLEKs: expired", (rc, out))
    os.rename(t.b.dir + "/away", vcek)
    # two issuers with the same common name
    os.makedirs(t.trust + "/ek-roots")
    for name, days in ("one", "9"), ("other", "3000"):
        r = subprocess.run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/O=%s/CN=Root CA' -days %s "
                           "-keyout k -out c && rm -f i && touch i && "
                           "openssl ca -gencrl -keyfile k -cert c -crldays %s -md sha256 -out l -config "
                           "<(printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=i\\n') && cp c %s/ek-roots/%s.pem && cp l %s/certs/%s.pem" % (
                               name, days, days, t.trust, name, t.trust, name), shell=True, executable="/bin/bash", cwd=t.b.dir,
                           capture_output=True)
        ok(r.returncode == 0, "a TPM maker whose root is named Root CA", r.stderr)
    rc, out = at(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)))
    ok(rc == 5 and all(re.search(r"^%s +%s of Root CA \(%s/%s.pem\)" % (x, kind, d, name), out, re.M) for kind, d in
                       (("list", "certs"), ("certificate", "ek-roots")) for x, name in (("expires", "one"), ("valid", "other"))),
       "a list or certificate is not superseded by another maker's", (rc, out))
    for name in "one", "other":
        os.unlink("%s/ek-roots/%s.pem" % (t.trust, name))
        os.unlink("%s/certs/%s.pem" % (t.trust, name))
    for sub, name in (("certs", "x.pem"), ("collateral", "000000000000.json"), ("vcek", "00.der")):
        path = os.path.join(t.trust, sub, name)
        with open(path, "w") as f:
            f.write("{")
        rc, out = at(AT)
        ok(rc == 7 and re.search("^broken +cannot read %s/%s" % (sub, name), out, re.M), "an invalid file: %s" % sub, (rc, out))
        os.unlink(path)
    os.unlink(t.trust + "/certs/old.crl")
    os.mkdir(t.trust + "/certs/folder")
    os.makedirs(t.trust + "/ak-roots", exist_ok=True)
    with open(t.trust + "/ak-roots/x.usage", "w") as f:
        f.write("2.23.133.8.1")
    rc, out = at(AT)
    ok(rc == 7 and "cannot read certs/folder" in out and "usage" not in out,
       "a folder among the files is broken; a .usage file is no certificate", (rc, out))
    os.rmdir(t.trust + "/certs/folder")
    rc, out = at("never")
    ok(rc == 1, "an invalid time", (rc, out))


def health(b):
    ctx = ssl.create_default_context(cafile=b.ca)
    with urllib.request.urlopen("https://localhost:%d/healthz" % b.port, context=ctx) as f:
        return json.load(f)


def daemon(t):
    """The running broker: its warnings, /healthz, and a reload."""
    with open(t.trust + "/certs/amd-vcek-turin.pem.tmp", "w") as f:
        f.write("-----BEGIN X509 CRL-----\nAAAA")
    shutil.copy(t.made + "/bad/root-expired.crl", t.trust + "/certs/intel-root.pem")

    def log():
        with open(t.b.log_path) as f:
            return f.read()
    warning = "warning: list of Intel SGX Root CA (certs/intel-root.pem) expired at 2025-06-20T00:00:00Z"
    with t.b:
        ok(warning in log(), "a daemon ignores an unfinished file, and warns of an expired list", log())
        ok(health(t.b) == {"status": "warning", "trust": "expired"}, "/healthz says so", health(t.b))
        out = t.b.admin("status")
        ok(warning in out, "so does ccdm-broker status", out)
        t.b.reload()
        ok(log().count(warning) == 1, "the same warning comes once a day", log())
        for i in range(20):
            shutil.copy(t.made + "/bad/root-expired.crl", t.trust + "/certs/many%02d.crl" % i)
        t.b.reload()
        t.b.reload()
        ok(log().count("warning: list of") == 16 and log().count("warning: 5 more; ") == 1,
           "of many warnings the first ones are printed, once", log())
        for i in range(20):
            os.unlink(t.trust + "/certs/many%02d.crl" % i)
        quote = {"quote": base64.b64encode(t.m.read("good/quote.bin")).decode()}
        path = t.b.dir + "/evidence"

        def explain():
            with open(path, "w") as f:
                json.dump({"version": "0.4.0", "tee": "tdx", "runtime-data": {"nonce": "bm9uY2U=", "tee-pubkey": {"kty": "x"}},
                           "tee-evidence": {"primary_evidence": quote, "additional_evidence": ""}}, f)
            out = t.b.admin("explain", path, check=False)[1]
            return [x.split()[1] for x in out.splitlines() if x.strip().startswith("FAILED")], out
        failed, out = explain()
        ok("pck-crl" in failed, "with that list a TD is refused", (failed, out))
        t.m.honest()
        rc, out = t.fetch("tdx")
        ok(rc == 0, "the list is fetched again", (rc, out))
        changed = "the trust directory has changed since the daemon read it; reload the daemon"
        out = t.b.admin("status")
        ok(changed in out, "ccdm-broker status says that the daemon has not read it", out)
        t.b.reload()
        out = t.b.admin("status")
        ok(health(t.b) == {"status": "ok", "trust": "valid"} and changed not in out, "after a reload /healthz says ok", log() + out)
        put_back = t.trust + "/snp-floor"
        with open(put_back, "w") as f:
            f.write("milan snp 0 ours\n")
        ok(changed in t.b.admin("status"), "status says that a new list was not read")
        os.unlink(put_back)
        ok(changed not in t.b.admin("status"), "without that list the directory is as the daemon read it")
        failed, out = explain()
        ok(failed == ["report-data"], "the TD is refused for its nonce only", (failed, out))
