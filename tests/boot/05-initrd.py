# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""The initrd contains what it needs, and nothing that it must not contain."""
import os
import re

from boot import MASKED, image_script, parts, sandbox

SHELLS = ("emergency", "rescue", "dracut-emergency", "debug-shell")
# programs of dracut's modules that must stay out
ABSENT = (r"bin/(lvm|mdadm|mdmon|multipathd?|dmraid|iscsid|btrfs|kexec)$", r"systemd-pcrnvdone", r"systemd-hibernate-resume$")


def files(listing):
    """{name: (size or None, target of the link or None)} from lsinitrd's listing."""
    out = {}
    with open(listing) as f:
        for line in f:
            m = re.match(r"([-dlcb])\S+\s+\d+\s+\S+\s+\S+\s+(\d+)\s+\w+\s+\d+\s+\S+ (\S+)(?: -> (\S+))?", line)
            if m:
                out["/" + m.group(3)] = (int(m.group(2)), m.group(4))
    return out


def run(t):
    p = parts(t.kernel)
    f = files(os.path.join(p, "initrd-ccdm.list"))
    t.ok(len(f) > 200, "the initrd can be listed: %d files" % len(f))
    for name in MASKED:
        path = "/etc/systemd/system-generators/systemd-%s-generator" % name
        t.ok(f.get(path, (0, None))[1] == "/dev/null", path + " masks systemd's")
    t.ok(f.get("/etc/systemd/system/factory-reset-now.target", (0, None))[1] == "/dev/null",
         "no factory reset at the word of a firmware variable")
    # the listing shows no size for a file with several names
    rc, out = sandbox(t.kernel, "cd $(mktemp -d) && lsinitrd --unpack /mnt/initrd-ccdm >/dev/null && m=/usr/lib/dracut/modules.d/50ccdm && "
                      "for u in %s; do cmp etc/systemd/system/$u.service $m/ccdm-shell.service && echo same $u; done; "
                      "for s in $(find . -name sulogin); do cmp $s $m/sulogin && echo ours || echo another; done" %
                      " ".join(SHELLS))
    for name in SHELLS:
        t.ok("same %s\n" % name in out, "%s.service is ours" % name, out)
    t.ok("ours" in out and "another" not in out, "sulogin is ours, and there is no other", out)
    t.ok("/usr/lib/systemd/system-generators/ccdm-generator" in f, "the fence is in it")
    found = [k for k in f for a in ABSENT if re.search(a, k)]
    t.ok(not found, "nothing that assembles other disks", " ".join(found))
    t.ok(not [k for k in f if "ccdmtab" in k or "ccdm-attach" in k], "nothing of a ccdmtab that is not there")
    if not t.full:
        return
    # changes after which the initrd would not boot
    for what, spoil, says in (("a ccdm.conf with an unknown word", "echo 'colour = red' >> /etc/ccdm/ccdm.conf", "unknown key 'colour'"),
                              ("no module for this kernel", "rm /usr/lib/modules/*/updates/dm-ccdm.ko*; depmod $(ls /usr/lib/modules)",
                               "no module dm-ccdm")):
        rc, out = sandbox(t.kernel, "%s; echo old > /boot/initrd.img; dracut --force --no-hostonly --kver $(ls /usr/lib/modules) "
                          "/boot/initrd.img 2>&1; r=$?; cat /boot/initrd.img | head -c 10; exit $r" % spoil)
        t.ok(rc and says in out, "%s: dracut says so" % what, out)
        t.ok(out.endswith("old\n"), "%s: and the old initrd stays" % what, out)
    # the command that apt runs after it has installed a kernel
    rc, out = sandbox(t.kernel, "v=$(ls /usr/lib/modules); cp /mnt/vmlinuz /boot/vmlinuz-$v; run-parts --exit-on-error --arg=$v "
                      "--arg=/boot/vmlinuz-$v /etc/kernel/postinst.d 2>&1 && lsinitrd /boot/initrd.img-$v")
    t.ok(not rc and "etc/ccdm/ccdm.conf" in out and "bin/ccdm-setup" in out, "a new kernel gets its initrd, with ccdm", out)
    image_script("initrd", t.kernel, "tab")
    tab = files(os.path.join(p, "initrd-tab.list"))
    t.ok({"/etc/ccdmtab", "/usr/lib/systemd/system/ccdm-attach@.service",
          "/usr/lib/systemd/system-generators/ccdm-tab-generator"} <= set(tab), "a ccdmtab for the initrd is in it, with its units")
    image_script("initrd", t.kernel, "stock")
    stock = files(os.path.join(p, "initrd-stock.list"))
    t.ok(stock and not [k for k in stock if "ccdm-" in k], "without ccdm.conf nothing of ccdm is in it")
