# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""Input from the host other than the disk is ignored.

For input to a running boot there is a control: the same Debian without ccdm, which obeys it.
"""
import base64
import json
import os
import re
import socket
import struct
import subprocess
import uuid

from boot import (BASE_UUID, FILE, GPT_HOME, GPT_SWAP, RAN, SAID, TYPED, UNIT, add_part, cmdline, conf, fails, parts, put_esp,
                  sandbox, smbios_words, tiny_base, tree)

STOCK = "root=PARTUUID=%s rw console=ttyS0 loglevel=4 systemd.show_status=yes" % BASE_UUID
USED = "swapon --noheadings --show; findmnt -rno SOURCE,TARGET | grep -E '^/dev/vd.. /(home|srv|var)'"
RESUMED = "journalctl -b -o cat --no-pager -u systemd-hibernate-resume.service"


# ---- channels of a host: (disks, arguments) for a machine that boots the image at path ----

def by_smbios(t, path):
    return {"disks": [path], "args": smbios_words()}


def by_fw_cfg(t, path):
    """A name in fw_cfg has at most 55 characters: too few for a unit, enough for files."""
    file = os.path.join(t.dir, "tmpfiles.extra")
    with open(file, "w") as f:
        f.write(FILE)
    return {"disks": [path], "args": ["-fw_cfg", "name=opt/io.systemd.credentials/tmpfiles.extra,file=" + file]}


def mkswap(t, ident=None, suspended=False):
    """A file with a swap area, optionally with the signature of a hibernated system."""
    path = os.path.join(t.dir, "swap.img")
    subprocess.run(["truncate", "-s", "64M", path], check=True)
    subprocess.run(["mkswap", "-q"] + (["-U", ident] if ident else []) + [path], check=True)
    if suspended:
        with open(path, "r+b") as f:
            f.seek(4096 - 10)
            f.write(b"S1SUSPEND\0")
    return path


def mkfs(t, label, ident=None):
    path = os.path.join(t.dir, label + ".img")
    subprocess.run(["truncate", "-s", "64M", path], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-L", label] + (["-U", ident] if ident else []) +
                   ["-d", tree(t, "evil-tree", {"the-host": "x\n"}), path], check=True)
    return path


def by_partitions(t, path):
    """Swap and /home, which systemd finds by their types on the boot disk."""
    add_part(path, 64, GPT_SWAP, mkswap(t))
    add_part(path, 64, GPT_HOME, mkfs(t, "home"))
    return {"disks": [path]}


def write_variables(m, variables):
    for name, data in variables.items():
        m.sh("python3 -c 'import base64, sys; open(\"/sys/firmware/efi/efivars/%s\", \"wb\").write(base64.b64decode(\"%s\"))'" %
             (name, base64.b64encode(struct.pack("<I", 7) + data).decode()))


def set_variables(t, variables, firmware):
    """The host writes firmware variables with a guest of its own: {name-guid: bytes}."""
    with t.boot([t.image("other.img", INITRD="stock", CMDLINE=STOCK)], firmware=firmware) as m:
        assert m.outcome == "up", m.outcome
        write_variables(m, variables)
        m.ask("sync; systemctl poweroff")
        assert m.ended(120) == "off"
    os.unlink(os.path.join(t.dir, "other.img"))
    return firmware


def by_hibernate(t, path):
    """A firmware variable names a disk of the host that contains a hibernated system."""
    ident = str(uuid.uuid4())
    second = add_part(os.path.join(t.dir, "second-%d.img" % t.nr_vms), 64, GPT_SWAP, mkswap(t, ident, True))
    # the image must claim that the same kernel and initrd hibernated
    with open(os.path.join(parts(t.kernel), "release")) as f:
        said = {"uuid": ident, "offset": 0, "kernelVersion": f.read().strip()}
    _, release = sandbox(t.kernel, "lsinitrd -f usr/lib/initrd-release /mnt/initrd-stock")
    for word, name in (("ID", "osReleaseId"), ("VERSION_ID", "osReleaseVersionId"), ("IMAGE_ID", "osReleaseImageId"),
                       ("IMAGE_VERSION", "osReleaseImageVersion")):
        m = re.search("^%s=(.*)$" % word, release, re.M)
        if m:
            said[name] = m.group(1).strip('"')
    firmware = os.path.join(t.dir, "hibernate-%d.fd" % t.nr_vms)
    set_variables(t, {"HibernateLocation-8cf2644b-4b0b-428f-9387-6d876050dc67":
                      (json.dumps(said) + "\0").encode("utf-16-le")}, firmware)
    return {"disks": [path, second], "firmware": firmware}


def control(t, what, attack, worked):
    """The control: without ccdm each channel has its effect. Otherwise the test would prove nothing."""
    path = t.image(INITRD="stock", CMDLINE=STOCK)
    with t.boot(title="control: " + what, **attack(t, path)) as m:
        if t.ok(m.outcome == "up", "control: %s: it boots without ccdm (%s)" % (what, m.outcome), m.log()[-2000:]):
            t.ok(m.sh(worked + "; true").strip() != "", "control: %s: and without ccdm it works" % what, m.log()[-2000:])


def unheard(t, what, attack, worked):
    """The boot is not influenced."""
    with t.boot(title=what, **attack(t, t.image())) as m:
        if t.ok(m.outcome == "up", "%s: it boots (%s)" % (what, m.outcome), m.log()[-2000:]):
            out = m.sh(worked + "; true").strip()
            t.ok(SAID not in m.log() and out == "", what + ": and it is not heard", out + m.log()[-2000:])
            t.ok(m.sh("swapon --noheadings --show; findmnt -rno SOURCE | grep -E '^/dev/[^m]'; true").strip() == "",
                 what + ": nothing is mounted or swapped on the host's disks")


# settings that systemd treats like command line options (before 258, without Secure Boot)
OPTIONS = {"SystemdOptions-8cf2644b-4b0b-428f-9387-6d876050dc67": ("systemd.setenv=SAID=%s\0" % SAID).encode("utf-16-le")}
TAKEN = "systemctl show-environment | grep " + SAID


def by_options(t, path):
    firmware = os.path.join(t.dir, "options-%d.fd" % t.nr_vms)
    set_variables(t, OPTIONS, firmware)
    return {"disks": [path], "firmware": firmware}


def options_later(t):
    """The settings appear after the fence has checked: a systemd that starts again must ignore them, too."""
    with t.boot([t.image()], title="options later") as m:
        if not t.ok(m.outcome == "up", "it boots (%s)" % m.outcome, m.log()[-2000:]):
            return
        write_variables(m, OPTIONS)
        for control in (False, True):
            if control:
                m.sh("rm /run/systemd/efivars")
            m.ask("systemctl soft-reboot")
            t.ok(m.wait_up() == "up" and (m.sh(TAKEN + "; true") != "") == control,
                 "a variable SystemdOptions later on: %s" % ("control: it is heard" if control else "it is not heard"),
                 m.log()[-2000:])


def load_options(t, path, text):
    """Boot0001 starts the UKI with other options."""
    out = json.loads(subprocess.run(["sfdisk", "--json", path], check=True, stdout=subprocess.PIPE).stdout)
    esp = out["partitiontable"]["partitions"][0]
    name = "\\EFI\\BOOT\\BOOTX64.EFI\0".encode("utf-16-le")
    nodes = struct.pack("<BBHIQQ", 4, 1, 42, 1, esp["start"], esp["size"]) + uuid.UUID(esp["uuid"]).bytes_le + b"\2\2"
    nodes += struct.pack("<BBH", 4, 4, 4 + len(name)) + name + struct.pack("<BBH", 0x7f, 0xff, 4)
    option = struct.pack("<IH", 1, len(nodes)) + "ccdm\0".encode("utf-16-le") + nodes + (text + "\0").encode("utf-16-le")
    guid = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
    return set_variables(t, {"Boot0001-" + guid: option, "BootOrder-" + guid: struct.pack("<H", 1)},
                         os.path.join(t.dir, "options.fd"))


def beside_the_uki(t):
    """Files that the stub would add to the boot."""
    if t.debian != "bookworm":      # the stub of systemd 252 ignores addons
        fails(t, "an addon with a command line", "CCDM-E-FENCE-01", "rd.break", [t.image(ADDON_CMDLINE="rd.break")])
        evil = tree(t, "addon", {"usr/lib/systemd/system/evil.service": UNIT,
                                 "usr/lib/systemd/system/sysinit.target.wants/evil.service": ("link", "../evil.service")})
        # this is another initrd: its unit may run before the fence can check the TPM, but PCR 12 shows it
        fails(t, "an addon with files for the initrd", "CCDM-E-FENCE-03", "PCR 12", [t.image(ADDON_INITRD=evil)], ran=True)
    path = t.image()
    put_esp(path, "loader/credentials", "systemd.extra-unit.evil.service.cred", UNIT.encode())
    fails(t, "a credential on the ESP", "CCDM-E-FENCE-02", "global_credentials", [path])
    path = t.image()
    put_esp(path, "EFI/BOOT/BOOTX64.EFI.extra.d", "evil.cred", UNIT.encode())
    fails(t, "a credential next to the UKI", "CCDM-E-FENCE-02", "credentials", [path])
    path = t.image()
    put_esp(path, "EFI/BOOT/BOOTX64.EFI.extra.d", "evil.raw", b"\0" * 4096)
    fails(t, "an extension next to the UKI", "CCDM-E-FENCE-02", "ext", [path])


def not_strict(t):
    """An installation without a UKI: other options are allowed, evidence shows them, and there is still no shell."""
    loose = conf(t, boot_strict="no")
    with t.boot([t.image(CONF=loose, CMDLINE=cmdline(t) + " quiet")]) as m:
        t.ok(m.outcome == "up", "strict = no: it boots with a word more (%s)" % m.outcome, m.log()[-2000:])
        t.ok("ccdm-ready:not-strict" in m.sh("cat /run/ccdm/tpm2-measure.log"), "and that is measured")
    fails(t, "strict = no, rd.break", "CCDM-E-BOOT-02", "no shell", [t.image(CONF=loose, CMDLINE=cmdline(t) + " rd.break")],
          typed="\n" + TYPED + "\n")
    fails(t, "strict = no, a word less", "CCDM-E-FENCE-01", "nohibernate",
          [t.image(CONF=loose, CMDLINE=cmdline(t).replace(" nohibernate", ""))])


def agent(t):
    """A base with QEMU's guest agent, which obeys the host as root. It must not run, except with lockdown = no."""
    order = {"execute": "guest-exec", "arguments": {"path": "/bin/touch", "arg": ["/run/the-host-was-here"]}}
    for lockdown in ("no", "yes"):
        path = os.path.join(t.dir, "qga-" + lockdown)
        args = ["-chardev", "socket,id=qga,path=%s,server=on,wait=off" % path,
                "-device", "virtserialport,chardev=qga,name=org.qemu.guest_agent.0"]
        with t.boot([t.image(CONF=conf(t, boot_lockdown=lockdown))], args=args) as m:
            if not t.ok(m.outcome == "up", "lockdown = %s, a port for QEMU's agent: it boots (%s)" % (lockdown, m.outcome),
                        m.log()[-2000:]):
                continue
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path)
                s.sendall(json.dumps(order).encode() + b"\n")
                state = m.sh("systemctl is-system-running --wait >/dev/null; systemctl show -p LoadState,ActiveState "
                             "--value qemu-guest-agent.service").split()
                if lockdown == "no":
                    s.settimeout(60 * m.patience)
                    t.ok(b"pid" in s.recv(4096) and m.sh(RAN + "; true") != "", "control: with lockdown = no it does what the host says",
                         state)
                else:
                    t.ok(state == ["masked", "inactive"] and m.sh(RAN + "; pgrep qemu-ga; true") == "",
                         "with lockdown = yes there is no agent", state)


def base_mounts(t):
    """A base that would mount a device of the host."""
    for what, file, line in (("fstab", "etc/fstab", "LABEL=data /srv ext4 defaults 0 0\n"),
                             ("swap in fstab", "etc/fstab", "/dev/vdb none swap sw 0 0\n"),
                             ("crypttab", "etc/crypttab", "data UUID=0000-1111 none luks\n"),
                             ("a mount unit", "etc/systemd/system/srv.mount", "[Mount]\nWhat=/dev/disk/by-label/data\nWhere=/srv\n"),
                             ("a swap unit", "usr/lib/systemd/system/dev-vdb.swap", "[Swap]\nWhat=/dev/vdb\n")):
        env = tiny_base(t, {file: line})
        fails(t, "a base with " + what, "CCDM-E-HOST-01", "expected a device /dev/mapper/ccdm-*", [t.image(**env)])


def run(t):
    fails(t, "another command line", "CCDM-E-FENCE-01", "rd.break", [t.image(CMDLINE=cmdline(t) + " rd.break")])
    if not t.full:
        return
    for word in ("rd.systemd.mask=ccdm-measure.service", "rd.shell", "init=/bin/sh", "systemd.debug_shell",
                 "rd.systemd.unit=emergency.target"):
        fails(t, word, "CCDM-E-FENCE-01", word, [t.image(CMDLINE=cmdline(t) + " " + word)])
    fails(t, "a word less", "CCDM-E-FENCE-01", "nohibernate", [t.image(CMDLINE=cmdline(t).replace(" nohibernate", ""))])
    # the fence runs again in each step
    fails(t, "a word more, and a generator that never runs", "CCDM-E-FENCE-01", "quiet",
          [t.image(CMDLINE=cmdline(t) + " quiet", OVERLAY=tree(t, "overlay", {"usr/lib/systemd/system-generators/ccdm-generator": ""}))])
    not_strict(t)
    beside_the_uki(t)
    path = t.image()
    firmware = load_options(t, path, cmdline(t) + " rd.break")
    fails(t, "load options in Boot0001", "CCDM-E-FENCE-01", "rd.break", [path], firmware=firmware, bootindex=False)
    control(t, "options for systemd in a variable", by_options, TAKEN)
    # the fence prints what it found
    fails(t, "options for systemd in a variable", "CCDM-E-FENCE-01", "found 'systemd.setenv=", ran=True, **by_options(t, t.image()))
    base_mounts(t)
    agent(t)
    new = t.debian != "bookworm"        # systemd 252 lacks this variable, and soft reboot
    if new:
        options_later(t)
    for what, attack, worked, has in (("a unit by SMBIOS", by_smbios, RAN, True), ("files by fw_cfg", by_fw_cfg, RAN, True),
                                      ("swap and /home on the disk", by_partitions, USED, True),
                                      ("a hibernated system", by_hibernate, RESUMED, new)):
        if has:
            control(t, what, attack, worked)
        unheard(t, what, attack, worked)
    # the base's UUID and label, on a disk of the host
    out = subprocess.run(["blkid", "-o", "value", "-s", "UUID", os.path.join(parts(t.kernel), "base.img")],
                         check=True, stdout=subprocess.PIPE).stdout.decode().strip()
    unheard(t, "a disk with the base's UUID and label",
            lambda t, path: {"disks": [path, mkfs(t, "base", out)]}, "ls /the-host 2>/dev/null")
