# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""A workload runs in its sandbox, with the settings of its image. The VM ends with it. The host sees no output and no secret."""
import json
import os
import shutil
import subprocess

import measured
import workload as W
from boot import GPT_SWAP, add_part, fails, make_disk, part, tiny_base, tree
from broker import Broker
from guest import NET_ARGS as NET, Maker
from vm import TOP
from workload import GID, GROUP, UID, UUID, disk, partition

MARK = "%d" % os.getpid()
# (the test searches the disk for these texts. So the image has them with a ~, which the programs leave out)
OUTPUT, DIRECT = "OUTPUT-OF-THE-WORKLOAD-" + MARK, "OUTPUT-BY-DEV-STDOUT-" + MARK
SECRET = {"tls.key": "SECRET-AS-A-FILE-" + MARK, "db": "SECRET-IN-THE-ENVIRONMENT-" + MARK, "app": "SECRET-AT-A-PATH-" + MARK}
SECRETS = [{"name": "tls.key", "file": "/run/secrets/tls.key"}, {"name": "db", "env": "DB_PASSWORD"},
           {"name": "app", "path": "/etc/app/secret.conf", "mode": "0440"}]


def torn(text):
    return text[:6] + "~" + text[6:]


# The program writes what it finds into its volume. The file "exit" there has its exit status.
SCRIPT = """
here=$(pwd)
cd /var/lib/data
echo run >> runs
echo "%s" | tr -d '~'
echo "%s" | tr -d '~' > /dev/stdout
say() { echo "$1=$2" >> facts.new; }
flat() { tr '\\n' ' '; }
may() { "$@" 2>/dev/null >/dev/null && echo done || echo refused; }
options() { awk -v p="$1" '$5 == p { print $6 }' /proc/self/mountinfo; }
say id "$(id -u):$(id -g):$(id -G)"
say pid $$
say processes "$(ls /proc | grep -c '^[0-9]')"
say cap "$(grep ^Cap /proc/self/status | tr -d '\\t' | flat)"
say nnp "$(grep NoNewPrivs /proc/self/status | cut -f2)"
say seccomp "$(grep ^Seccomp: /proc/self/status | cut -f2)"
say setuid "$(cp /bin/busybox /tmp/suid; chmod 4755 /tmp/suid; ls -l /tmp/suid | cut -c1-4)"
say suid "$(/suid/id -u)"
say unshare "$(may unshare -U true) $(may unshare -n true)"
say calls "$(/suid/inside calls | tr ' \\n' '_ ')"
say userns "$(cat /proc/sys/user/max_user_namespaces)"
say umount "$(may umount /proc)"
say mount "$(may mount -t tmpfs tmpfs /tmp)"
say mknod "$(may mknod /tmp/node b 254 0)"
say chroot "$(may chroot / /bin/true)"
say sysctl "$(echo 1 2>/dev/null > /proc/sys/kernel/printk && echo written || echo refused)"
say sysrq "$(echo h 2>/dev/null > /proc/sysrq-trigger && echo written || echo refused)"
say readonly "$(awk '$6 ~ /^ro/ { print $5 }' /proc/self/mountinfo | sort | flat)"
say masked "$(awk '$5 ~ "^/(proc|sys)/" { print $5 }' /proc/self/mountinfo | sort | flat)"
say content "$(cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | head -c 1 | wc -c)"
say files "$(ls /sys/firmware /sys/kernel/security 2>/dev/null | grep . | grep -vc :)"
say dmesg "$(dmesg 2>/dev/null | wc -l)"
say dev "$(ls /dev | flat)"
say nodes "$(find /dev -type b | wc -l) $(find /dev -type c | grep -v '^/dev/pts' | wc -l)"
say host "$(hostname) $(cat /etc/hostname)"
say hosts "$(grep -c "$(hostname)" /etc/hosts)"
say dns "$(cat /etc/resolv.conf)"
say cgroup "$(cat /proc/self/cgroup)"
say volume "$(options /var/lib/data)"
say secrets "$(options /run/secrets/tls.key)"
say proc "$(options /proc)"
say shared "$(grep -c 'shared:' /proc/self/mountinfo)"
say run "$(ls /run | flat)"
say variables "$(tr '\\0' '\\n' < /proc/1/environ | cut -d= -f1 | sort | flat)"
say open "$(ls /proc/1/fd | sort -n | flat)"
say abstract "$(awk '$8 ~ /^@/ && ($4 == "00010000" || $5 == "0002") { print $8 }' /proc/net/unix | flat)"
say umask "$(umask)"
say cwd "$here"
say env "$DB_PASSWORD"
say file "$(stat -c '%%a %%u %%g' /run/secrets/tls.key) $(cat /run/secrets/tls.key)"
say path "$(stat -c '%%a %%u %%g' /etc/app/secret.conf) $(cat /etc/app/secret.conf)"
say write "$(echo x 2>/dev/null > /run/secrets/tls.key && echo written || echo refused)"
say home "$(echo x > /home/app/file && cat /home/app/file)"
say seed "$(cat seeded) $(stat -c '%%a %%u' .)"
say listen "$(netstat -ltun 2>/dev/null | awk 'NR > 2 { print $1 $4 }' | sort | flat)"
nc -l -p 80 </dev/null >/dev/null 2>&1 & p=$!
while kill -0 $p 2>/dev/null && ! netstat -ltn 2>/dev/null | grep -q ':80 '; do sleep 0.1; done
say port "$(netstat -ltn 2>/dev/null | grep -c ':80 ')"
kill $p 2>/dev/null
trap 'echo quit >> signals; exit 3' QUIT
mv facts.new facts
while [ ! -e exit ]; do sleep 0.2; done
code=$(cat exit)
[ -e again ] || rm -f exit
exit $code
""" % (torn(OUTPUT), torn(DIRECT))
DATA = "/var/lib/ccdm/volumes/0/"

# This unit puts the secrets where the boot puts those of a broker.
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
    shutil.copy(os.path.join(TOP, "build/tests/inside"), root + "/suid/inside")


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


STANDARD = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
MASKED = ("/proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/timer_list /sys/devices/virtual/misc /sys/firmware "
          "/sys/kernel/security")
READONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger /run/secrets/tls.key /sys /sys/fs/cgroup"
FREE = {"udp0.0.0.0:68", "udp10.0.2.15:68", "udp:::546"}    # the clients of DHCP


def sandbox(t, f):
    """Check what the workload found about itself."""
    def fact(cond, what, *keys):
        t.ok(cond, "sandbox: " + what, [(k, f.get(k)) for k in keys])
    fact(f["id"] == "%d:%d:%d %d" % (UID, GID, GID, GROUP), "user and groups of the image", "id")
    fact(f["pid"] == "1", "it is PID 1", "pid")
    fact(int(f["processes"]) < 8, "it sees no other processes", "processes")
    caps = dict(x.split(":") for x in f["cap"].split())
    fact({caps.pop(x) for x in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}, "a user without capabilities", "cap")
    fact(caps == {"CapBnd": "00000000a80425fb"}, "Docker's bounding set", "cap")
    fact(f["nnp"] == "1", "no new privileges", "nnp")
    fact(f["seccomp"] == "2", "a seccomp filter", "seccomp")
    fact(f["setuid"] == "-rws" and f["suid"] == str(UID), "setuid programs run as the user", "setuid", "suid")
    fact(f["mount"] == f["umount"] == "refused", "no mounts", "mount", "umount")
    fact(f["mknod"] == "refused", "no device nodes", "mknod")
    fact(f["chroot"] == "refused", "no change of the root", "chroot")
    fact(f["sysctl"] == f["sysrq"] == "refused", "no settings of the kernel", "sysctl", "sysrq")
    fact(set(READONLY.split()) <= set(f["readonly"].split()), "read-only where the kernel is", "readonly")
    fact(set(MASKED.split()) <= set(f["masked"].split()), "what shows the machine is masked", "masked")
    fact(f["content"] == f["files"] == f["dmesg"] == "0", "and is empty; no kernel log", "content", "files", "dmesg")
    fact(f["dev"].split() == STANDARD.split() and f["nodes"] == "0 6", "only the standard devices: no disk, no TPM", "dev", "nodes")
    fact(f["host"] == "workload workload" and f["hosts"] == "1", "its own host name", "host", "hosts")
    fact(f["cgroup"] == "0::/", "its own cgroup namespace", "cgroup")
    fact({"nosuid", "nodev"} <= set(f["volume"].split(",")), "a volume without setuid and devices", "volume")
    fact({"ro", "nosuid", "nodev", "noexec"} <= set(f["secrets"].split(",")), "secrets are read-only, and no programs", "secrets")
    fact({"nosuid", "nodev", "noexec"} <= set(f["proc"].split(",")), "/proc without programs", "proc")
    fact(f["shared"] == "0", "no mount is shared with the base", "shared")
    fact(f["run"].split() == ["secrets"], "nothing of the base's /run", "run")
    fact(f["variables"].split() == ["DB_PASSWORD", "HOME", "PATH", "TERM"], "the environment is the image's", "variables")
    fact(f["open"].split() == ["0", "1", "2", "3", "10"], "no file of the base is open (3 and 10 are the shell's own)", "open")
    fact(f["umask"] == "0022" and f["cwd"] == "/tmp", "umask and folder", "umask", "cwd")
    fact(f["home"] == "x" and f["seed"] == "seed 750 %d" % UID, "it writes to its root; the volume is the image's", "home", "seed")
    fact(f["port"] == "1", "it listens on port 80 without being root", "port")
    fact(set(f["listen"].split()) <= FREE, "nothing else listens", "listen")


REFUSED = {"unshare:user", "unshare:all", "setns", "clone:user", "clone:net", "clone3:user", "clone3:fork", "socket:vsock",
           "socket:vsock+high", "socket:alg", "socketcall:vsock", "socketcall:unix"}
ALLOWED = {"clone:fork", "thread", "socket:unix", "socket:inet", "socket:inet6", "netlink"}


def filtered(t, m, f):
    """The seccomp filter of an image that "build" made, and the second line behind it."""
    found = dict(x.split("_", 1) for x in f["calls"].split())
    done = {k for k, v in found.items() if v == "done"}
    t.ok(f["unshare"] == "refused refused", "filter: no user namespace, no other one", f["unshare"])
    t.ok(set(found) >= REFUSED | ALLOWED and done == ALLOWED,
         "filter: no namespaces, mounts, keys, no socket to the host; but forks, threads and the network's sockets", found)
    t.ok(f["userns"] == "0" and m.sh("cat /proc/sys/user/max_user_namespaces").strip() == "0", "no user namespaces at all", f["userns"])
    t.ok(not f["abstract"], "no abstract socket of the base can be reached", f["abstract"])
    t.ok(m.sh("stat -c '%u %a' /dev/null").strip() == "0 666", "the base's /dev/null is root's", m.sh("ls -l /dev/null"))


def namespaces(t, m):
    out = m.sh("p=$(head -n1 /sys/fs/cgroup/system.slice/ccdm-workload.service/workload/cgroup.procs); for n in cgroup ipc mnt net pid "
               "time user uts; do [ $(readlink /proc/$p/ns/$n) = $(readlink /proc/1/ns/$n) ] || echo $n; done")
    t.ok(out.split() == ["cgroup", "ipc", "mnt", "pid", "uts"], "sandbox: namespaces of its own; the network is the machine's", out)


def secrets(t, f):
    t.ok(f["env"] == SECRET["db"], "a secret in the environment", f["env"])
    t.ok(f["file"] == "400 %d %d %s" % (UID, GID, SECRET["tls.key"]), "a secret as a file, of the user alone", f["file"])
    t.ok(f["path"] == "440 %d %d %s" % (UID, GID, SECRET["app"]), "a secret at a path, with its mode", f["path"])
    t.ok(f["write"] == "refused", "it cannot change a secret")


def unseen(t, m, path):
    """Output and secrets are in the right places only."""
    out = m.sh("journalctl -b -o cat -t workload")
    t.ok(OUTPUT in out and DIRECT in out, "its output is in the journal, by /dev/stdout, too", out)
    t.ok(m.sh("findmnt -no FSTYPE /run/ccdm/workload; ls /run/credstore | wc -l").split() == ["ramfs", "0"],
         "secrets are in a ramfs, and no longer in the credential store")
    m.sh("sync; dmsetup message ccdm-root 0 sync")
    image = t.disk(0, os.path.basename(path))
    for text in [OUTPUT, DIRECT] + list(SECRET.values()):
        t.ok(text not in m.log() and not image.contains(text.encode()), text[:-len(MARK) - 1] + ": neither on the console nor on the disk")


SETTINGS = """product: web
svn: 7
secrets:
  tls.key: default/web/tls-key
  db: {from: default/web/db, env: DB_PASSWORD}
  app: {from: default/web/conf, path: /etc/app/secret.conf, mode: "0440"}
run: {stop_timeout: 20}
ports: [80, 8443]
"""
PATHS = {"tls.key": "tls-key", "db": "db", "app": "conf"}
IMAGE = {"Entrypoint": ["/bin/sh"], "Cmd": ["/app.sh"], "User": "app", "Env": ["PATH=/bin", "DB_PASSWORD=none"], "WorkingDir": "/tmp",
         "Volumes": {"/var/lib/data": {}}, "StopSignal": "SIGQUIT"}
LEFT = "grep -rlE 'SECRET-(AS|IN|AT)' /run --exclude-dir=journal --exclude-dir=log | sort; true"


def wiped(t, m):
    """Tamper with another mapping, which does not halt the machine: ccdm-monitor wipes every copy of a secret in files."""
    t.ok(m.sh("systemctl is-active ccdm-monitor.service", check=False)[1].strip() == "active", "ccdm-monitor listens")
    before = m.sh(LEFT).split()
    t.ok(len(before) >= 3 and "/run/ccdm/workload/config.json" in before, "before tamper there are copies of the secrets", before)
    m.sh("modprobe loop; truncate -s 64M /root/other; d=$(losetup -f --show /root/other); ccdm-setup open --yes --on-tamper eio $d other; "
         "dd if=/dev/urandom of=/dev/mapper/other bs=1M count=4 oflag=direct status=none; dmsetup message other 0 sync; "
         "dmsetup message other 0 drop; dd if=/dev/urandom of=$d bs=4096 seek=7 count=1 oflag=direct conv=notrunc status=none; "
         "! dd if=/dev/mapper/other of=/dev/null bs=4096 skip=7 count=1 iflag=direct 2>/dev/null")
    m.sh("for i in $(seq 600); do [ -e /run/ccdm/workload/config.json ] || break; sleep 0.1; done", timeout=120)
    after = m.sh(LEFT).split()
    t.ok(not after, "after tamper there is none", (after, m.sh("systemctl status ccdm-monitor.service", check=False)[1]))
    out = m.sh("p=$(head -n1 /sys/fs/cgroup/system.slice/ccdm-workload.service/workload/cgroup.procs); "
               "cat /proc/$p/root/run/secrets/tls.key /proc/$p/root/etc/app/secret.conf | wc -c")
    t.ok(out.strip() == "0", "the container finds its secrets empty", out)


def runs(t):
    """The short form: one boot of a disk that ccdm-image made, which gets its secrets from a broker."""
    tpm = os.path.join(t.dir, "tpm-of-the-machine")
    with Broker(os.path.join(t.dir, "broker")) as b:
        b.know(Maker(os.path.join(t.dir, "maker")).known(tpm))
        b.reload()
        for name, text in SECRET.items():
            b.secret("default/web/" + PATHS[name], text.encode())
        image = W.layout(t, "web", [W.root(t, "web", SCRIPT, setup=seeded, volumes=["/var/lib/data"]) + "/rootfs"], IMAGE)
        path = W.build(t, "web", image, W.base(t), SETTINGS, "--broker", b.url, "--ca", b.ca, "--platform", "tpm",
                       "--signing-key", W.key(t, "builder.pem"))
        b.admin("policy", "add", path[:-4] + ".policy.yaml")
        with t.boot([path], title="runs", tpm=tpm, args=NET) as m:
            if not t.ok(m.outcome == "up", "it boots (%s)" % m.outcome, m.log()[-3000:]):
                return
            said = json.loads(m.sh("cat /run/ccdm/boot.json"))
            t.ok(said["attested"]["result"] == "accepted" and sorted(said["attested"]["secrets"]) == sorted(SECRET),
                 "the broker accepts it by its manifest", said["attested"])
            f = facts(m)
            sandbox(t, f)
            filtered(t, m, f)
            namespaces(t, m)
            secrets(t, f)
            unseen(t, m, path)
            base(t, m, f)
            measured.booted(t, m, path)
            wiped(t, m)
            m.ask("systemctl stop ccdm-workload.service")
            ended(t, m, "its stop signal", "off", ["exit 3"])
            t.ok("CCDM-E" not in m.log(), "without an error", m.log()[-2000:])


def base(t, m, f):
    """What the base does for the workload."""
    t.ok(f["dns"] == "nameserver 10.0.2.3", "it has the network's name server", f["dns"])
    t.ok(m.sh("systemctl is-system-running --wait || systemctl --failed").strip() == "running",
         "no unit has failed", m.sh("systemctl --failed; journalctl -b -p warning --no-pager | tail -n 40"))
    rules = m.sh("nft list ruleset")
    t.ok("policy drop" in rules and "8443" in rules, "other ports are closed", rules)
    groups = m.sh("cd /sys/fs/cgroup/system.slice/ccdm-workload.service; for g in supervisor workload; do "
                  "for p in $(cat $g/cgroup.procs); do echo $g $(cat /proc/$p/comm 2>/dev/null); done; done").splitlines()
    t.ok("supervisor crun" in groups and "workload sh" in groups and "workload crun" not in groups,
         "crun and the container have cgroups of their own", groups)


# ---- the long form -------------------------------------------------------------------


def up(t, m, what):
    return t.ok(m.outcome == "up", "%s: it boots (%s)" % (what, m.outcome), m.log()[-3000:])


def again(m, times):
    """Waits for this run of the workload."""
    m.sh("until [ $(grep -c run %sruns) -ge %d ]; do sleep 0.2; done" % (DATA, times), timeout=120)


def restarts(t):
    """A workload that fails starts again, as it was; without a network of its own, and silent."""
    img, says = workload(t, "again", restart={"when": "failure", "delay": 1, "most": 2}, network="none", logs="none",
                         secrets=SECRETS[:1])
    path = disk(t, "again.disk", img, says, OVERLAY=credentials(t, ["tls.key"]))
    with t.boot([path], title="restarts", args=NET) as m:
        if up(t, m, "restart"):
            facts(m)
            t.ok(m.sh("ip -o link show up | grep -v ': lo:'; true") == "" and
                 "masked" in m.sh("systemctl show -p LoadState systemd-networkd.service"), "network: none: no interface is up",
                 m.sh("ip a"))
            t.ok(OUTPUT not in m.sh("journalctl -b -o cat"), "logs: none: its output is nowhere")
            m.sh("kill -9 $(head -n1 /sys/fs/cgroup/system.slice/ccdm-workload.service/workload/cgroup.procs)")
            again(m, 2)
            t.ok(m.sh("cat /run/ccdm/workload/rootfs/home/app/file; ls /run/ccdm/workload/secrets").split() == ["x", "tls.key"],
                 "it starts again, with its files and its secrets")
            m.sh("echo 0 > %sexit" % DATA)
            ended(t, m, "exit 0 after a restart", "off", ["exit 137", "exit 0"])
    with t.boot([path], title="too many") as m:
        if up(t, m, "most"):
            m.ask("touch %sagain; echo 4 > %sexit" % (DATA, DATA))
            ended(t, m, "it fails too often", "off", ["exit 4"] * 3)


def reboots(t):
    """on_exit: reboot; output on the console, because the image says so; a static network."""
    img, says = workload(t, "reboot", on_exit="reboot", logs="console",
                         network={"address": "10.0.2.77/24", "gateway": "10.0.2.2", "dns": ["10.0.2.3"]})
    with t.boot([disk(t, "reboot.disk", img, says)], title="reboots", args=NET) as m:
        if up(t, m, "reboot"):
            f = facts(m)
            t.ok("10.0.2.77/24" in m.sh("ip -4 -o a") and f["dns"] == "nameserver 10.0.2.3", "a static network", m.sh("ip a") + f["dns"])
            t.ok(f["env"] == "none", "no secrets: the environment of the image")
            m.sh("echo 0 > %sexit" % DATA)
            ended(t, m, "reboot", "reset", ["exit 0"])
            t.ok(OUTPUT in m.log(), "logs: console: its output is there")


def health(t):
    """A workload that is sick starts again; or the machine powers off."""
    # (the test searches the journal for the text, so the check leaves out the ~)
    check = {"test": ["CMD-SHELL", "echo FORGED~ENTRY | tr -d '~' >&2; (readlink /proc/self/fd/2; "
                      "grep -E '^(Seccomp|NoNewPrivs|CapBnd):' /proc/self/status | cut -f2) >/var/lib/data/stderr; "
                      "[ ! -e /var/lib/data/sick ] || sleep 60"], "interval": 1, "timeout": 3, "retries": 2}
    img, says = workload(t, "sick", health=dict(check, action="restart"))
    with t.boot([disk(t, "sick.disk", img, says)], title="health") as m:
        if up(t, m, "health"):
            facts(m)
            state = "until grep -q '\"%s\"' /run/ccdm/health.json; do sleep 0.2; done"
            m.sh(state % "healthy", timeout=60)
            found = m.sh("cat %sstderr; journalctl -b -o cat | grep -c FORGEDENTRY; true" % DATA).split()
            t.ok(found == ["/dev/null", "00000000a80425fb", "1", "2", "0"], "a check is in the sandbox, and has no socket of the journal",
                 found)
            m.sh("touch %ssick" % DATA)
            again(m, 2)
            m.sh("rm %ssick" % DATA)
            m.sh(state % "healthy", timeout=120)
            t.ok(m.sh("pgrep -cx sleep; true").strip() in ("0", "1"), "no check is left over", m.sh("ps axf"))
            t.ok(m.sh("systemctl is-active ccdm-workload.service").strip() == "active", "it was sick, started again, and is healthy")
            m.ask("systemctl stop ccdm-workload.service")
            t.ok(m.ended(120) == "off", "health: the machine ends", m.log()[-2000:])
            t.ok(m.code()[0] == "CCDM-E-WORK-12" and "started again" in m.log(), "CCDM-E-WORK-12 says so", m.code())
    img, says = workload(t, "off", health=dict(check, action="poweroff"))
    with t.boot([disk(t, "off.disk", img, says)], title="health off") as m:
        if up(t, m, "health: poweroff"):
            facts(m)
            m.ask("touch %ssick" % DATA)
            t.ok(m.ended(120) == "off" and m.code()[0] == "CCDM-E-WORK-12", "a sick workload ends the machine", m.log()[-2000:])


def tampered(t):
    """One byte of the workload's partition."""
    mark = b"A-BLOCK-OF-THE-WORKLOAD-THAT-THE-HOST-CHANGES"
    img, says = workload(t, "byte", files={"rootfs/big": mark * 50000})
    path = disk(t, "byte.disk", img, says)
    start, size = part(path, 4)
    with open(path, "r+b") as f:
        f.seek(start)
        at = f.read(size).rfind(mark * 100)
        f.seek(start + at + 50)
        f.write(b"x")
    with t.boot([path], title="tampered") as m:
        if up(t, m, "a changed byte that nothing reads"):
            m.ask("cat /run/ccdm/workload.ro/rootfs/big > /dev/null")
            t.ok(m.ended(120) == "panic", "a changed byte of the workload: the machine halts when it reads it", m.log()[-2000:])


def bare(t, future=False):
    """A partition of 64 blocks without a file system, or with one that has an unknown feature. Return: the image, and
    its settings for ccdm.conf."""
    img, size = os.path.join(t.dir, "bare.img"), 4096 * 64
    with open(img, "wb") as f:
        f.truncate(size)
    if future:
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-O", "^has_journal,^metadata_csum", img, "64"], check=True)
        with open(img, "r+b") as f:
            f.seek(1024 + 0x60)         # s_feature_incompat
            flags = int.from_bytes(f.read(4), "little") | 0x40000000
            f.seek(1024 + 0x60)
            f.write(flags.to_bytes(4, "little"))
    out = subprocess.run(["veritysetup", "format", "--no-superblock", "--hash-offset", str(size), img, img], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    said = dict(x.split(":", 1) for x in out.splitlines() if ":" in x)
    return {"image": img, "workload_roothash": said["Root hash"].strip(), "workload_salt": said["Salt"].strip(),
            "workload_data_blocks": "64", "workload_hash_start": "64"}


def no_root(root):
    """A file in the place of the container's root."""
    shutil.rmtree(root)
    with open(root, "w") as f:
        f.write("no folder")


def refused(t):
    """Each code of a workload that cannot run."""
    img, says = workload(t, "bad")

    def fail(what, code, text, image=img, ran=False, env=None, **changes):
        path = disk(t, "bad.disk", image, dict(says, **changes), **env or {})
        fails(t, what, code, text, [path], ran=ran)
    fail("another partition", "CCDM-E-WORK-01", "PARTUUID=", workload_device="PARTUUID=55555555-5555-4555-8555-555555555555",
         boot_timeout="20")
    twin = add_part(os.path.join(t.dir, "twin.disk"), 40, GPT_SWAP, uuid=UUID)
    fails(t, "the partition twice", "CCDM-E-WORK-02", "found 2", [disk(t, "copy.disk", img, says), twin])
    fail("another root hash", "CCDM-E-WORK-03", "root hash", workload_roothash="00" * 32)
    fail("more blocks than the partition has", "CCDM-E-WORK-04", "at least", workload_data_blocks="100000", workload_hash_start="100000")
    fail("no file system", "CCDM-E-WORK-05", "expected ext4", **bare(t))
    fail("a file system with an unknown feature", "CCDM-E-WORK-06", "", **bare(t, future=True))
    other, words = workload(t, "json", on_exit="halt")
    fail("an invalid value in workload.json", "CCDM-E-WORK-07", "on_exit", image=other, **words)
    base = tiny_base(t, {"usr/lib/x": ""}, **says)
    path = os.path.join(t.dir, "bad.disk")
    make_disk(t.kernel, path, WORKLOAD=img, **base)
    fails(t, "a base without crun", "CCDM-E-WORK-08", "which runs the workload", [path])
    other, words = partition(t, "rootless", SCRIPT, setup=no_root)
    fail("a root that is no folder", "CCDM-E-WORK-09", "", image=other, ran=True, **words)
    other, words = workload(t, "keyless", secrets=SECRETS)
    fail("a secret that is missing", "CCDM-E-WORK-10", "tls.key", image=other, ran=True, **words)

    def gone(spec):
        spec["process"]["args"] = ["/nosuch"]
    other, words = partition(t, "gone", SCRIPT, config=gone)
    with t.boot([disk(t, "bad.disk", other, dict(says, **words))], title="no program") as m:
        t.ok(m.outcome in ("up", "off") and (m.outcome == "off" or m.ended(120) == "off"), "no program: the machine ends", m.log()[-2000:])
        t.ok(m.code()[0] == "CCDM-E-WORK-11" and "/nosuch" in m.code()[1], "no program: CCDM-E-WORK-11, with crun's reason", m.code())


def large(t):
    """A container image of 1.2 GB in a machine with 1 GiB of memory."""
    def fill(root):
        os.makedirs(root + "/data")
        for i in range(1200):
            with open("%s/data/%04d" % (root, i), "wb") as f:
                f.write(os.urandom(1 << 16) * (16 if i else 3200))
    script = "cat /data/* | wc -c > /var/lib/data/size\necho x >> /data/0000\nwc -c < /data/0000 > /var/lib/data/changed\n" \
        "mv /var/lib/data/changed /var/lib/data/facts\ntrap 'exit 0' TERM\nsleep 1000000 & wait\n"
    root = W.root(t, "large", script, setup=fill, volumes=["/var/lib/data"])
    image = W.layout(t, "large", [root + "/rootfs"], dict(IMAGE, StopSignal="SIGTERM", User=""))
    shutil.rmtree(root)
    path = W.build(t, "large", image, W.base(t), "network: none\n", size="5G")
    shutil.rmtree(image)
    with t.boot([path], title="large", mem=1024) as m:
        if up(t, m, "an image of 1.2 GB, 1 GiB of memory"):
            m.sh("until [ -e %sfacts ]; do sleep 1; done" % DATA, timeout=600)
            big = 3200 << 16
            t.ok(m.sh("cat %ssize %sfacts" % (DATA, DATA)).split() == [str(1199 * (1 << 20) + big), str(big + 2)],
                 "the workload reads all of it, and changes a file of 200 MB")
            t.ok("oom" not in m.sh("dmesg").lower(), "no process ran out of memory")
            m.ask("systemctl stop ccdm-workload.service")
            ended(t, m, "a large image", "off", ["exit 0"])
    os.unlink(path)


def run(t):
    runs(t)
    if t.full:
        for each in (restarts, reboots, health, tampered, refused, large):
            each(t)
