# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""A workload runs in its sandbox, with the settings of its partition. The VM ends with it. The host sees no output and no secret."""
import hashlib
import json
import os
import shutil
import subprocess

from boot import GPT_SWAP, add_part, attest_disk, cmdline, conf, fails, make_disk, part, parts, tiny_base, tree
from broker import Broker
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
    """Check what the workload found about itself."""
    t.ok(f["id"] == "%d:%d:%d %d" % (UID, GID, GID, GROUP), "user and groups of the image", f["id"])
    t.ok(f["pid"] == "1" and int(f["processes"]) < 8, "it is PID 1, and sees no other processes", (f["pid"], f["processes"]))
    t.ok("CapEff:0000000000000000" in f["cap"] and "CapBnd:00000000a80425fb" in f["cap"],
         "no effective capabilities; Docker's bounding set", f["cap"])
    t.ok(f["nnp"] == "1" and f["seccomp"] == "2", "no new privileges, a seccomp filter", f)
    t.ok(f["suid"] == str(UID), "a setuid program of the image runs as the user", f["suid"])
    t.ok(f["umount"] == "refused" and f["mknod"] == "refused", "no mounts, no devices", f)
    t.ok(f["sysctl"] == "refused" and f["sysrq"] == "refused", "/proc is read-only where it matters", f)
    t.ok(f["firmware"] == "0" and f["tpm"] == "0" and f["kcore"] == "0", "no firmware, no TPM's log, no memory of the kernel", f)
    t.ok(f["dev"].split() == "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split(),
         "/dev has only the standard devices", f["dev"])
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
    """Output and secrets are in the right places only."""
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


# ---- the long form -------------------------------------------------------------------

NET = ["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile="]


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
    check = {"test": ["CMD-SHELL", "[ ! -e /var/lib/data/sick ] || sleep 60"], "interval": 1, "timeout": 3, "retries": 2}
    img, says = workload(t, "sick", health=dict(check, action="restart"))
    with t.boot([disk(t, "sick.disk", img, says)], title="health") as m:
        if up(t, m, "health"):
            facts(m)
            state = "until grep -q '\"%s\"' /run/ccdm/health.json; do sleep 0.2; done"
            m.sh(state % "healthy", timeout=60)
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
        path = disk(t, "bad.disk", image, dict(says, boot_timeout="5", **changes), **env or {})
        fails(t, what, code, text, [path], ran=ran)
    fail("another partition", "CCDM-E-WORK-01", "PARTUUID=", workload_device="PARTUUID=55555555-5555-4555-8555-555555555555")
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


def grows(t):
    """A disk that is larger than the image, and a scratch that is a disk."""
    path = t.image(name="grow.disk")
    table = subprocess.run(["sfdisk", "--dump", path], stdout=subprocess.PIPE, check=True).stdout
    with open(path, "ab") as f:
        f.truncate(os.path.getsize(path) + (1 << 30))
    with t.boot([path], title="grow") as m:
        if up(t, m, "a larger disk"):
            sizes = [int(x) for x in m.sh("blockdev --getsize64 /dev/vda /dev/vda4 /dev/mapper/ccdm-root").split()]
            t.ok(sizes[1] > 2 * 1020 * (1 << 20) and sizes[2] > 0.9 * sizes[1], "the scratch and the root have grown", sizes)
            m.sh("head -c 1200M /dev/zero > /root/much; sync; rm /root/much")
    after = subprocess.run(["sfdisk", "--dump", path], stdout=subprocess.PIPE, check=True, stderr=subprocess.DEVNULL).stdout
    t.ok(table == after, "the partition table is the image's", after)
    add_part(path, 16, GPT_SWAP)
    with t.boot([path], title="followed") as m:
        if up(t, m, "a partition behind the scratch"):
            size = int(m.sh("blockdev --getsize64 /dev/vda4"))
            t.ok(size < 1100 * (1 << 20), "a scratch that is not last stays as it is", size)
    path = t.image(name="blank.disk", SCRATCH="0", CONF=conf(t, root_device="blank", boot_timeout="20"))
    disks = []
    for name in ("one", "two", "used", "three"):
        disks.append(os.path.join(t.dir, name + ".scratch"))
        with open(disks[-1], "wb") as f:
            f.truncate(1 << 30)
    subprocess.run(["mkfs.ext4", "-q", disks[2]], check=True)
    with t.boot([path, disks[2], disks[0]], title="blank") as m:
        if up(t, m, "one blank disk"):
            t.ok(json.loads(m.sh("cat /run/ccdm/boot.json"))["root"]["device"] == "/dev/vdc", "the blank disk is the scratch")
    fails(t, "two blank disks", "CCDM-E-ROOT-02", "found 2", [path, disks[1], disks[3]])
    fails(t, "no blank disk", "CCDM-E-ROOT-01", "found 0", [path, disks[2]])


def direct(t):
    """QEMU gives OVMF a kernel and an initrd: OVMF adds a word to the command line. A UKI gets none."""
    folder = parts(t.kernel)
    args = ["-kernel", folder + "/vmlinuz", "-initrd", folder + "/initrd-ccdm", "-append", cmdline(t)]
    with t.boot([t.image(name="direct.disk")], title="direct", args=args) as m:
        if up(t, m, "a direct boot"):
            t.ok(m.sh("cat /proc/cmdline").split()[-1] == "initrd=initrd", "OVMF's word is at the end")
    args[-1] += " initrd=initrd"
    fails(t, "the word twice", "CCDM-E-FENCE-01", "initrd=initrd", [t.image(name="direct.disk")], args=args)
    fails(t, "the word with a stub", "CCDM-E-FENCE-01", "initrd=initrd", [t.image(name="stub.disk", CMDLINE=cmdline(t) + " initrd=initrd")])


POLICY = """name: web
secrets: default/web/*
require:
  tee: tpm
  binding: tpm-only
  phase: initrd
  identity: any
  event: {register: pcr15, name: ccdm-workload, digest: %s}
"""


def attested(t):
    """The secrets come from a broker; a partition of noise is no manifest."""
    noise = os.path.join(t.dir, "noise")
    with open(noise, "wb") as f:
        f.write(os.urandom(65536))
    img, says = workload(t, "asks", secrets=SECRETS)
    event = "ccdm-workload:1 4096 4096 %s %s sha256 %s %s 1 panic_on_corruption" % tuple(
        says["workload_" + x] for x in ("data_blocks", "hash_start", "roothash", "salt"))
    with Broker(os.path.join(t.dir, "broker")) as b:
        for name, text in SECRET.items():
            b.secret("default/web/" + name, text.encode())
        b.policy(POLICY % hashlib.sha256(event.encode()).hexdigest())
        boot = dict(tpm=os.path.join(t.dir, "tpm-of-the-machine"), args=NET)
        path = attest_disk(t, b, os.path.join(t.dir, "learn.disk"), attest_attest="optional")
        with t.boot([path], title="learn", **boot) as m:
            if not up(t, m, "no workload, no secrets"):
                return
            b.trust_tpm(json.loads(m.sh("ccdm-setup evidence --nonce any")))
        changes = dict(says, **{"secrets_" + name: "default/web/" + name for name in SECRET})
        path = attest_disk(t, b, os.path.join(t.dir, "asks.disk"), base={"WORKLOAD": img, "MANIFEST": noise},
                           **dict(changes, **{"secrets_web.key": None}))
        with t.boot([path], title="attested", **boot) as m:
            if up(t, m, "a broker that wants this workload"):
                f = facts(m)
                secrets(t, f)
                unseen(t, m, path)
                said = json.loads(m.sh("cat /run/ccdm/boot.json"))["manifest"]
                t.ok(not said["sent"] and "expected a JWS" in said["why"], "noise is no manifest, and is named", said)


def run(t):
    runs(t)
    if t.full:
        for each in (restarts, reboots, health, tampered, refused, grows, direct, attested):
            each(t)
