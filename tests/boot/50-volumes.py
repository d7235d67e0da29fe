# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# forms: long
"""/etc/ccdmtab: volumes and swap in the initrd, after it and across a soft reboot; and errors in it."""
import os
import subprocess

from boot import add_part

EARLY = "55555555-5555-4555-8555-555555555555"
DATA = "66666666-6666-4666-8666-666666666666"
SWAP = "77777777-7777-4777-8777-777777777777"
LATE = "88888888-8888-4888-8888-888888888888"
KIND = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"   # Linux data

TAB = """# name device options
ccdm-early PARTUUID=%s x-initrd.attach,mkfs=ext4
ccdm-data PARTUUID=%s mkfs=ext4,cipher=aes-gcm,cache-size=4M
ccdm-swap PARTUUID=%s swap
ccdm-late PARTUUID=%s noauto,mkfs=ext4
ccdm-gone PARTUUID=99999999-9999-4999-8999-999999999999 nofail
""" % (EARLY, DATA, SWAP, LATE)


def shown(m, name):
    return m.sh("dmsetup table %s 2>/dev/null; true" % name)


def up(t, m, when):
    """Everything that ccdmtab asks for is there."""
    t.ok(m.sh("findmnt -no SOURCE /srv; true").strip() == "/dev/mapper/ccdm-data", when + ": a volume is mounted")
    t.ok("cipher:aes-gcm" in shown(m, "ccdm-data"), when + ": with its options")
    t.ok(m.sh("swapon --noheadings --show=NAME,SIZE; true").startswith("/dev/dm-"), when + ": swap is used")
    t.ok(shown(m, "ccdm-late") == "", when + ": noauto is not opened")


def host_disks(t, m):
    """fstab and disks of the host: the ESP may be mounted if configured, nothing else."""
    m.sh("mkdir -p /efi /data; echo \"PARTUUID=$(blkid -o value -s PARTUUID /dev/vda1) /efi vfat noauto,x-ccdm.esp 0 0\n"
         "LABEL=data /data ext4 noauto,x-systemd.device-timeout=3 0 0\" >> /etc/fstab; systemctl daemon-reload")
    t.ok("BOOTX64.EFI" in m.sh("systemctl start efi.mount && ls /efi/EFI/BOOT"), "the ESP is mounted where fstab asks for it")
    m.sh("systemctl stop efi.mount")
    rc, out = m.sh("systemctl start data.mount", check=False)
    t.ok(rc and m.sh("findmnt /data; true") == "", "a disk of the host is not (%s)" % out.strip())
    rc, out = m.sh("systemctl reset-failed; mount /dev/vdc /data && umount /data", check=False)
    t.ok(not rc, "root can mount other devices by hand", out)


def run(t):
    second = os.path.join(t.dir, "second.img")
    for uuid in (EARLY, DATA, SWAP, LATE):
        add_part(second, 128, KIND, uuid=uuid)
    third = os.path.join(t.dir, "third.img")
    subprocess.run(["mkfs.ext4", "-q", "-L", "data", third, "64M"], check=True)
    with t.boot([t.image(INITRD="tab"), second, third]) as m:
        if not t.ok(m.outcome == "up", "it boots with a ccdmtab in the initrd (%s)" % m.outcome, m.log()[-3000:]):
            return
        t.ok("ccdm 1" in shown(m, "ccdm-early"), "the initrd has opened its volume")
        t.ok(m.sh("blkid -o value -s TYPE /dev/mapper/ccdm-early").strip() == "ext4", "and made a file system")
        m.sh("cat > /etc/ccdmtab <<'E'\n%sE\necho '/dev/mapper/ccdm-data /srv ext4 defaults 0 0\n"
             "/dev/mapper/ccdm-late /mnt ext4 noauto 0 0' > /etc/fstab; systemctl daemon-reload" % TAB)
        m.sh("systemctl start local-fs.target swap.target")
        up(t, m, "after a reload")
        m.sh("systemctl start mnt.mount")
        t.ok(m.sh("findmnt -no SOURCE /mnt; true").strip() == "/dev/mapper/ccdm-late", "who mounts it has it opened")
        m.sh("echo here > /srv/file; echo root > /root/file")
        if t.debian != "bookworm":      # systemd 254
            m.ask("systemctl soft-reboot")
            t.ok(m.wait_up() == "up", "a soft reboot comes up again (%s)" % m.outcome, m.log()[-3000:])
            up(t, m, "after a soft reboot")
            t.ok(m.sh("ls /srv/file 2>/dev/null; true") == "", "the volume is a new one")
            t.ok(m.sh("cat /root/file; true").strip() == "root", "the root is the same")
            m.sh("systemctl is-system-running --wait; true")
            failed = m.sh("systemctl --failed --plain --no-legend | awk '{print $1}'").split()
            t.ok(failed == ["ccdm-attach@ccdm-gone.service"], "nothing has failed but what is not there", failed)
        host_disks(t, m)
        m.sh("echo 'ccdm-x /dev/vdb colour=red' > /etc/ccdmtab")
        rc, out = m.sh("ccdm-setup attach ccdm-x 2>&1", check=False)
        t.ok(rc and "/etc/ccdmtab:1:17" in out and "colour" in out, "an unknown option is named, with line and column (%s)" % out.strip())
        m.sh("echo 'data /dev/vdb' > /etc/ccdmtab")
        rc, out = m.sh("ccdm-setup attach data 2>&1", check=False)
        t.ok(rc and "/etc/ccdmtab:1:1" in out, "a name that is not ours (%s)" % out.strip())
        m.ask("systemctl poweroff")
        t.ok(m.ended(180) == "off", "it shuts down", m.log()[-2000:])
        t.ok("Failed unmounting" not in m.log() and "timed out" not in m.log(), "and everything is closed in order", m.log()[-3000:])
