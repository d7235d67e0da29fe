# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""basing - ccdm-image base: its options, lock files, sources of packages, and what fails

No base is made here; tests/boot/74-base.py makes some. A program in the place of mmdebstrap says how it was called.
"""
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time

import firmware as F
from broker import TOP

HASH = "ab" * 32
LOCK = "suite trixie\ndate 1764547200\npackage dash 0.5.12-12 amd64 %s\n" % HASH
STAMP = "20251201T000000Z"
TOOLS = {"unshare": "util-linux", "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "veritysetup": "cryptsetup-bin"}
ONE_LINE = "expected one line 'suite NAME', one line 'date SECONDS'"
LOCKS = {
    "nothing": ("", "expected a line 'suite NAME'"),
    "a zero": (LOCK + "\0", "expected a text of at most 4194304 bytes"),
    "too much": (LOCK + "#" * (4 << 20), "File too large"),
    "no date": (LOCK.replace("date", "#"), "expected a line 'date SECONDS'"),
    "no package": (LOCK.replace("package", "#"), "expected lines 'package ...'"),
    "an unknown word": (LOCK + "packages x\n", "line 4: " + ONE_LINE),
    "a word too much": (LOCK.replace(HASH, HASH + " x"), "line 3: " + ONE_LINE),
    "a date that is too large": (LOCK.replace("1764547200", "1" * 30), "line 2: expected seconds since 1970"),
    "half a hash": (LOCK.replace(HASH, HASH[:32]), "line 3: expected a SHA-256 of 64 hex digits, found '%s'" % HASH[:32]),
    "a package twice": (LOCK + LOCK[LOCK.index("package"):], "package dash: expected one line, found two"),
    "a path as a name": (LOCK.replace("dash", "../dash"), "line 3: expected the name of a package, found '../dash'"),
    "a terminal's codes": (LOCK + "\33[2J\n", "line 4: " + ONE_LINE),
    "another suite": (LOCK.replace("trixie", "sid"), "expected suite trixie, found sid"),
}
RECORD = """#!/bin/sh
[ "$1" != --version ] || { echo 'mmdebstrap 1.3.5'; exit; }
printf '%s\\n' "$@" >SAID
echo 'E: told to fail' >&2
exit 25
"""
# It goes on writing when it is told to end, and so does its child.
HANGS = """#!/bin/sh
[ "$1" != --version ] || { echo 'mmdebstrap 1.3.5'; exit; }
for root; do case $root in */build) break ;; esac; done
trap '' INT TERM HUP
mkdir -p "$root/var"
(while :; do : >"$root/var/$$"; sleep 0.01; done) &
: >SAID
while :; do mkdir -p "$root/etc"; sleep 0.01; done
"""
# It "installs" packages: lines "NAME VERSION STATE", each with its .deb.
INSTALLS = """#!/bin/sh
[ "$1" != --version ] || { echo 'mmdebstrap 1.3.5'; exit; }
for root; do case $root in */base.tmp/*) break ;; esac; done
mkdir -p "$root/var/lib/dpkg" "$root/var/cache/apt/archives"
while read -r name version state; do
    printf 'Package: %s\\nStatus: install ok %s\\nArchitecture: amd64\\nVersion: %s\\n\\n' "$name" "$state" "$version" \\
        >>"$root/var/lib/dpkg/status"
    printf '%s' "$name" >"$root/var/cache/apt/archives/${name}_${version}_amd64.deb"
done <<EOF
LINES
EOF
"""
# It installs nothing; each root has one of apt's lists.
LISTS = """#!/bin/sh
[ "$1" != --version ] || { echo 'mmdebstrap 1.3.5'; exit; }
for root; do case $root in */base.tmp/*) break ;; esac; done
mkdir -p "$root/var/lib/dpkg" "$root/var/lib/apt/lists"
: >"$root/var/lib/dpkg/status"
text='BUILD'
case $root in */root) text='ROOT' ;; esac
printf "$text" >"$root/var/lib/apt/lists/x_InRelease"
"""
# The steps give files with little in them. (mmdebstrap is started by unshare, too.)
STEPS = """#!/bin/sh
for step; do :; done
case $step in product|initrd|compress|root) ;; *) exec UNSHARE "$@" ;; esac
while [ $# -gt 3 ]; do shift; done
cd "$2"
case $step in
product)	for name in version words kernel vmlinuz stub os-release seccomp.json; do echo "$name" >$name; done ;;
initrd)		cp SAID.cpio initrd.dracut ;;
compress)	mv initrd.cpio initrd ;;
esac
"""
# As mmdebstrap does when apt fails: apt's reason comes first, and a long line after it.
REASON = """#!/bin/sh
[ "$1" != --version ] || { echo 'mmdebstrap 1.3.5'; exit; }
{
    seq -f 'Get:%g http://127.0.0.1/debian sid/main amd64 E: 1' 300
    echo 'E: REASON'
    echo '   Hashes of expected file:'
    printf 'E: setup failed: E: apt-get --yes install'
    printf ' %s' $(seq 400)
    echo ' failed'
    echo 'I: main() received signal PIPE: waiting for setup...'
    echo 'E: mmdebstrap failed to run'
} >&2
exit 25
"""
FULL = """#!/bin/sh
[ "$1" != --version ] || { echo 'mmdebstrap 1.3.5'; exit; }
for root; do case $root in */build) break ;; esac; done
mkdir -p "$root/usr" && head -c 64M /dev/zero >"$root/usr/file"
"""
# apt fetches packages as an account of its own, which reads the root. It waits for another file.
WAITS = """#!/bin/sh
[ "$1" != --version ] || { echo 'mmdebstrap 1.3.5'; exit; }
for root; do case $root in */build) break ;; esac; done
mkdir -p "$root/usr/bin" && mkdir -m 1777 "$root/tmp"
cp /bin/true "$root/usr/bin/su" && chmod 4755 "$root/usr/bin/su"
setpriv --reuid=65534 --regid=65534 --clear-groups ls "$root" >SAID.ls
mv SAID.ls SAID
while [ ! -e SAID.go ]; do sleep 0.01; done
ln -s KEPT "$root/link"
echo 'E: told to fail' >&2
exit 25
"""
# It says which .deb files it has when apt begins.
HAS = """#!/bin/sh
[ "$1" != --version ] || { echo 'mmdebstrap 1.3.5'; exit; }
for root; do case $root in */build) break ;; esac; done
mkdir -p "$root"
for hook; do case $hook in --setup-hook=*) sh -c "${hook#*=}" exec "$root" ;; esac; done
(cd "$root/var/cache/apt/archives" && head *) >SAID 2>&1
echo 'E: told to fail' >&2
exit 25
"""


class Maker:
    def __init__(self, tmp, t):
        self.t, self.tmp, self.count = t, tmp, 0
        self.program = t.BIN + "/ccdm-image"
        self.lock = self.write("base.lock", LOCK)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.tmp, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def folder(self):
        self.count += 1
        path = "%s/out%d" % (self.tmp, self.count)
        os.makedirs(path)
        return path

    def start(self, where, *words, env=None, **kw):
        return subprocess.Popen([self.program, "base", "--output", where + "/base", *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, **env or {}), **kw)

    def fails(self, what, code, text, *words, **kw):
        """It ends with this code and text, and leaves nothing."""
        where = self.folder()
        with self.start(where, *words, **kw) as p:
            _, err = p.communicate()
        self.t.ok(p.returncode == code and text in err and "\33" not in err and not os.listdir(where),
                  "base, %s: %d, %s" % (what, code, text), (p.returncode, err, os.listdir(where)))
        return err

    def tools(self, **others):
        """A folder with the programs, of which some are others."""
        path = self.folder()
        for name in TOOLS:
            if name in others:
                self.write(path + "/" + name, others[name].replace("SAID", path + "/said"), 0o755)
            else:
                os.symlink(shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"), path + "/" + name)
        return path


def usage(m):
    lock = ("--lock", m.lock)
    for words, text in (((), "expected --output DIR and --lock FILE"), ((*lock, "--suite", "sarge"), "expected trixie, bookworm or sid"),
                        ((*lock, "--snapshot", STAMP, "--mirror", "http://x/debian"), "found both"),
                        ((*lock, "--snapshot", "20251301T000000Z"), "expected a time as 20261130T000000Z"),
                        ((*lock, "--snapshot", "yesterday"), "expected a time"), ((*lock, "--mirror", "ftp://x"), "expected http://HOST/"),
                        ((*lock, "--mirror", "http://x/ [trusted=yes]"), "expected http://HOST/"),
                        ((*lock, "--name", "a/b"), "expected 1 to 64 letters"), ((*lock, "--svn", "-1"), "invalid value"),
                        ((*lock, "--json", "--progress-json"), "both print to standard output")):
        m.fails("usage " + " ".join(words[2:]), 1, text, *words)
    m.fails("no root", 2, "expected root", *lock, user=65534, group=65534, extra_groups=[])
    m.fails("no lock file", 4, "--update-lock writes it", "--lock", m.tmp + "/none")
    m.fails("a lock file in no folder", 4, "No such file", "--lock", m.tmp + "/none/lock", "--update-lock")
    m.fails("no sources", 4, "--source names a folder with ccdm's sources", *lock, "--source", m.tmp)
    m.fails("no keys", 4, "/nosuch: No such file", *lock, "--keyring", "/nosuch", "--mirror", "http://127.0.0.1/debian")
    m.fails("a folder of keys", 1, "expected a file with keys, found a folder", *lock, "--keyring", "/etc", "--mirror",
            "http://127.0.0.1/debian")
    m.fails("no cache", 4, "/nosuch: No such file", *lock, "--cache", "/nosuch", "--mirror", "http://127.0.0.1/debian")
    m.fails("no mirror", 8, "does not have a Release file", *lock, "--mirror", "file:///nosuch")
    where = m.folder()
    os.mkdir(where + "/base")
    with m.start(where, *lock) as p:
        _, err = p.communicate()
    m.t.ok(p.returncode == 5 and "it exists" in err and not os.listdir(where + "/base"), "the output exists: 5", (p.returncode, err))


def locks(m):
    for what, (text, says) in LOCKS.items():
        m.fails("lock file: " + what, 1, says, "--lock", m.write("bad.lock", text))


def missing(m):
    for name, package in TOOLS.items():
        tools = m.tools()
        os.unlink(tools + "/" + name)
        err = m.fails("without " + name, 4, name + ": no such program in PATH", "--lock", m.lock, env={"PATH": tools})
        m.t.ok("install the package " + package in err, "its package is " + package, err)


def sources(m):
    """Each pocket has its own address; with a snapshot all of them are of that time."""
    snapshot = "https://snapshot.debian.org/archive/debian"
    for suite, words, expected in (
            ("trixie", ("--snapshot", STAMP), ["deb %s/%s trixie main" % (snapshot, STAMP),
                                               "deb %s/%s trixie-updates main" % (snapshot, STAMP),
                                               "deb %s-security/%s trixie-security main" % (snapshot, STAMP)]),
            ("sid", ("--snapshot", STAMP, "--server", "http://127.0.0.1/a"), ["deb http://127.0.0.1/a/debian/%s sid main" % STAMP]),
            ("bookworm", ("--mirror", "http://127.0.0.1/debian"), [
                "deb http://127.0.0.1/debian bookworm main", "deb http://127.0.0.1/debian bookworm-updates main",
                "deb http://127.0.0.1/debian-security bookworm-security main"]),
            ("sid", ("--mirror", "file:///srv/debian"), ["deb copy:///srv/debian sid main"])):
        tools = m.tools(mmdebstrap=RECORD)
        lock = m.write("other.lock", LOCK.replace("trixie", suite))
        m.fails("what mmdebstrap says", 4, "E: told to fail", "--lock", lock, "--suite", suite, *words, env={"PATH": tools})
        with open(tools + "/said") as f:
            said = f.read().splitlines()
        m.t.ok([x for x in said if x.startswith("deb ")] == expected, "%s %s: its pockets" % (suite, words[0]), said)
        m.t.ok(('--aptopt=Acquire::Check-Valid-Until "false"' in said) == (words[0] == "--snapshot"), "an old snapshot is valid", said)
        m.t.ok(not [x for x in said if "trusted=" in x.lower() or "unauthenticated" in x.lower()] and
               "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg" in said, "packages must be signed", said)
        m.t.ok('--aptopt=Dir::Etc::TrustedParts "/nonexistent"' in said, "the keys of this machine's apt sign nothing", said)


def reasons(m):
    """The first error is the reason, and decides the exit code."""
    for code, text in ((8, "Failed to fetch http://127.0.0.1/debian/pool/x.deb  Hash Sum mismatch"),
                       (4, "Sub-process env returned an error code (1)")):
        m.fails("the reason", code, "packages of trixie: E: %s\n" % text, "--lock", m.lock, "--mirror", "http://127.0.0.1/debian",
                env={"PATH": m.tools(mmdebstrap=REASON.replace("REASON", text)) + ":/usr/bin:/bin"})


def times(m):
    """Old lists are signed, too. A lock file is not written of those of another time than the snapshot's."""
    then = "Date: Sun, 30 Nov 2025 20:00:00 UTC\\nValid-Until: Sun, 07 Dec 2025 20:00:00 UTC\\n"
    old = then.replace("30 Nov", "23 Nov").replace("07 Dec", "30 Nov")
    new = then.replace("30 Nov", "02 Dec")
    lock = m.folder() + "/lock"
    for what, words, build, root, code, text in (
            ("lists of its time", ("--snapshot", STAMP), then, then, 4, "step 'product'"),
            ("lists from before it", ("--snapshot", STAMP), old, then, 8, "found one that was valid until 20251130T200000Z"),
            ("old lists for the second root", ("--snapshot", STAMP), then, old, 8, "found one that was valid until 20251130T200000Z"),
            ("lists from after it", ("--snapshot", STAMP), new, then, 8, "expected a list that was valid at %s, found one of" % STAMP),
            ("no snapshot", ("--mirror", "http://127.0.0.1/debian"), old, old, 4, "step 'product'")):
        m.fails("a snapshot: " + what, code, text, "--lock", lock, "--update-lock", *words,
                env={"PATH": m.tools(mmdebstrap=LISTS.replace("BUILD", build).replace("ROOT", root)) + ":/usr/bin:/bin"})
    m.t.ok(not os.path.exists(lock), "no lock file is written")


def compiled(m):
    """base.json names ccdm's sources, those of a source tree and those that are installed by the same hash."""
    def made(what, *words):
        where = m.folder()
        words = "--lock", where + "/lock", "--update-lock", "--snapshot", STAMP, *words
        with m.start(where, *words, env={"PATH": tools + ":/usr/bin"}) as p:
            _, err = p.communicate()
        if not m.t.ok(p.returncode == 0, "a base of " + what, err):
            return None
        with open(where + "/base/base.json") as f:
            return json.load(f).get("sources")

    then = "Date: Sun, 30 Nov 2025 20:00:00 UTC\\n"
    tools = m.tools(unshare=STEPS.replace("UNSHARE", shutil.which("unshare")),
                    mmdebstrap=LISTS.replace("BUILD", then).replace("ROOT", then))
    with open(tools + "/said.cpio", "wb") as f:
        f.write(F.cpio({".": None, "init": b"#!/bin/sh\n"}))
    installed = m.folder()
    subprocess.run(["make", "-s", "install-image", "DESTDIR=" + installed, "PREFIX=/usr"], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    where = installed + "/usr/share/ccdm/source"
    lines = [(os.path.join(top, name)[len(where):], os.path.join(top, name)) for top, _, files in os.walk(where) for name in files]
    text = "".join("%s  .%s\n" % (hashlib.sha256(open(path, "rb").read()).hexdigest(), name) for name, path in sorted(lines))
    expected = hashlib.sha256(text.encode()).hexdigest()
    found = [made("a source tree", "--source", TOP), made("installed sources", "--source", where)]
    m.t.ok(found == [expected] * 2, "the hash of both is the same", (found, expected))
    with open(where + "/kmod/ctr.c", "r+b") as f:
        first = f.read(1)
        f.seek(0)
        f.write(bytes([first[0] ^ 1]))
    m.t.ok(made("sources with a changed byte", "--source", where) not in (None, expected), "their hash is another one")


def interrupted(m):
    tools = m.tools(mmdebstrap=HANGS)
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        where = m.folder()
        with m.start(where, "--lock", m.lock, "--mirror", "http://127.0.0.1/debian", env={"PATH": tools}) as p:
            while p.poll() is None and not os.path.exists(tools + "/said"):
                time.sleep(0.01)
            p.send_signal(number)
            _, err = p.communicate()
        m.t.ok(p.returncode == 1 and "interrupted" in err and not os.listdir(where), "%s: nothing stays" % number.name,
               (p.returncode, err, os.listdir(where)))
        os.unlink(tools + "/said")
    r = subprocess.run(["pgrep", "-f", tools], stdout=subprocess.PIPE, text=True)
    m.t.ok(not r.stdout, "no process stays", r.stdout)


def compared(m):
    """What is installed differs from the lock file."""
    def lock(**more):
        lines = ["package %s amd64 %s" % (name, HASH if name == more.get("other") else hashlib.sha256(name.split()[0].encode()).hexdigest())
                 for name in ("dash 1", "libc6 2") if name != more.get("without")]
        return "\n".join(["suite sid", "date 7", *lines, ""])

    both = "dash 1 installed\nlibc6 2 installed"
    for what, said, lines, code, text in (
            ("another version", lock(), both.replace("2", "3"), 7, "package libc6: expected 2, found 3"),
            ("another content", lock(other="libc6 2"), both, 7, "package libc6 2: expected SHA-256 %s, found" % HASH),
            ("a package is missing", lock(), "dash 1 installed", 7, "package libc6: expected 2, found none"),
            ("a package that is not locked", lock(without="dash 1"), both, 7, "package dash: expected none, found 1"),
            ("half installed", lock(), both + "\nvim 1 half-installed", 1, "package vim: expected it installed, found")):
        m.fails(what, code, text, "--lock", m.write("some.lock", said), "--suite", "sid", "--mirror", "http://127.0.0.1/debian",
                env={"PATH": m.tools(mmdebstrap=INSTALLS.replace("LINES", lines)) + ":/usr/bin:/bin"})
    with open(m.tmp + "/some.lock") as f:
        m.t.ok(f.read() == lock(), "the lock file is as before")


def cached(m):
    """apt looks at the size of a .deb that is there, and not at its hash."""
    cache = m.folder()
    for name, text in (("dash_1_all", "dash"), ("libc6_2%3a1_amd64", "libc"), ("bash_1_amd64", "bath"), ("grep_1_amd64", "dash"),
                       ("vim_1_amd64", "vim!")):
        m.write("%s/%s.deb" % (cache, name), text)
    os.mkdir(cache + "/sed_1_amd64.deb")
    lock = m.write("cached.lock", "".join(["suite trixie\ndate 7\n"] + [
        "package %s %s\n" % (package, hashlib.sha256(text.encode()).hexdigest()) for package, text in (
            ("dash 1 all", "dash"), ("libc6 2:1 amd64", "libc"), ("bash 1 amd64", "bash"), ("grep 1 amd64", "grep"),
            ("perl 1 amd64", "perl"))]))
    for words, expected in ((), ["==> dash_1_all.deb <==", "dash", "==> libc6_2%3a1_amd64.deb <==", "libc"]), (("--update-lock",), []):
        tools = m.tools(mmdebstrap=HAS)
        m.fails("with packages that are there " + " ".join(words), 4, "E: told to fail", "--lock", lock, "--cache", cache, "--mirror",
                "http://127.0.0.1/debian", *words, env={"PATH": tools + ":/usr/bin:/bin"})
        with open(tools + "/said") as f:
            said = f.read().splitlines()
        m.t.ok([x for x in said if x and not x.startswith("head: ")] == expected, "apt finds those with the hash of the lock file alone",
               said)
    os.mkdir(cache + "/perl_1_amd64.deb")
    m.fails("a folder in the place of a package", 1, "perl_1_amd64.deb: expected a regular file", "--lock", lock, "--cache", cache,
            "--mirror", "http://127.0.0.1/debian")


def closed(m):
    """Other users of this machine do not reach the roots that are made, and apt's account does."""
    def nobody(*words):
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    # (the folder of the other tests is closed, too)
    where, kept = tempfile.mkdtemp(prefix="ccdm-base-"), m.folder()
    try:
        os.chmod(where, 0o755)
        m.write(kept + "/file", "kept")
        tools = m.tools(mmdebstrap=WAITS.replace("KEPT", kept))
        with m.start(where, "--lock", m.lock, "--mirror", "http://127.0.0.1/debian", env={"PATH": tools + ":/usr/bin:/bin"}) as p:
            while p.poll() is None and not os.path.exists(tools + "/said"):
                time.sleep(0.01)
            found = [os.path.join(top, name) for top, folders, files in os.walk(where) for name in folders + files]
            reached = [path for path in found if nobody("ls", "-d", path).returncode == 0]
            mode = stat.S_IMODE(os.stat(where + "/base.tmp").st_mode)
            m.write(tools + "/said.go", "")
            _, err = p.communicate()
        with open(tools + "/said") as f:
            said = f.read().split()
        m.t.ok(said == ["tmp", "usr"], "apt's account reads the root", said)
        m.t.ok([x for x in found if x.endswith("/usr/bin/su")] and nobody("ls", where).returncode == 0 and
               reached == [where + "/base.tmp"] and mode == 0o700, "another user reaches nothing of it", (reached, mode, found))
        m.t.ok(p.returncode == 4 and "told to fail" in err and not os.listdir(where) and os.listdir(kept) == ["file"],
               "nothing stays, and what a link names is kept", (p.returncode, err, os.listdir(where), os.listdir(kept)))
    finally:
        shutil.rmtree(where)


def cleaned(m):
    """Folders in which everybody may write are empty in a base."""
    root = m.folder()
    for name in "tmp", "var/tmp", "run", "usr/lib/systemd", "usr/share", "usr/bin", "usr/sbin":
        os.makedirs(root + "/" + name)
        m.write(root + "/" + name + "/planted", "planted")
    with open(TOP + "/userspace/image/base/steps") as f:
        steps = f.read()
    steps = steps[:steps.rindex("\ncase ")].replace("root=/mnt/root", "root=" + root) + "\nclean\n"
    r = subprocess.run(["sh", m.write("steps", steps)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    m.t.ok(r.returncode == 0 and os.path.exists(root + "/usr/share/planted"), "the step that cleans a base", r.stderr)
    for name, mode in ("tmp", 0o1777), ("var/tmp", 0o1777), ("run", 0o755):
        m.t.ok(os.listdir(root + "/" + name) == [] and stat.S_IMODE(os.stat(root + "/" + name).st_mode) == mode,
               "/%s of a base is empty" % name, os.listdir(root + "/" + name))


def read_only(m):
    """The folder of a lock file that is only read is not written to."""
    folder = m.folder()
    shutil.copy(m.lock, folder + "/base.lock")
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    for what, words, code, text in (("a lock file in a read-only folder", (), 4, "E: told to fail"),
                                    ("--update-lock, in a read-only folder", ("--update-lock",), 4, folder + "/: Read-only file system")):
        where = m.folder()
        words = (m.program, "base", "--output", where + "/base", "--lock", folder + "/base.lock", "--mirror", "http://127.0.0.1/debian",
                 *words)
        r = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", folder, *words], stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, env=dict(os.environ, PATH=m.tools(mmdebstrap=RECORD) + ":/usr/bin:/bin"))
        m.t.ok(r.returncode == code and text in r.stderr and not os.listdir(where), "base, %s: %d, %s" % (what, code, text),
               (r.returncode, r.stderr))


def full(m):
    script = 'mount -t tmpfs -o size=16M none "$1"; d=$1; shift; "$@"; rc=$?; ls -A "$d"; exit $rc'
    where = m.folder()
    words = m.program, "base", "--quiet", "--output", where + "/base", "--lock", m.lock, "--mirror", "http://127.0.0.1/debian"
    r = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", where, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       env=dict(os.environ, PATH=m.tools(mmdebstrap=FULL) + ":/usr/bin"))
    m.t.ok(r.returncode == 4 and "No space left" in r.stderr and not r.stdout, "no room: 4, and nothing stays",
           (r.returncode, r.stderr, r.stdout))


def tests(tmp, t):
    os.mkdir(tmp + "/basing")
    os.chmod(tmp + "/basing", 0o755)
    m = Maker(tmp + "/basing", t)
    usage(m)
    locks(m)
    missing(m)
    sources(m)
    compared(m)
    reasons(m)
    times(m)
    compiled(m)
    interrupted(m)
    cached(m)
    closed(m)
    cleaned(m)
    read_only(m)
    full(m)
