# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""A workload runs as its partition says, in its sandbox; the VM ends with it, and its host sees none of its output and secrets."""
import json
import os

from boot import tree
from workload import GID, GROUP, UID, disk, partition

MARK = "%d" % os.getpid()
# (the texts that are looked for on the disk stand there with a ~ that is left out when they are used)
OUTPUT, DIRECT = "OUTPUT-OF-THE-WORKLOAD-" + MARK, "OUTPUT-BY-DEV-STDOUT-" + MARK
SECRET = {"tls.key": "SECRET-AS-A-FILE-" + MARK, "db": "SECRET-IN-THE-ENVIRONMENT-" + MARK, "app": "SECRET-AT-A-PATH-" + MARK}
SECRETS = [{"name": "tls.key", "file": "/run/secrets/tls.key"}, {"name": "db", "env": "DB_PASSWORD"},
           {"name": "app", "path": "/etc/app/secret.conf", "mode": "0440"}]


def torn(text):
    return text[:6] + "~" + text[6:]


# writes what it finds into its volume, and ends as a file there says
SCRIPT = """
cd /var/lib/data
echo run >> runs
echo "%s" | tr -d '~'
echo "%s" | tr -d '~' > /dev/stdout
say() { echo "$1=$2" >> facts.new; }
say id "$(id -u):$(id -g):$(id -G)"
say pid $$
say cap "$(grep -E '^Cap(Eff|Bnd)' /proc/self/status | tr -d '\\t' | tr '\\n' ' ')"
say nnp "$(grep NoNewPrivs /proc/self/status | cut -f2)"
say seccomp "$(grep ^Seccomp: /proc/self/status | cut -f2)"
say host "$(hostname) $(cat /etc/hostname)"
say hosts "$(grep -c web-1 /etc/hosts)"
say dns "$(cat /etc/resolv.conf)"
say dev "$(ls /dev | tr '\\n' ' ')"
say env "$DB_PASSWORD"
say file "$(stat -c '%%a %%u %%g' /run/secrets/tls.key) $(cat /run/secrets/tls.key)"
say path "$(stat -c '%%a %%u %%g' /etc/app/secret.conf) $(cat /etc/app/secret.conf)"
say write "$(echo x 2>/dev/null > /run/secrets/tls.key && echo written || echo refused)"
say home "$(echo x > /home/app/file && cat /home/app/file)"
say seed "$(cat seeded) $(stat -c '%%a %%u' .)"
say umount "$(umount /proc 2>/dev/null && echo done || echo refused)"
say sysctl "$(echo 1 2>/dev/null > /proc/sys/kernel/printk && echo written || echo refused)"
say sysrq "$(echo h 2>/dev/null > /proc/sysrq-trigger && echo written || echo refused)"
say firmware "$(ls /sys/firmware 2>/dev/null | wc -l)"
say tpm "$(ls /sys/kernel/security /sys/kernel/config 2>/dev/null | grep -c tpm)"
say kcore "$(head -c 1 /proc/kcore 2>/dev/null | wc -c)"
say mknod "$(mknod /tmp/node b 254 0 2>/dev/null && echo made || echo refused)"
say setuid "$(cp /bin/busybox /tmp/suid; chmod 4755 /tmp/suid; ls -l /tmp/suid | cut -c1-4)"
say suid "$(/suid/id -u)"
say processes "$(ls /proc | grep -c '^[0-9]')"
say cgroup "$(cat /proc/self/cgroup)"
say flags "$(grep ' /var/lib/data ' /proc/self/mountinfo | cut -d' ' -f6)"
say root "$(grep ' / / ' /proc/self/mountinfo | cut -d' ' -f6)"
say shared "$(grep -c 'shared:' /proc/self/mountinfo)"
say run "$(ls /run)"
(nc -l -p 80 -w 1 </dev/null >/dev/null 2>&1 & p=$!; sleep 0.3; netstat -ltn 2>/dev/null | grep -c ':80 ' > port; kill $p 2>/dev/null)
say port "$(cat port)"
trap 'echo quit >> signals; exit 3' QUIT
mv facts.new facts
while [ ! -e exit ]; do sleep 0.2; done
code=$(cat exit)
[ -e again ] || rm -f exit
exit $code
""" % (torn(OUTPUT), torn(DIRECT))
DATA = "/var/lib/ccdm/volumes/0/"

# in place of a broker: what fetches secrets puts them there
CREDENTIALS = """[Unit]
DefaultDependencies=no
After=ccdm-root.service
Before=ccdm-cap.service initrd.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /etc/creds.sh
"""


SCRIPT_OF_CREDENTIALS = """mkdir -m 0700 /run/credstore
mount -t ramfs -o mode=0700 ramfs /run/credstore
cd /etc/creds
for f in *; do
  sed 's/~//' "$f" > "/run/credstore/$f"
done
"""


def credentials(t, names=SECRET):
    files = {"etc/creds/" + name: torn(SECRET[name]) for name in names}
    return tree(t, "creds", dict(files, **{
        "etc/creds.sh": SCRIPT_OF_CREDENTIALS,
        "etc/systemd/system/creds.service": CREDENTIALS,
        "etc/systemd/system/initrd.target.requires/creds.service": ("link", "../creds.service")}))


def seeded(root):
    """The volume of the image, and a program that would run as root."""
    with open(root + "/var/lib/data/seeded", "w") as f:
        f.write("seed")
    os.chown(root + "/var/lib/data/seeded", UID, GID)
    os.chmod(root + "/var/lib/data", 0o750)
    os.makedirs(root + "/suid")
    with open("/bin/busybox", "rb") as f, open(root + "/suid/id", "wb") as out:
        out.write(f.read())
    os.chmod(root + "/suid/id", 0o4755)


def workload(t, name="web", script=SCRIPT, **says):
    return partition(t, name, script, setup=seeded, **dict(
        {"volumes": [{"path": "/var/lib/data"}], "stop_signal": "SIGQUIT", "stop_timeout": 20}, **says))


def facts(m):
    m.sh("until [ -e %sfacts ]; do sleep 0.2; done" % DATA, timeout=120)
    return dict(x.split("=", 1) for x in m.sh("cat %sfacts" % DATA).splitlines() if "=" in x)


def ended(t, m, what, how, words):
    """The machine ends, and says once how its workload ended."""
    t.ok(m.ended(120) == how, "%s: the machine ends (%s)" % (what, how), m.log()[-2000:])
    lines = [x for x in m.log().splitlines() if "ccdm: workload ended: " in x]
    t.ok(len(lines) == len(words) and all(x.endswith(": " + w) for x, w in zip(lines, words)),
         "%s: it says how the workload ended: %s" % (what, ", ".join(words)), lines)


def sandbox(t, f):
    """What the workload saw of itself."""
    t.ok(f["id"] == "%d:%d:%d %d" % (UID, GID, GID, GROUP), "user and groups of the image", f["id"])
    t.ok(f["pid"] == "1" and int(f["processes"]) < 8, "it is PID 1, and sees no other processes", (f["pid"], f["processes"]))
    t.ok("CapEff:0000000000000000" in f["cap"] and "CapBnd:00000000a80425fb" in f["cap"], "no capabilities; Docker's bound", f["cap"])
    t.ok(f["nnp"] == "1" and f["seccomp"] == "2", "no new privileges, a seccomp filter", f)
    t.ok(f["suid"] == str(UID), "a setuid program of the image runs as the user", f["suid"])
    t.ok(f["umount"] == "refused" and f["mknod"] == "refused", "no mounts, no devices", f)
    t.ok(f["sysctl"] == "refused" and f["sysrq"] == "refused", "/proc is read-only where it matters", f)
    t.ok(f["firmware"] == "0" and f["tpm"] == "0" and f["kcore"] == "0", "no firmware, no TPM's log, no memory of the kernel", f)
    t.ok(f["dev"].split() == "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split(),
         "/dev has the standard devices alone", f["dev"])
    t.ok(f["host"] == "web-1 web-1" and f["hosts"] == "1", "its own host name", f)
    t.ok(f["cgroup"] == "0::/", "its own cgroup namespace", f["cgroup"])
    t.ok("nosuid" in f["flags"] and "nodev" in f["flags"] and f["shared"] == "0",
         "a volume without setuid and devices, no shared mount", f)
    t.ok(f["run"] == "secrets", "nothing of the base's /run", f["run"])
    t.ok(f["home"] == "x" and f["seed"] == "seed 750 %d" % UID, "it writes to its root; the volume is the image's", f)
    t.ok(f["port"] == "1", "it listens on port 80 without being root", f["port"])


def secrets(t, f):
    t.ok(f["env"] == SECRET["db"], "a secret in the environment", f["env"])
    t.ok(f["file"] == "400 %d %d %s" % (UID, GID, SECRET["tls.key"]), "a secret as a file, of the user alone", f["file"])
    t.ok(f["path"] == "440 %d %d %s" % (UID, GID, SECRET["app"]), "a secret at a path, with its mode", f["path"])
    t.ok(f["write"] == "refused", "it cannot change a secret")


def unseen(t, m, path):
    """Output and secrets are where they belong."""
    out = m.sh("journalctl -b -o cat -t workload")
    t.ok(OUTPUT in out and DIRECT in out, "its output is in the journal, by /dev/stdout, too", out)
    t.ok(m.sh("findmnt -no FSTYPE /run/ccdm/workload; ls /run/credstore | wc -l").split() == ["ramfs", "0"],
         "secrets are in a ramfs, and no longer in the credential store")
    m.sh("sync; dmsetup message ccdm-root 0 sync")
    image = t.disk(0, os.path.basename(path))
    for text in [OUTPUT, DIRECT] + list(SECRET.values()):
        t.ok(text not in m.log() and not image.contains(text.encode()), text[:-len(MARK) - 1] + ": neither on the console nor on the disk")


def runs(t):
    """The short form: one boot that shows the main facts."""
    img, says = workload(t, secrets=SECRETS, ports=[80, 8443])
    path = disk(t, "web.img.disk", img, says, OVERLAY=credentials(t))
    with t.boot([path], title="runs", args=["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile="]) as m:
        if not t.ok(m.outcome == "up", "it boots (%s)" % m.outcome, m.log()[-3000:]):
            return
        report = json.loads(m.sh("cat /run/ccdm/boot.json"))
        t.ok([e.split(":")[0] for e in report["measured"]["events"]] == ["ccdm-base", "ccdm-workload", "ccdm-ready"] and
             says["workload_roothash"] in report["measured"]["events"][1], "the workload is measured", report["measured"]["events"])
        f = facts(m)
        sandbox(t, f)
        secrets(t, f)
        unseen(t, m, path)
        t.ok(f["dns"] == "nameserver 10.0.2.3", "it has the network's name server", f["dns"])
        t.ok(m.sh("systemctl is-system-running --wait || systemctl --failed").strip() == "running",
             "no unit has failed", m.sh("systemctl --failed; journalctl -b -p warning --no-pager | tail -n 40"))
        rules = m.sh("nft list ruleset")
        t.ok("policy drop" in rules and "8443" in rules, "other ports are closed", rules)
        groups = m.sh("cd /sys/fs/cgroup/system.slice/ccdm-workload.service; for g in supervisor workload; do "
                      "for p in $(cat $g/cgroup.procs); do echo $g $(cat /proc/$p/comm 2>/dev/null); done; done").splitlines()
        t.ok("supervisor crun" in groups and "workload sh" in groups and "workload crun" not in groups,
             "crun and the container have cgroups of their own", groups)
        m.ask("systemctl stop ccdm-workload.service")
        ended(t, m, "its stop signal", "off", ["exit 3"])
        t.ok("CCDM-E" not in m.log(), "without an error", m.log()[-2000:])


def run(t):
    runs(t)
