#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""images - time, memory and sizes of ccdm-image build, beside mkosi; CPU time of a boot

  tests/run gauge images [--base DIR] [--suite SUITE]

A container image of 400 MB and 12,000 files is made on the spot. It becomes a disk: with an empty cache, again
with one changed layer, and as mkosi's disk of the same files. mkosi is that of Debian 13, in a root of its own.
busy.py describes the CPU time of a boot.
Each number has a goal; a number that misses its goal is "not ok".
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
BIN = os.path.join(TOP, "build/bin")
CACHE = os.environ.get("CCDM_CACHE", "/var/cache/ccdm")
MB = 10 ** 6
FILES, BYTES = 12000, 400 * MB
DATE = 1764547200
# seconds, bytes, percent
GOALS = {"build": 15, "changed": 10, "measure": 2, "memory": 300 * MB, "base": 200 * MB, "initrd": 25 * MB, "busy": 70, "workload": 5}
results = []


def row(what, value, unit, goal=None):
    good = goal is None or value <= goal
    results.append(good)
    scale = MB if unit == "MB" else 1
    print("%s %d %-46s %7.1f %s%s" % ("ok" if good else "not ok", len(results), what, value / scale, unit,
                                      "" if goal is None else "  (goal %g %s)" % (goal / scale, unit)), flush=True)


# ---- the container image ----

def content(rng, size, words):
    """Bytes that compress about as well as programs and texts do."""
    out, have = [], 0
    while have < size:
        piece = rng.randbytes(rng.randrange(40, 200)) if rng.random() < 0.35 else words[rng.randrange(len(words))]
        out.append(piece)
        have += len(piece)
    return b"".join(out)[:size]


def layer(rng, top, files, size, more=None):
    """A tar of a layer: folders of 60 files, links, two owners. more: further files."""
    words = [rng.randbytes(rng.randrange(8, 60)) * 2 for _ in range(400)]
    sizes = [int(rng.paretovariate(1.1) * 1000) for _ in range(files)]
    scale = size / sum(min(s, size // 40) for s in sizes)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        def add(name, kind, data=b"", link=""):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname, info.mtime = kind, len(data), link, DATE - len(name)
            info.mode = 0o755 if kind == tarfile.DIRTYPE or len(data) % 7 == 0 else 0o644
            info.uid = info.gid = 1000 if len(name) % 11 == 0 else 0
            tar.addfile(info, io.BytesIO(data))

        add(top, tarfile.DIRTYPE)
        for name, data in (more or {}).items():
            add(name, tarfile.REGTYPE, data)
        for i, n in enumerate(sizes):
            folder = "%s/d%03d" % (top, i // 60)
            if i % 60 == 0:
                add(folder, tarfile.DIRTYPE)
            if i % 50 == 49:
                add("%s/l%05d" % (folder, i), tarfile.SYMTYPE, link="f%05d" % (i - 1))
            else:
                add("%s/f%05d" % (folder, i), tarfile.REGTYPE, content(rng, int(min(n, size // 40) * scale), words))
    return out.getvalue()


def oci(path, layers):
    """An OCI layout of these tars."""
    blobs = os.path.join(path, "blobs/sha256")
    os.makedirs(blobs)

    def blob(data, kind):
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, name), "wb") as f:
            f.write(data)
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + name, "size": len(data)}

    config = {"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/app/d000/f00000"], "WorkingDir": "/"},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(x).hexdigest() for x in layers]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": blob(json.dumps(config).encode(), "config.v1+json"),
                "layers": [blob(gzip.compress(x, 1, mtime=0), "layer.v1.tar+gzip") for x in layers]}
    index = {"schemaVersion": 2, "manifests": [dict(blob(json.dumps(manifest).encode(), "manifest.v1+json"),
                                                    platform={"architecture": "amd64", "os": "linux"})]}
    for name, value in (("oci-layout", {"imageLayoutVersion": "1.0.0"}), ("index.json", index)):
        with open(os.path.join(path, name), "w") as f:
            json.dump(value, f)
    return path


# ---- measuring ----

def usage(argv, log):
    """Seconds, CPU seconds, and the bytes of the largest process. In a process of its own: the kernel sums up over all children."""
    code = ("import json, resource, subprocess, sys, time; t = time.monotonic(); "
            "r = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=sys.stderr); t = time.monotonic() - t; "
            "u = resource.getrusage(resource.RUSAGE_CHILDREN); "
            "print(json.dumps([r.returncode, t, u.ru_utime + u.ru_stime, u.ru_maxrss * 1024]))")
    with open(log, "w") as f:
        out = subprocess.run([sys.executable, "-c", code, *argv], stdout=subprocess.PIPE, stderr=f, text=True, check=True).stdout
    rc, took, cpu, memory = json.loads(out)
    if rc:
        with open(log, errors="replace") as f:
            sys.exit("images: %s: exit %d: %s" % (" ".join(argv), rc, f.read()[-2000:]))
    return took, cpu, memory


def note(what, numbers):
    print("# %-48s %7.1f s, CPU %.1f s, %.0f MB of memory" % (what, numbers[0], numbers[1], numbers[2] / MB), flush=True)


# ---- mkosi ----

MKOSI = {
    "mkosi.conf": "[Distribution]\nDistribution=custom\n[Output]\nFormat=disk\nOutput=image\n"
                  "[Content]\nBootable=no\nBaseTrees=/mnt/tree\n[Build]\nWithNetwork=no\n",
    "mkosi.repart/10-root.conf": "[Partition]\nType=root\nFormat=ext4\nCopyFiles=/\nVerity=data\nVerityMatchKey=root\nMinimize=guess\n",
    "mkosi.repart/20-verity.conf": "[Partition]\nType=root-verity\nVerity=hash\nVerityMatchKey=root\nMinimize=best\n",
}
# "/" must be a mount point for mkosi's sandbox
INSIDE = """mount --bind "$1" "$1" && cd "$1" && mount -t proc proc proc && mount -t sysfs sysfs sys && mount --bind /dev dev &&
    mount --bind "$2" mnt && exec chroot "$1" sh -c "$3" """


def inside(folder, command):
    return ["unshare", "-m", "sh", "-c", INSIDE, "sh", os.path.join(CACHE, "trixie"), folder, command]


def mkosi(tmp, layers):
    """A disk of the same files, with ext4 and dm-verity."""
    if os.geteuid():
        print("# mkosi: not measured: it needs root here")
        return
    subprocess.run([os.path.join(TOP, "scripts/kernels"), "root", "trixie"], check=True, stdout=sys.stderr)
    if not os.path.exists(os.path.join(CACHE, "trixie/usr/bin/mkosi")):
        subprocess.run(inside(tmp, "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install "
                              "--no-install-recommends mkosi systemd-repart"), check=True, stdout=subprocess.DEVNULL)
    folder = os.path.join(tmp, "mkosi")
    for name, text in MKOSI.items():
        path = os.path.join(folder, "work", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
    os.makedirs(os.path.join(folder, "tree"))
    for data in layers:
        subprocess.run(["tar", "-xf", "-", "--numeric-owner", "-C", os.path.join(folder, "tree")], input=data, check=True)
    numbers = usage(inside(folder, "cd /mnt/work && mkosi --force build"), os.path.join(tmp, "log"))
    note("mkosi of Debian 13: the same files, ext4, verity", numbers)
    shutil.rmtree(folder)


# ---- all ----

def base(folder):
    """Sizes of the base."""
    if not os.path.exists(os.path.join(folder, "base.json")):
        sys.exit("images: %s: no base; make one with ccdm-image base, or give --base DIR" % folder)
    for name, what in (("base.img", "base"), ("initrd", "initrd")):
        row("size of %s" % name, os.path.getsize(os.path.join(folder, name)), "MB", GOALS[what])


def boots(tmp, folder, suite):
    """CPU time of boots."""
    if os.geteuid():
        print("# boots: not measured: they need root here")
        return
    import busy     # it needs the modules of tests/lib
    plain, more, built = busy.boots(suite, folder, tmp)
    for what, value in (("Debian of the tests", plain), ("the same, with a workload", more), ("disk of ccdm-image build", built)):
        print("# busy in initrd and user space: %-23s %7.2f s" % (what, value))
    row("busy in initrd and user space, to the tests' Debian", 100 * built / plain, "%", GOALS["busy"])
    row("busy, added by a workload", 100 * (more / plain - 1), "%", GOALS["workload"])


def main():
    p = argparse.ArgumentParser(prog="tests/run gauge images", description=__doc__.split("\n\n", 1)[1],
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--suite", default="trixie", help="Debian of the base (default: trixie)")
    p.add_argument("--base", metavar="DIR", help="this base; default: base/SUITE in $CCDM_CACHE")
    p.add_argument("--no-mkosi", action="store_true", help="do not measure mkosi")
    p.add_argument("--no-boots", action="store_true", help="do not boot")
    a = p.parse_args()
    folder = a.base or os.path.join(CACHE, "base", a.suite)
    print("KTAP version 1")
    print("# load of this machine: %.1f; goals are for an idle one with two processors" % os.getloadavg()[0])
    tmp = tempfile.mkdtemp(prefix="ccdm-images-")
    try:
        base(folder)
        rng = random.Random(1)
        layers = [layer(rng, "usr", FILES * 5 // 6, BYTES * 4 // 5, {"usr/lib/os-release": b"ID=bench\nNAME=bench\n"}),
                  layer(rng, "app", FILES // 6, BYTES // 5)]
        other = layers[:1] + [layer(rng, "app", FILES // 6, BYTES // 5)]
        build(tmp, folder, layers, other)
        if not a.no_mkosi:
            mkosi(tmp, layers)
        if not a.no_boots:
            boots(tmp, folder, a.suite)
    finally:
        shutil.rmtree(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


def build(tmp, folder, layers, other):
    disk, log = os.path.join(tmp, "disk.img"), os.path.join(tmp, "log")
    known = subprocess.run([BIN + "/ccdm-image", "build", "--help"], stdout=subprocess.PIPE, text=True).stdout
    cache = ["--cache", os.path.join(tmp, "cache")] if "--cache" in known else []

    def words(image):
        return [BIN + "/ccdm-image", "build", "--oci", image, "--base", folder, "--output", disk, "--product", "bench", "--quiet", *cache]

    first = usage(words(oci(os.path.join(tmp, "first"), layers)), log)
    note("ccdm-image build, with an empty cache", first)
    row("build of 400 MB and 12,000 files", first[0], "s", GOALS["build"])
    second = usage(words(oci(os.path.join(tmp, "second"), other)), log)
    note("ccdm-image build, with one changed layer", second)
    row("build with one changed layer", second[0], "s", GOALS["changed"])
    row("memory of the largest process of a build", max(first[2], second[2]), "MB", GOALS["memory"])
    third = usage(words(os.path.join(tmp, "second")), log)
    note("ccdm-image build, with nothing changed", third)
    numbers = usage([BIN + "/ccdm-image", "measure", disk], log)
    note("ccdm-image measure", numbers)
    row("measure", numbers[0], "s", GOALS["measure"])


if __name__ == "__main__":
    sys.exit(main())
