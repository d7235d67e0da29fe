# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""A stock Debian boots on a ccdm root. The host sees only ciphertext, and its input is ignored. The next boot
has a new root, and halts when the host changes its disk."""
import json

from boot import MASKED, RAN, SAID, flip, smbios_words, tampered

MARK = "CCDM-WRITTEN-BY-THE-RUNNING-SYSTEM-"


def first_boot(t, m, disk):
    t.ok(m.sh("findmnt -no SOURCE,FSTYPE,OPTIONS /").split()[:2] == ["/dev/mapper/ccdm-root", "ext4"],
         "/ is /dev/mapper/ccdm-root")
    t.ok(m.sh("systemctl is-system-running --wait || systemctl --failed").strip() == "running",
         "no unit has failed", m.sh("systemctl --failed; journalctl -b -p warning --no-pager | tail -n 40"))
    report = json.loads(m.sh("cat /run/ccdm/boot.json"))
    t.ok(set(report) == {"measured", "base", "root", "system", "capped"}, "boot.json tells of every step", str(report))
    t.ok(json.loads(m.sh("ccdm-setup status --json"))["state"] == "active", "status shows the root")
    size = int(m.sh("blockdev --getsize64 /dev/mapper/ccdm-root"))
    fs = int(m.sh("stat -fc '%b %S' /").split()[0]) * 4096
    t.ok(fs > size * 0.9, "the file system has grown to the scratch: %d of %d MiB" % (fs >> 20, size >> 20))
    tree = json.loads(m.sh("lsblk --json -o NAME,TYPE,MOUNTPOINTS"))["blockdevices"]
    names = json.dumps(tree)
    t.ok("ccdm-root" in names and "ccdm-base" in names, "lsblk shows root and base")
    t.ok("Finished" in m.sh("journalctl -b -u ccdm-root.service --no-pager -o cat"), "the journal has the initrd's steps")
    t.ok("(initrd)" in m.sh("systemd-analyze time") and
         "multi-user.target" in m.sh("systemd-analyze critical-chain multi-user.target"), "systemd-analyze works")
    t.ok(m.sh("ccdm-setup measure --check").count("PCR 15") >= 1, "the log replays to what the TPM holds")
    m.sh("for i in $(seq 2000); do echo %s$i; done > /root/mark; sync; dmsetup message ccdm-root 0 sync" % MARK)
    t.ok(not disk.contains(MARK.encode()), "written data is nowhere on the disk in clear")


def closed(t, m):
    """Everything is closed, and stays closed."""
    t.ok(m.sh("cat /proc/sys/kernel/kexec_load_disabled /proc/sys/kernel/sysrq").split() == ["1", "0"],
         "no kexec, no SysRq")
    # kexec_file_load without a file: it would return EBADF (9) if the kernel looked at the file
    t.ok(m.sh("python3 -c 'import ctypes; c = ctypes.CDLL(None, use_errno=True); c.syscall(320, -1, -1, 0, None, 0); "
              "print(ctypes.get_errno())'").strip() == "1", "root asks for another kernel: EPERM")
    t.ok("masked" in m.sh("systemctl show -p LoadState serial-getty@ttyS0.service"), "no login on the console")
    agents = m.sh("systemctl show -p LoadState --value qemu-guest-agent.service cloud-init-local.service cloud-init-main.service "
                  "walinuxagent.service google-guest-agent.service").split()
    t.ok(agents == ["masked"] * 5, "no agents of hypervisors and clouds", agents)
    t.ok("poweroff-force" in m.sh("systemctl cat emergency.service"), "no emergency shell")
    t.ok(m.sh("pgrep -a getty; true") == "", "no getty runs")
    for name in MASKED:
        path = "/run/systemd/system-generators/systemd-%s-generator" % name
        t.ok(m.sh("readlink %s; true" % path).strip() == "/dev/null", path + " masks systemd's")
    masked = m.sh("systemctl show -p LoadState --value factory-reset-now.target systemd-pstore.service").split()
    t.ok(masked == ["masked"] * 2, "no factory reset at the word of a firmware variable, no pstore", masked)
    t.ok(m.sh("modprobe efi_pstore 2>/dev/null; test -d /sys/module/efi_pstore || echo none").strip() == "none" and
         m.sh("ls /sys/fs/pstore; true") == "", "what a panic saw goes to no variable of the firmware's")
    t.ok(m.sh("cd /run/udev/rules.d && readlink 64-btrfs.rules 64-md-raid-assembly.rules 69-lvm.rules").split() ==
         ["/dev/null"] * 3, "udev joins no disks of the host: btrfs, md, LVM")
    ready = m.sh("for d in /sys/class/block/vd*; do udevadm info -q property $d | "
                 "grep -qx 'ID_PART_ENTRY_TYPE=c12a7328.*' || udevadm info -q property $d; done").splitlines()
    t.ok(ready.count("SYSTEMD_READY=0") == sum(x.startswith("DEVNAME=") for x in ready) > 2,
         "for systemd the host's disks are never ready")


def run(t):
    path = t.image()
    disk = t.disk(0, "image.img")
    with t.boot([path], args=smbios_words()) as m:
        if not t.ok(m.outcome == "up", "it boots (%s)" % m.outcome, m.log()[-3000:]):
            return
        t.ok(SAID not in m.log() and m.sh(RAN + "; true") == "", "no unit and no file that the host hands over by SMBIOS")
        first_boot(t, m, disk)
        closed(t, m)
        first = m.sh("cat /etc/machine-id").strip()
        t.ok(len(first) == 32, "it has a machine-id")
        began = m.sh("systemctl show --timestamp=us+utc -P UserspaceTimestamp").strip()
        t.ok(m.sh("find /etc/machine-id ! -newermt '%s'" % began).strip() == "/etc/machine-id",
             "made before systemd began (%s)" % began, m.sh("ls -l --full-time /etc/machine-id"))
        m.ask("systemctl poweroff")
        t.ok(m.ended(120) == "off", "it shuts down", m.log()[-2000:])
        t.ok("tamper" not in m.log() and "CCDM-E" not in m.log(), "without a word of ccdm", m.log()[-2000:])
    with t.boot([path]) as m:
        if not t.ok(m.outcome == "up", "the same disk boots again (%s)" % m.outcome, m.log()[-3000:]):
            return
        t.ok(m.sh("ls /root/mark 2>&1; true").startswith("ls: cannot"), "and has nothing of the first boot")
        t.ok(m.sh("cat /etc/machine-id").strip() != first, "and is another machine")
        if t.full:
            m.ask("systemctl reboot")
            t.ok(m.ended(120) == "reset", "it reboots", m.log()[-2000:])
            return
        tampered(t, m, "flipped bits", flip, path)
