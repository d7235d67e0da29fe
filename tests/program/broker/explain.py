# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""explain - ccdm-broker explain: evidence without a nonce, evidence of a TD"""
import base64
import hashlib
import json
import os
import re
import shutil

from harness import ok
import devices
from sim import Signer


def without_nonce(b, key):
    """Evidence in the form of ccdm-setup, without what it is bound to: it is judged, but never accepted."""
    with open(b.evidence(key)) as f:
        said = json.load(f)

    def explains(o, *more):
        with open(b.dir + "/evidence", "w") as f:
            json.dump(o, f)
        return b.admin("explain", b.dir + "/evidence", *more, check=False)
    rc, out = explains({**said, "attesters": [{"tee": "tpm", "what": "x", "here": True}]})
    ok(rc == 0 and "policy web: holds" in out and "was not checked" not in out, "explain: with the list of attesters", (rc, out))
    rc, out = explains({**said, "runtime-data": {**said["runtime-data"], "nonce": "another"}})
    ok(rc == 7 and "the evidence was refused: report-data: found " in out, "explain: with another nonce", (rc, out))
    nonces = set()
    with devices.Vtpm(b.dir + "/vtpm") as tpm:
        for words in ("--json",), ("--json",), ("--json", "--nonce", "any"), ("--nonce", "any"):
            rc, out, err = devices.setup("evidence", *words, tpm=tpm)
            own = json.loads(out or "{}")
            listed = [a["tee"] for a in own.get("attesters", []) if a["here"]]
            ok(rc == 0 and own["tee"] == "tpm" and listed == ([] if "--nonce" in words else ["tpm"]),
               "evidence %s: of a TPM" % " ".join(words), (rc, out, err))
            nonces.add(own["runtime-data"]["nonce"])
            rc, out = explains(own)
            ok(rc == 7 and "the evidence was refused: ak: found " in out, "explain: this evidence, of an unknown TPM", (rc, out))
            known = b.know(base64.b64decode(own["tee-evidence"]["primary_evidence"]["ak_public"]))
            b.reload()
            rc, out = explains(own)
            ok(rc == 0 and "policy web: holds" in out, "explain: this evidence, of a known TPM", (rc, out))
            os.unlink(known)
            b.reload()
    ok(len(nonces) == 3 and "any" in nonces, "evidence --json draws another nonce each time", nonces)
    bare = {k: v for k, v in said.items() if k != "runtime-data"}
    for what, o in (("nonce", {**bare, "runtime-data": {"tee-pubkey": said["runtime-data"]["tee-pubkey"]}}), ("runtime data", bare)):
        rc, out = explains(o)
        ok(rc == 7 and "policy web: holds" in out and "FAILED" not in out and "note: the nonce was not checked" in out and
           "without a nonce no secret is released" in out, "explain: without a %s: judged, but not accepted" % what, (rc, out))
        rc, out = explains(o, "--json")
        ok(rc == 7 and '"nonce-checked": false' in out, "the same as JSON", (rc, out))
    quote = bare["tee-evidence"]["primary_evidence"]["tpm_quote"]
    quote["pcrs"][0] = "ff" * 32
    rc, out = explains(bare)
    ok(rc == 7 and "the evidence was refused: pcr-digest: found " in out, "explain: forged evidence without a nonce is refused", (rc, out))
    rc, out = explains({"attesters": []})
    ok(rc == 1 and "an object primary_evidence" in out, "explain: of a machine without evidence", (rc, out))
    for more in {}, 1:
        rc, out = explains({**said, "tee-evidence": {**said["tee-evidence"], "additional_evidence": more}})
        ok(rc == 1 and "additional_evidence: expected a string" in out, "explain: additional evidence that is not a string", (rc, out))


def platform(b, key):
    """A TD, judged with its platform's collateral, and by a policy."""
    with open(b.evidence(key)) as f:
        said = json.load(f)
    said["tee"], said["tee-evidence"] = "tdx", {"primary_evidence": {}, "additional_evidence": ""}
    bound = json.dumps({"additional-evidence": "", "nonce": said["runtime-data"]["nonce"],
                        "tee-pubkey": said["runtime-data"]["tee-pubkey"]}, sort_keys=True, separators=(",", ":"))
    data = hashlib.sha384(bound.encode()).digest() + bytes(16)
    trust, other, path = b.dir + "/trust", b.dir + "/other-trust", b.dir + "/evidence"

    def explains(quote):
        said["tee-evidence"]["primary_evidence"]["quote"] = base64.b64encode(quote).decode()
        with open(path, "w") as f:
            json.dump(said, f)
        return b.admin("explain", path, check=False)
    os.mkdir(other)
    with Signer("tdx", b.dir + "/tee1", trust) as s, Signer("tdx", b.dir + "/tee2", other) as of_others:
        # collateral in a file of another platform is never read
        shutil.copy(other + "/collateral/0a0b0c0d0e0f.json", trust + "/collateral/0a0b0c0d0e0e.json")
        b.reload()
        out = b.policy("name: td\nsecrets: default/td/*\n"
                       "require: {tee: tdx, measurement: %s, binding: none, phase: unknown, identity: any}\n" % ("5a" * 48))
        ok("no condition says" not in out, "a policy that names an image: no warning", out)
        for one, word, code, texts in (
                (s, "", 0, ("policy td: holds", "policy web: does NOT hold")),
                (s, "debug", 7, ("allowed debug", "policy td: does NOT hold")),
                (s, "forged", 7, ("FAILED  signature", "refused")),
                (of_others, "", 7, ("FAILED  pck-root", "refused"))):
            one.vm("5a" * 48, word)
            rc, out = explains(one.report(data)[0])
            ok(rc == code and all(t in out for t in texts), "explain: a TD%s: %s" %
               (" of other roots" if one is of_others else " " + word if word else "", texts[0]), (rc, out))
        s.vm("a5" * 48)
        rc, out = explains(s.report(data)[0])
        ok(rc == 7 and re.search("FAILED  measurement", out) and "no policy holds" in out and
           "was refused" not in out, "explain: another image", (rc, out))
        s.vm("5a" * 48)
        rc, out = explains(s.report(bytes(64))[0])
        ok(rc == 7 and "the evidence was refused: report-data: found " in out, "explain: a quote for another key", (rc, out))
        os.unlink(trust + "/collateral/0a0b0c0d0e0f.json")
        b.reload()
        rc, out = explains(s.report(data)[0])
        ok(rc == 7 and "refused" in out, "explain: without the platform's collateral", (rc, out))
    b.admin("policy", "remove", "td")
    for name in "collateral/0a0b0c0d0e0e.json", "roots/intel.pem":
        os.unlink(os.path.join(trust, name))
    b.reload()
