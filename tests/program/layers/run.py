#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - container images: trees equal to umoci's, and hostile images that are refused

  tests/run program layers [--all] [--only same|forms|hostile|large]

As root, since umoci then sets owners, attributes and devices. With --all large images, too.
"""
import argparse
import hashlib
import os
import resource
import stat
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
import container as C  # noqa: E402
import forms  # noqa: E402
import hostile  # noqa: E402
import same  # noqa: E402

SANITIZED, FAST = os.path.join(TOP, "build/unit/unpack"), os.path.join(TOP, "build/tests/unpack")
KEPT = "user.", "security.capability", "system.posix_acl_"
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        print("# " + str(detail)[:3000].replace("\n", "\n# "))
    return cond


def unpack(image, out, *words, program=SANITIZED, env=None):
    r = subprocess.run([program, *words, image, out], capture_output=True, text=True, errors="replace",
                       env=dict(os.environ, **env) if env else None)
    return r.returncode, r.stdout, r.stderr


# ---- compared with umoci ----

def facts(path, st):
    kind = {stat.S_IFDIR: "folder", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo", stat.S_IFREG: "file"}.get(stat.S_IFMT(st.st_mode))
    content = None
    if kind == "file":
        with open(path, "rb") as f:
            content = hashlib.sha256(f.read()).hexdigest()
    xattrs = {n: os.getxattr(path, n, follow_symlinks=False) for n in os.listxattr(path, follow_symlinks=False) if n.startswith(KEPT)}
    return kind and {"type": kind, "mode": stat.S_IMODE(st.st_mode), "uid": st.st_uid, "gid": st.st_gid,
                     "mtime": st.st_mtime_ns // 10 ** 9, "link": os.readlink(path) if kind == "link" else None,
                     "xattrs": xattrs, "content": content}


def on_disk(root):
    """What umoci unpacked, as container.listing() says it."""
    found, inodes = {}, {}
    todo = [b""]
    while todo:
        name = todo.pop()
        path = os.path.join(os.fsencode(root), name)
        st = os.lstat(path)
        what = facts(path, st)
        if not what:
            continue
        found[name] = what
        if what["type"] == "folder":
            todo += [os.path.join(name, n) for n in os.listdir(path)]
        elif st.st_nlink > 1:
            inodes.setdefault(st.st_ino, []).append(name)
    return found, {frozenset(n) for n in inodes.values()}


def differences(ours, theirs, begun):
    """The facts that differ, except the time of a folder that umoci made without an entry, or changed later."""
    lines = []
    for name in sorted(set(ours) | set(theirs)):
        a, b = ours.get(name), theirs.get(name)
        if a and b and a["type"] == "folder" and b["mtime"] >= begun:
            a, b = dict(a, mtime=None), dict(b, mtime=None)
        if a != b:
            lines.append("%r: ours %s, umoci's %s" % (name, a, b))
    return "\n".join(lines)


def equal(name, layers, tmp):
    begun = int(time.time())
    oci, bundle = C.layout(layers).write(tmp + "/oci"), tmp + "/bundle"
    r = subprocess.run(["umoci", "unpack", "--image", oci + ":app", bundle], capture_output=True, text=True)
    if not ok(not r.returncode, "%s: umoci unpacks it" % name, r.stderr):
        return
    pack = ("", "gzip", "zstd")[len(results) % 3]
    image = C.write(tmp + "/image.tar", C.layout(layers, pack).archive())
    rc, out, err = unpack(image, tmp + "/out.tar")
    if not ok(rc == 0, "%s: unpack reads it, %s" % (name, pack or "plain"), err):
        return
    (ours, sets), (theirs, others) = C.listing(tmp + "/out.tar"), on_disk(bundle + "/rootfs")
    diff = differences(ours, theirs, begun)
    ok(not diff and sets == others, "%s: the same %d files" % (name, len(ours)), diff or (sets, others))


def all_same(tmp):
    os.umask(0o022)
    for i, (name, layers) in enumerate(same.all_cases()):
        os.mkdir(tmp + "/%d" % i)
        equal(name, layers, tmp + "/%d" % i)


# ---- hostile images ----

def all_hostile(tmp):
    spool = tmp + "/spool"
    os.mkdir(spool)
    count = 0
    for name, make, words in hostile.all_cases():
        path = tmp + "/image"
        subprocess.run(["rm", "-rf", path])
        make(path)
        rc, out, err = unpack(path, tmp + "/out.tar", "-s", spool, *hostile.OPTIONS.get(name, ()))
        ok(rc == 1 and "Sanitizer" not in err and all(w in err for w in words), "refused: %s" % name, (rc, out, err, words))
        count += 1
        if os.listdir(spool):
            ok(False, "%s: nothing is left in the spool's folder" % name, os.listdir(spool))
    ok(count >= 200 and not os.listdir(spool), "%d hostile images are refused; nothing is left in the spool's folder" % count)


# ---- large images ----

def large(tmp, name, files, size, seconds, mebibytes):
    """Files of a size in three layers: time and memory of the program that is not sanitized."""
    path = tmp + "/large.tar"
    layers = []
    for k in range(3):
        layers.append(C.tar(*[e for i in range(files // 30) for e in [C.folder("d%d" % i)] + [
            C.entry("d%d/f%d-%d" % (i, k, n), data=hashlib.sha256(b"%d %d %d" % (k, i, n)).digest() * (size // 32)) for n in range(10)]]))
    C.write(path, C.layout(layers).archive())
    del layers
    begun = time.monotonic()
    r = subprocess.run(["sh", "-c", "ulimit -v %d; exec \"$@\"" % (mebibytes << 10), "sh", FAST, path, tmp + "/out.tar"],
                       capture_output=True, text=True)
    took = time.monotonic() - begun
    ok(r.returncode == 0, "%s: with %d MiB of address space" % (name, mebibytes), r.stderr)
    ok(took < seconds, "%s: %.1f s, of at most %d" % (name, took, seconds))


def all_large(tmp):
    large(tmp, "400 MB, 12,000 files", 12000, 34000, 15, 300)
    large(tmp, "1.2 GB, 12,000 files", 12000, 100000, 45, 300)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--all", action="store_true")
    p.add_argument("--only")
    args = p.parse_args()
    subprocess.run(["make", "-s", SANITIZED[len(TOP) + 1:], FAST[len(TOP) + 1:]], cwd=TOP, check=True, stdout=sys.stderr)
    # (sizes of files, so that a bomb that is not stopped does not fill the disk)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 30, 4 << 30))
    print("KTAP version 1")
    parts = {"same": all_same, "forms": lambda tmp: forms.run(ok, unpack, tmp), "hostile": all_hostile}
    if args.all:
        parts["large"] = all_large
    if os.geteuid():
        parts.pop("same")
        print("# not root: nothing is compared with umoci")
    for name, part in parts.items():
        if not args.only or args.only == name:
            with tempfile.TemporaryDirectory(prefix="ccdm-layers-") as tmp:
                part(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
