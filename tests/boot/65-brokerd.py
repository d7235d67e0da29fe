# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""The broker as a service: its own user, its sandbox, reload and restart, while a guest uses it."""
import base64
import hashlib
import json

SECRET = "correct horse"

POLICY = """name: web
secrets: default/web/key
require: {tee: tpm, binding: tpm-only, phase: running, identity: any}
"""

# One connection before and after a reload. It prints the statuses of both requests.
HELD = """import http.client, os, socket, ssl, subprocess, time
c = http.client.HTTPConnection("localhost", 8080)
def ask():
    c.request("POST", "/kbs/v0/auth", '{"version": "0.4.0", "tee": "tpm", "extra-params": ""}')
    r = c.getresponse()
    r.read()
    return r.status
c.auto_open = False
# (a system need not have a name for this address)
c.sock = ssl.create_default_context(cafile="/etc/ccdm-broker/ca.pem").wrap_socket(
    socket.create_connection(("127.0.0.1", 8080)), server_hostname="localhost")
first = ask()
subprocess.run(["systemctl", "reload", "ccdm-brokerd"], check=True)
while b"reloaded" not in subprocess.check_output(["journalctl", "-b", "-o", "cat", "-u", "ccdm-brokerd"]):
    time.sleep(0.1)
print(first, ask())
"""


def waits(vm):
    """Wait until it listens."""
    vm.sh("for i in $(seq 300); do ccdm-broker policy list >/dev/null 2>&1 && exit 0; sleep 0.1; done; "
          "journalctl -b --no-pager -u ccdm-brokerd; exit 1")


def run(t):
    with t.boot([t.image("broker.img")], title="broker") as vm:
        if not t.ok(vm.outcome == "up", "it boots (%s)" % vm.outcome, vm.log()[-3000:]):
            return
        vm.sh("ip link set lo up; systemd-sysusers")
        out = vm.sh("ccdm-broker init --name localhost 2>&1")
        t.ok("pin of the server key:" in out, "init: one command", out)
        rc, out = vm.sh("systemd-analyze verify --man=no ccdm-brokerd.service 2>&1", check=False)
        t.ok(rc == 0 and "ccdm-brokerd" not in out, "systemd knows every word of the unit", out)
        vm.sh("systemctl start ccdm-brokerd")
        waits(vm)
        main = vm.sh("systemctl show -p MainPID --value ccdm-brokerd").strip()
        out = vm.sh("stat -c '%%U %%n' /proc/%s; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/%s/status" % (main, main))
        t.ok(out.split() == ["ccdm-broker", "/proc/" + main, "CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1",
                             "Seccomp:", "2"], "its own user, no capability, system calls filtered", out)
        out = vm.sh("stat -c %%U /proc/%s/environ" % main).strip()
        t.ok(out == "root", "no core dump of it, and nobody of its user looks into it", out)
        out = vm.sh("stat -c '%U %a %n' /var/lib/ccdm-broker /var/lib/ccdm-broker/* /run/ccdm-broker/admin.sock "
                    "/etc/ccdm-broker/*.key")
        bad = [line for line in out.splitlines() if int(line.split()[1], 8) & 0o7 or (
            line.endswith(".key") and int(line.split()[1], 8) & 0o77)]
        t.ok(out and not bad, "other users cannot access its files", out)
        out = vm.sh("systemd-analyze security --no-pager ccdm-brokerd | tail -n1")
        level = float(out.split("ccdm-brokerd.service:")[1].split()[0])
        t.ok(level < 2, "systemd-analyze security: %.1f of 10" % level, out)

        vm.sh("printf '%%s' '%s' >/run/secret; ccdm-broker secret put default/web/key /run/secret; "
              "cat >/run/policy.yaml <<'E'\n%s\nE\nccdm-broker policy add /run/policy.yaml" % (SECRET, POLICY))
        evidence = json.loads(vm.sh("ccdm-setup evidence --nonce any"))
        key = evidence["tee-evidence"]["primary_evidence"]["ak_public"]
        with_ = "--broker https://localhost:8080 --ca /etc/ccdm-broker/ca.pem"
        rc, out = vm.sh("ccdm-setup secret get default/web/key %s --timeout 5 2>&1" % with_, check=False)
        t.ok(rc == 7, "an unknown TPM is refused", out)
        name = hashlib.sha256(base64.b64decode(key)).hexdigest()
        vm.sh("echo %s | base64 -d >/etc/ccdm-broker/trust/tpm-keys/%s.der" % (key, name))
        out = vm.sh("cat >/run/held.py <<'E'\n%s\nE\npython3 /run/held.py" % HELD)
        t.ok(out.split() == ["200", "200"], "a connection outlives a reload", out)
        out = vm.sh("ccdm-setup secret get default/web/key %s" % with_)
        t.ok(out == SECRET, "and it is known after it: the guest gets its secret", out)
        vm.sh("ccdm-broker rotate-key; ccdm-broker renew --name localhost; systemctl reload ccdm-brokerd; "
              "ccdm-broker secret reseal")
        out = vm.sh("ccdm-setup secret get default/web/key %s" % with_)
        t.ok(out == SECRET, "so it does with a new key and a new certificate", out)

        vm.sh("kill -9 %s; while test \"$(systemctl show -p MainPID --value ccdm-brokerd)\" = %s; do sleep 0.1; done" %
              (main, main))
        waits(vm)
        out = vm.sh("ccdm-setup secret get default/web/key %s" % with_)
        t.ok(out == SECRET, "after a kill it is restarted, with its state", out)
        rc, out = vm.sh("ccdm-broker log verify", check=False)
        t.ok(not rc and "hash chain valid" in out, "its log is whole", out)
        out = vm.sh("ccdm-broker log")
        t.ok("released" in out and SECRET not in out, "and holds no secret", out)
        rc, out = vm.sh("setpriv --reuid=nobody --clear-groups ccdm-broker policy list 2>&1", check=False)
        t.ok(rc and "ermission" in out, "who has no right to it administers nothing", out)
        vm.sh("systemctl stop ccdm-brokerd")
        out = vm.sh("systemctl is-failed ccdm-brokerd || :").strip()
        t.ok(out == "inactive", "stopped, it ended well", out)
