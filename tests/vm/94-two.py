# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""Two VMs at once, with one processor and one broker: each gets its own secrets and no others.

They ask at the same time, many times. Then each tries to use what belongs to the other one: its
nonce, its evidence, its session.
"""
import json
import os

from broker import Broker
from guest import NET, NET_ARGS, put
from sim import Signer, load

MEASUREMENT = {"a": "a1" * 48, "b": "b2" * 48}

POLICY = """name: %s
secrets: default/%s/key
require: {tee: snp, binding: none, phase: unknown, measurement: {value: %s, covers: image}}
"""

# Request the secret in argv in the other VM's session: with its token, with its cookie.
STEAL = """import json, ssl, sys, urllib.request
url, token = sys.argv[1:]
ctx = ssl.create_default_context(cafile="/tmp/ca.pem")
q = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
print(urllib.request.urlopen(q, context=ctx).read().decode())
"""

# Send the first message, then another guest's evidence in the second.
REPLAY = """import json, ssl, sys, urllib.request
url, evidence = sys.argv[1], json.load(open(sys.argv[2]))
ctx = ssl.create_default_context(cafile="/tmp/ca.pem")
def post(path, o, cookie=None):
    q = urllib.request.Request(url + path, json.dumps(o).encode(), {"Cookie": cookie} if cookie else {})
    return urllib.request.urlopen(q, context=ctx)
a = post("/kbs/v0/auth", {"version": "0.4.0", "tee": "snp", "extra-params": ""})
nonce, cookie = json.load(a)["nonce"], a.headers["Set-Cookie"].split(";")[0]
runtime = dict(evidence["runtime-data"])
if sys.argv[3] == "new":
    runtime["nonce"] = nonce
try:
    post("/kbs/v0/attest", {"init-data": None, "runtime-data": runtime, "tee-evidence": evidence["tee-evidence"]}, cookie)
    print("accepted")
except urllib.error.HTTPError as e:
    print(e.code, e.read().decode())
"""


def both(vms, script):
    """Run the same command in both VMs at the same time. Return: both outputs. %(me)s and %(other)s are replaced."""
    for me, vm in vms.items():
        other = "b" if me == "a" else "a"
        put(vm, "/tmp/job", script % {"me": me, "other": other})
        vm.sh("(bash /tmp/job >/tmp/said 2>&1; touch /tmp/done) >/dev/null 2>&1 &")
    said = {}
    for me, vm in vms.items():
        vm.sh("for i in $(seq 1200); do test -e /tmp/done && exit 0; sleep 0.1; done; exit 1", timeout=300)
        said[me] = vm.sh("rm /tmp/done; cat /tmp/said")
    return said


def run(t):
    with Broker(os.path.join(t.dir, "broker")) as b, \
         Signer("snp", os.path.join(t.dir, "tee"), os.path.join(b.dir, "trust"), vms=2) as s:
        b.reload()
        for i, (me, measurement) in enumerate(MEASUREMENT.items()):
            b.secret("default/%s/key" % me, b"for-%s " % me.encode())
            b.policy(POLICY % (me, me, measurement))
            s.vm(measurement, n=i)
        with t.vm(args=s.args(0) + NET_ARGS) as one, t.vm(args=s.args(1) + NET_ARGS) as two:
            vms = {"a": one, "b": two}
            for vm in vms.values():
                vm.sh(NET)
                put(vm, "/tmp/ca.pem", open(b.ca).read())
                put(vm, "/tmp/steal.py", STEAL)
                put(vm, "/tmp/replay.py", REPLAY)
                load(vm, "snp")
            with_ = "--broker %s --ca /tmp/ca.pem --timeout 60" % b.url
            n = 12
            said = both(vms, "for i in $(seq %d); do /ccdm/bin/ccdm-setup secret get default/%%(me)s/key %s; done"
                        % (n, with_))
            for me, text in said.items():
                t.ok(text == ("for-%s " % me) * n, "%s: %d times its own secret" % (me, n), text)
            said = both(vms, "for i in 1 2 3; do /ccdm/bin/ccdm-setup secret get default/%%(other)s/key %s; echo $?; done"
                        % with_)
            for me, text in said.items():
                t.ok(text.count("not released to this guest") == 3 and "for-" not in text, "%s: nothing of the other's" % me, text)
            peers = {e["facts"]["measurement"] for e in b.log() if e["event"] == "attest" and e["result"] == "accepted"}
            t.ok(peers == set(MEASUREMENT.values()), "the log has both", peers)

            token = one.sh("/ccdm/bin/ccdm-setup attest %s --output /tmp/token; cat /tmp/token" % with_).split()[-1]
            rc, out = two.sh("python3 /tmp/steal.py %s/kbs/v0/resource/default/a/key %s 2>&1" % (b.url, token), check=False)
            jwe = json.loads(out) if rc == 0 else {}
            t.ok("encrypted_key" in jwe and "for-a" not in out, "the other's token: what comes is encrypted for its owner", out)
            evidence = one.sh("/ccdm/bin/ccdm-setup evidence --nonce any")
            put(two, "/tmp/evidence", evidence)
            for how, check in (("old", "session"), ("new", "report-data")):
                out = two.sh("python3 /tmp/replay.py %s /tmp/evidence %s 2>&1" % (b.url, how))
                last = b.log()[-1]
                t.ok(out.startswith("401") and (check == "session" and "nonce" in last["why"] or
                                                [c["name"] for c in last.get("failed", [])] == [check]),
                     "the other's evidence, with %s nonce: refused by the %s" %
                     ("its" if how == "old" else "this one's", "nonce" if how == "old" else "report data"), (out, last))
            for vm in vms.values():
                t.check_log(vm)
