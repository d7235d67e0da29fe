# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# kernels: trixie bookworm sid
# forms: long
"""ccdm-image base: the same packages and sources give the same bytes, whoever makes the base, where and when; it boots.

The first base comes from a mirror (from a snapshot, if the mirror's files have expired), and its lock file is written. The
second one comes from a snapshot of the same archive, which has the locked packages alone. Another user makes it, on
another day.
"""
import json
import os
import shutil
import stat
import subprocess
import tempfile
import time

import workload as W
from archive import Archive
from boot import parts
from guest import NET_ARGS
from vm import PATIENCE, TOP

CACHE = os.environ.get("CCDM_CACHE", "/var/cache/ccdm")
USER = 300000           # the root of the other user's namespace, and the first of its 65536 accounts
MB = 10 ** 6
MOST = {"base.img": 200 * MB, "initrd": 25 * MB}
SECONDS = 900
# programs of each step, which must see the other day (mmdebstrap is one of perl's scripts; ldconfig is static)
REACHED = {"ccdm-image", "perl", "apt-get", "dpkg", "cc1", "dracut-install", "depmod", "zstd", "systemctl", "mke2fs", "veritysetup"}
MARK = "THE-WORKLOAD-OF-A-BASE-RUNS"
SCRIPT = "echo %s as $(id -u), process $$\nexit 3\n" % MARK


def digest(path):
    return subprocess.run(["sha256sum", path], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[0]


class Maker:
    def __init__(self, t, archive):
        self.t, self.archive = t, archive
        os.chmod(t.dir, 0o755)
        self.lock = os.path.join(t.dir, "base.lock")
        self.snapshot = "--snapshot", archive.stamp, "--server", archive.url + "/archive"
        self.source = None

    def make(self, what, program, folder, *words, before=(), **kw):
        """A base, and the seconds that it took."""
        out = os.path.join(folder, "made.base")
        start = time.monotonic()
        r = subprocess.run([*before, program, "base", "--suite", self.t.debian, "--output", out, "--lock", self.lock, "--svn", "7", *words],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, **kw)
        took = time.monotonic() - start
        if not self.t.ok(r.returncode == 0 and os.listdir(folder) == ["made.base"], "%s: it is made, and nothing else stays" % what,
                         (r.returncode, r.stderr, os.listdir(folder))):
            raise RuntimeError("there is no base to go on with")
        self.t.note("%s: %d s" % (what, took))
        return out, took

    def first(self):
        folder = os.path.join(self.t.dir, "one")
        os.mkdir(folder)
        if self.archive.expired():
            self.source = "snapshot " + self.archive.stamp
            where = self.snapshot
        else:
            self.source = "mirror"
            where = "--mirror", self.archive.url + "/debian"
        return self.make("from a " + self.source, TOP + "/build/bin/ccdm-image", folder, *where, "--update-lock")

    def second(self):
        """Another user, folder, umask, time zone, locale, day and number of CPUs; other sources, too: the installed ones."""
        folder = os.path.join(self.t.dir, "another folder/with a longer name")
        os.makedirs(folder)
        os.chown(folder, USER, USER)
        where = os.path.join(self.t.dir, "installed")
        subprocess.run(["make", "-s", "install-image", "DESTDIR=" + where, "PREFIX=/usr"], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["find", where, "-exec", "touch", "-hd", "@1", "{}", "+"], check=True)
        # (the lock file's folder is not this user's to write to)
        with Day() as day, Namespace() as user:
            made = self.make("from a snapshot, by another user", where + "/usr/bin/ccdm-image", folder, *self.snapshot,
                             before=user.enter, cwd="/", umask=0o077,
                             preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
                             env=dict(os.environ, **day.env, TZ="Asia/Tokyo", LANG="C.UTF-8", LC_ALL="C.UTF-8", HOME="/"))
            reached = day.reached()
            # (dracut of Debian 12 removes LD_PRELOAD)
            expected = REACHED - ({"dracut-install"} if self.t.debian == "bookworm" else set())
            self.t.ok(expected <= reached, "the other day reached programs of each step", expected - reached)
            st = os.stat(made[0] + "/base.img")
            self.t.ok((st.st_uid, st.st_gid) == (USER, USER), "it belongs to the other user", st)
        return made


class Day:
    """Another day for a program and all that it starts. The library is where each chroot sees it, too."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="ccdm-day-", dir="/dev/shm")
        os.chmod(self.folder, 0o755)
        library, self.log = self.folder + "/day.so", self.folder + "/log"
        shutil.copy(TOP + "/build/tests/day.so", library)
        with open(self.log, "w"):
            os.chmod(self.log, 0o666)
        # ccdm-image gives its programs an environment of its own
        day = {"LD_PRELOAD": library, "CCDM_TEST_DAY": self.log}
        for name in ("unshare", "mke2fs", "veritysetup"):
            path = os.path.join(self.folder, name)
            with open(path, "w") as f:
                f.write("#!/bin/sh\nexport %s\nexec %s \"$@\"\n" % (
                    " ".join("%s=%s" % x for x in day.items()), shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")))
            os.chmod(path, 0o755)
        self.env = dict(day, PATH=self.folder + ":" + os.environ["PATH"])
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def reached(self):
        with open(self.log) as f:
            return set(f.read().split("\n"))


class Namespace:
    """A user namespace: its root is an ordinary user of this machine."""

    def __enter__(self):
        self.p = subprocess.Popen(["unshare", "--user", "--setgroups", "allow", "sh", "-c", "echo; exec sleep infinity"],
                                  stdout=subprocess.PIPE)
        self.p.stdout.read(1)
        for kind in "uid", "gid":
            with open("/proc/%d/%s_map" % (self.p.pid, kind), "w") as f:
                f.write("0 %d 65536" % USER)
        self.enter = ["nsenter", "--user", "--target", str(self.p.pid), "--setuid", "0", "--setgid", "0"]
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()


# ---- what is compared ----

def about(path):
    with open(path + "/base.json") as f:
        return json.load(f)


def same(t, one, other, sources):
    """All files and their modes are equal; base.json differs in the source alone."""
    names = sorted(os.listdir(one))
    t.ok(names == sorted(os.listdir(other)) and "base.json" in names, "the same files", (names, os.listdir(other)))
    for name in names:
        a, b = os.path.join(one, name), os.path.join(other, name)
        if name != "base.json":
            t.ok(subprocess.run(["cmp", "--silent", a, b]).returncode == 0, "the same " + name)
        t.ok(stat.S_IMODE(os.stat(a).st_mode) == stat.S_IMODE(os.stat(b).st_mode) == 0o644, "the mode of " + name)
    first, second = about(one), about(other)
    t.ok((first.pop("source"), second.pop("source")) == sources, "base.json says where its packages are from")
    t.ok(first == second, "the rest of base.json is the same", [k for k in first if first[k] != second.get(k)])


def numbers(t, path, seconds):
    for name, most in MOST.items():
        size = os.path.getsize(os.path.join(path, name))
        t.note("%s: %.1f MB" % (name, size / MB))
        t.ok(size <= most, "%s: at most %d MB" % (name, most / MB), size)
    t.ok(seconds <= SECONDS * PATIENCE, "it takes at most %d s" % (SECONDS * PATIENCE), seconds)
    t.note("%d packages, kernel %s" % (len(about(path)["packages"]), about(path)["kernel"]))


def snapshot(t, archive):
    """The requests for the second base."""
    t.ok(archive.asked and not archive.missed, "it asks for locked packages of the snapshot, and for nothing else", archive.missed)
    for name in ("debian",) if t.debian == "sid" else ("debian", "debian-security"):
        begin = "/archive/%s/%s/" % (name, archive.stamp)
        t.ok([p for p in archive.asked if p.startswith(begin + "dists/")], "the snapshot of %s" % name, archive.asked[:20])
    packages = [p for p in archive.asked if p.endswith(".deb") and "/%s/pool/" % archive.stamp in p]
    t.ok(len(packages) >= 100, "its packages, too", len(packages))


def untrusted(m, archive):
    """A server that changes a bit of a package, or of the list of all: nothing is made of it. The rest of it is genuine."""
    folder = os.path.join(m.t.dir, "three")
    os.mkdir(folder)
    for ending, says in ((".deb", "Hash Sum mismatch"), ("/InRelease", "is not signed")):
        path = archive.change(ending)
        r = subprocess.run([TOP + "/build/bin/ccdm-image", "base", "--suite", m.t.debian, "--output", folder + "/base", "--lock", m.lock,
                            *m.snapshot], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        m.t.ok(r.returncode == 8 and says in r.stderr and not os.listdir(folder), "%s with a changed bit: 8, %s" % (path, says),
               (r.returncode, r.stderr))


def boots(t, path):
    """A small container runs on the base."""
    image = W.layout(t, "small", [W.root(t, "small", SCRIPT) + "/rootfs"],
                     {"Entrypoint": ["/bin/sh"], "Cmd": ["/app.sh"], "User": "app", "Env": ["PATH=/bin"]})
    # (a disk is not built with a stub whose measurements are not known; sid's is newer than that of Debian 13)
    stub = ["--stub", parts("trixie") + "/stub"] if t.debian == "sid" else []
    disk = W.build(t, "small", image, path, "logs: console\n", "--platform", "tpm", *stub)
    with t.boot([disk], title="container", args=NET_ARGS) as m:
        log = m.log()
        t.ok(m.outcome == "off", "a container on this base: the VM powers off at its end (%s)" % m.outcome, log[-3000:])
        t.ok("%s as 1234, process 1" % MARK in log, "the container ran, as its user", log[-3000:])
        t.ok("ccdm: workload ended: exit 3" in log and "CCDM-E-" not in log, "the VM says how it ended, without an error", log[-2000:])
        t.ok("Failed to start" not in log and "[FAILED]" not in log, "no unit failed", log[-3000:])


def run(t):
    kept = os.path.join(CACHE, "archive", t.debian)
    os.makedirs(kept, exist_ok=True)
    with Archive(kept, t.debian) as archive:
        m = Maker(t, archive)
        one, seconds = m.first()
        archive.freeze()
        lock = digest(m.lock)
        other, _ = m.second()
        t.ok(digest(m.lock) == lock, "the lock file is as before")
        same(t, one, other, (m.source, "snapshot " + archive.stamp))
        numbers(t, one, seconds)
        snapshot(t, archive)
        untrusted(m, archive)
    boots(t, other)
