# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""tool - ccdm-broker: its output, exit codes and trace"""
import base64
import hashlib
import json
import os
import re
import subprocess

from harness import LOAD, PATH, POLICY, load, ok
from explain import without_nonce
import devices
from broker import BIN


def traced(b):
    """--verbose and --debug print the steps, but no secret."""
    value = os.urandom(24).hex().encode()
    # a part of the secret counts, too
    forms = [f[:12] for f in (value, value.hex().encode(), base64.b64encode(value))]
    token = b.dir + "/token"
    b.stop()
    b.start("--debug")
    with devices.Vtpm(b.dir + "/traced") as tpm:
        _, out, _ = devices.setup("evidence", "--json", tpm=tpm)
        known = b.know(base64.b64decode(json.loads(out)["tee-evidence"]["primary_evidence"]["ak_public"]))
        b.reload()
        for level in "--verbose", "--debug":
            r = subprocess.run([BIN + "/ccdm-broker", level, "secret", "--config", b.conf, "put", PATH], input=value, capture_output=True)
            said = r.stdout + r.stderr
            ok(r.returncode == 0 and b"# admin: ask " in said and b": secret-put" in said and not [f for f in forms if f in said],
               "ccdm-broker %s secret put: prints the order, not the secret" % level, said)
            to = ("--broker", "https://localhost:%d" % b.port, "--ca", b.ca)
            rc, out, err = devices.setup("secret", "get", PATH, *to, level, tpm=tpm)
            steps = ("# tls: TLSv1.3, https://localhost", "known by its CA", "# http: POST", "# http: status 200", "# tpm: Quote (0x158)",
                     "# attest: collect evidence: TPM 2.0", "# attest: accepted", "# attest: %s: %d bytes" % (PATH, len(value)))
            missing = [s for s in steps if s not in err]
            ok(rc == 0 and out == value and not missing, "ccdm-setup secret get %s: TLS, HTTP, the TPM, attesting" % level, (missing, err))
            rc, _, more = devices.setup(level, "attest", *to, "--output", token, tpm=tpm)
            with open(token, encoding="ascii") as f:
                parts = [p[:16] for p in f.read().strip().split(".") if p]
            ok(rc == 0 and "# attest: accepted" in more and parts and
               not [f for f in [f.decode() for f in forms] + parts if f in err + more] and "Bearer" not in err + more,
               "no trace has the secret or the token", err + more)
            rc, _, err = devices.setup("attest", *to[:2], "--pin", "00" * 32, level, tpm=tpm)
            ok(rc == 8 and "not known by its pin" in err, "attest %s: another server" % level, err)
        rc, _, err = devices.setup("attest", *to, tpm=tpm)
        ok(rc == 0 and not err, "without them nothing is printed", err)
        os.unlink(known)
    b.reload()
    b.stop()
    with open(b.log_path, encoding="ascii") as f:
        log = f.read()
    steps = ("# configuration: " + b.conf, "# keys: ", "# trust: ", "# state: ", ": secret-put", "# reload", "# stop",
             "POST /kbs/v0/attest, ", "GET /kbs/v0/resource/%s, 0 bytes: status 200" % PATH)
    missing = [s for s in steps if s not in log]
    ok(not missing, "ccdm-brokerd --debug: configuration, requests, administration", (missing, log))
    ok(parts and not [f for f in [f.decode() for f in forms] + parts if f in log], "its trace has no secret and no token", log)
    b.start()
    with open(b.log_path, encoding="ascii") as f:
        log = f.read()
    ok("#" not in log, "without it nothing is traced", log)
    b.secret(PATH, b"correct horse")


def several(b):
    """policy add: a file of several documents, all or nothing."""
    one, two = "# the first\n---\n" + POLICY.replace("web", "first"), "---\n" + POLICY.replace("web", "second")
    path = b.dir + "/several.yaml"

    def add(text, *words, check=True):
        with open(path, "w") as f:
            f.write(text)
        return b.admin("policy", "add", *words, path, check=check)

    def stored():
        return {p["name"]: p["text"] for p in json.loads(b.admin("policy", "list", "--json"))["policies"]}
    before, lines = stored(), len(b.log())
    said = json.loads(add(one + two, "--dry-run", "--json"))
    ok([p["name"] for p in said["policies"]] == ["first", "second"] and said["dry-run"] and stored() == before and len(b.log()) == lines,
       "policy add: a dry run of two documents shows both", said)
    rc, out = add(one + two + "---\nname: open\nsecrets: a/b/c\nrequire: {tee: tpm, binding: tpm-only}\n", check=False)
    ok(rc == 1 and "open: no condition pins the image" in out and stored() == before, "one of three is refused: none is added", out)
    rc, out = add(one + one.replace("# the first\n", ""), check=False)
    ok(rc == 1 and "two policies have the name first" in out and stored() == before, "two of one name: none is added", out)
    rc, out = add((one + two).replace("\n---\nname: second", "\r---\nname: second"), check=False)
    ok(rc == 1 and "cannot divide" in out and stored() == before, "documents that cannot be divided: none is added", out)
    lines = len(b.log())
    out = add(one + two)
    ok("first: added" in out and "second: added" in out and stored() == {**before, "first": one, "second": two},
       "two documents are added, each with its own text", (out, stored()))
    new = [(e["do"], e["name"], e["result"]) for e in b.log()[lines:]]
    ok(new == [("policy-add", "first", "begun"), ("policy-add", "second", "begun"), ("policy-add", "first second", "done")],
       "the log has each of them, and the result", new)
    out = add(one.replace("first/*", "other/*") + two)
    ok("first: replaced" in out and "second: replaced" in out, "they are replaced", out)
    for name in "first", "second":
        b.admin("policy", "remove", name)
    ok(stored() == before, "and removed, one by one")


def tool(b, key):
    """explain, log, and the exit code of each mistake."""
    b.policy(POLICY.replace("phase: unknown", "phase: initrd"))
    load(b, key, 1, 1)
    rc, out = b.admin("explain", b.evidence(key), check=False)
    ok(rc == 7 and "policy web: does NOT hold" in out and re.search("^  FAILED  phase .*expected", out, re.M),
       "explain: a policy that does not hold, and where", (rc, out))
    with open(b.evidence(key)) as f:
        said = json.load(f)
    for where, name, value in (("", "tee", "x"), ("", "tee", None), ("runtime-data", "nonce", 1), ("runtime-data", "tee-pubkey", "x"),
                               ("runtime-data", "tee-pubkey", None), ("", "runtime-data", "x"), ("tee-evidence", "primary_evidence", None)):
        lacks = json.loads(json.dumps(said))
        part = lacks[where] if where else lacks
        part[name] = value
        if value is None:
            del part[name]
        with open(b.dir + "/evidence", "w") as f:
            json.dump(lacks, f)
        rc, out = b.admin("explain", b.dir + "/evidence", check=False)
        ok(rc == 1 and "expected a" in out, "explain: %s is %s" % (name, value or "not there"), (rc, out))
    b.policy(POLICY)
    load(b, key, 1, 1)
    lines = b.admin("log").splitlines()
    ok(any(re.match(r"\S+Z resource released \S+ [0-9a-f]{8} +" + PATH + "$", x) for x in lines) and
       any(re.match(r"\S+Z admin +done +uid \d+ policy-add web$", x) for x in lines),
       "log: who got which secret, who changed which policy", lines[-6:])
    released = [e for e in b.log() if e.get("result") == "released"][-1]
    ok(released.get("policy-hash") == hashlib.sha256(POLICY.encode()).hexdigest(),
       "log: the hash of the policy that decided", released)
    accepted = [e for e in b.log() if e["event"] == "attest" and e["result"] == "accepted"][-1]
    ok(accepted.get("policies") == {"web": released.get("policy-hash")}, "log: the hash of each policy that holds", accepted)
    b.admin("policy", "remove", "nosuch", check=False)
    began, ended = b.log()[-2:]
    ok((began["result"], ended["result"]) == ("begun", "failed") and "no nosuch" in ended["why"],
       "log: an order that failed, and the reason", (began, ended))
    with open(b.dir + "/odd.yaml", "w") as f:
        f.write("name: open\nsecrets: a/b/c\nrequire: {tee: snp}\n")
    b.admin("policy", "add", b.dir + "/odd.yaml", check=False)
    last = b.log()[-1]
    ok(last["result"] == "failed" and last["do"] == "policy-add" and "pins the image" in last["why"],
       "log: a policy that was refused", last)
    b.reload()
    last = b.log()[-1]
    ok((last["event"], last.get("do"), last.get("result")) == ("daemon", "reload", "done"), "log: a reload", last)
    ok(any(e["event"] == "daemon" and e["do"] == "start" for e in b.log()), "log: the daemon's start")
    at = max([i for i, x in enumerate(lines) if x.endswith(" tpm: no policy holds")] or [-1])
    ok(" attest   refused " in lines[at] and lines[at + 1:at + 2] == ["    web: phase: expected [\"initrd\"], found unknown"],
       "log: who got no secret, and the reason", lines[at:])
    os.rename(b.known, b.dir + "/load.der")
    b.reload()
    # the guest retries for two minutes
    guest = subprocess.Popen([LOAD, "run", key, "https://localhost:%d" % b.port, b.ca, PATH, "1", "1"], start_new_session=True,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while "failed" not in b.log()[-1] and guest.poll() is None:
        pass
    os.killpg(guest.pid, 9)
    guest.wait()
    rc, out = b.admin("explain", b.evidence(key), check=False)
    ok(rc == 7 and "FAILED  ak " in out and "the evidence was refused: ak: found " in out and
       "no policy holds" not in out, "explain: an unknown TPM", (rc, out))
    os.rename(b.dir + "/load.der", b.known)
    b.reload()
    lines = b.admin("log").splitlines()
    ok(any(re.match(r"\S+Z attest   refused .* tpm: ", x) and y.startswith("    ak: expected ") for x, y in zip(lines, lines[1:])),
       "log: the check that failed", lines[-6:])
    rc, out = b.admin("explain", b.evidence(key), check=False)
    ok(rc == 0 and "policy web: holds" in out and "FAILED" not in out, "explain: a known TPM", (rc, out))
    without_nonce(b, key)
    with open(b.evidence(key)) as f:
        said = json.load(f)
    said["tee-evidence"]["primary_evidence"]["manifest"] = "a.b"
    del said["tee-evidence"]["additional_evidence"]
    with open(b.dir + "/evidence", "w") as f:
        json.dump(said, f)
    rc, out = b.admin("explain", b.dir + "/evidence", check=False)
    ok(rc == 0 and re.search("^note: .*no signer$", out, re.M), "explain: an invalid manifest is a note", (rc, out))
    rc, out = b.admin("explain", b.dir + "/nosuch", check=False)
    ok(rc == 4 and "nosuch: No such file" in out, "explain: no such file", (rc, out))
    good = [b.admin(*w, "--json") for w in (("policy", "list"), ("secret", "list"), ("secret", "reseal"), ("log", "verify"),
                                            ("policy", "add", b.dir + "/policy.yaml"), ("explain", b.evidence(key)))]
    ok(all(json.loads(x) for x in good), "policy, secret, log and explain print JSON")
    with open(b.dir + "/two.yaml", "w") as f:
        f.write(POLICY + "---\n" + POLICY.replace("name: web", "name: other"))
    with open(b.dir + "/open.yaml", "w") as f:
        f.write("name: open\nsecrets: a/b/c\nrequire: {tee: tpm, binding: tpm-only}\n")
    several(b)
    for code, name, refused in ((0, "two", [None, None]), (1, "open", ["no condition pins the image"])):
        r = subprocess.run([BIN + "/ccdm-broker", "policy", "check", "--json", "%s/%s.yaml" % (b.dir, name)],
                           capture_output=True, text=True)
        said = json.loads(r.stdout or "[]")
        ok(r.returncode == code and [x.get("refused", "")[:27] or None for x in said] == refused and (not r.stderr) == (not code),
           "policy check --json: %s.yaml: %d" % (name, code), r)
    with open(b.dir + "/list", "w") as f:
        f.write("[]")
    with open(b.dir + "/zero.yaml", "w") as f:
        f.write(POLICY + "\0")
    for code, said, words in (
            (4, "found no nosuch", ("policy", "remove", "nosuch")),
            (4, "found no a/b/nosuch", ("secret", "remove", "a/b/nosuch")),
            (4, "No such file", ("policy", "add", b.dir + "/nosuch")),
            (1, "zero byte", ("policy", "add", b.dir + "/zero.yaml")),
            (1, "expected REPO/TYPE/TAG, found", ("secret", "put", "x", b.dir + "/policy.yaml")),
            (1, "line 1", ("explain", b.dir + "/policy.yaml")),
            (1, "expected an object", ("explain", b.dir + "/list")),
            (1, "explain: too few arguments", ("explain",)),
            (5, "a broker already exists", ("init", "--name", "localhost")),
            (4, "nosuch: No such file", ("restore", b.dir + "/nosuch")),
            (1, "too few arguments", ("policy", "add")),
            (1, "too many arguments", ("policy", "list", "x")), (4, "nosuch: no policy has this name", ("policy", "show", "nosuch")),
            (1, "is not an option", ("policy", "list", "--nosuch")),
            (1, "needs a second word: check, add, list, show, remove", ("policy",)), (1, "did you mean 'policy list'?", ("policy", "lst")),
            (1, "did you mean 'policy'?", ("polcy", "list")),
            (1, "--name is not an option of policy list", ("policy", "list", "--name", "x")),
            (4, "/nosuch: No such file", ("--conf", "/nosuch", "policy", "list")),
            (1, "expected https://HOST[:PORT], found a user name", ("trust", "fetch", "--from", "https://u:pw@localhost:1")),
            (0, "usage: ccdm-broker policy list", ("policy", "--json", "list", "--help")), (0, "policy remove", ("policy", "--help")),
            (1, "usage:", ("policy",)), (1, "usage:", ()), (1, "usage:", ("init", "--days", "0")),
            (1, "usage:", ("init", "--days", "1x")), (1, "usage:", ("init", "--days", "36501")),
            (0, "usage:", ("--help",)), (0, "ccdm-broker ", ("--version",))):
        rc, out = b.admin(*words, check=False)
        ok(rc == code and said in out, "ccdm-broker %s: %d, %s" % (" ".join(words).replace(b.dir + "/", ""), code, said), (rc, out))
    usage = "usage: ccdm-brokerd [OPTION...]\n"
    for code, said, words in (
            (0, usage, ["--help"]), (0, "--config FILE", ["--verbose", "--help"]), (0, "ccdm-brokerd ", ["--version"]),
            (1, "too many arguments", ["x"]), (1, "--config needs a value", ["--config"]),
            (1, "ccdm-brokerd: --nosuch is not an option\n", ["--nosuch"]),
            (1, "ccdm-brokerd: --chekc is not an option; did you mean '--check'?\n" + usage, ["--chekc"]),
            (0, "--config\t", ["--complete", "--"]), (0, ":file", ["--complete", "--config", ""]), (0, "", ["--complete", ""]),
            (0, "complete -F _ccdm_brokerd ccdm-brokerd", ["--completion", "bash"]), (1, "unknown shell", ["--completion", "x"])):
        r = subprocess.run([os.path.join(BIN, "ccdm-brokerd"), *words], capture_output=True, text=True)
        ok(r.returncode == code and said in r.stdout + r.stderr and (said or not r.stdout), "ccdm-brokerd %s: %d" % (" ".join(words), code),
           r)
    terminal, end = os.openpty()
    r = subprocess.run([BIN + "/ccdm-broker", "--config", b.conf, "secret", "put", PATH], stdin=end, capture_output=True, text=True)
    os.close(terminal)
    os.close(end)
    ok(r.returncode == 1 and "would show the" in r.stderr, "secret put: refuses to read from a terminal, which would show the secret", r)
    rc, out = b.admin("secret", "put", "default/web/other", check=False)
    ok(rc == 1 and "standard input: expected a secret, found no bytes" in out and "default/web/other" not in b.admin("secret", "list"),
       "secret put: refuses an empty input", (rc, out))
    rc, out = b.admin("secret", "put", "--allow-empty", "default/web/other", check=False)
    ok(rc == 0 and "default/web/other" in b.admin("secret", "list"), "secret put --allow-empty: stores it", (rc, out))
    b.secret("default/web/other", b"x")
    b.admin("secret", "remove", "default/web/other")
    ok(b.admin("policy", "show", "web") == POLICY and json.loads(b.admin("policy", "show", "web", "--json"))["text"] == POLICY,
       "policy show: the text as it was added", b.admin("policy", "show", "web"))
    ok("default/web/other" not in b.admin("secret", "list"), "secret remove")
