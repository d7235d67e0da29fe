# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""building - ccdm-image build: what is on the disk, the same bytes twice, and what fails

The base, the tree and the container image are small: they do not boot. tests/boot/76-workload.py boots one.
"""
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import tarfile

import firmware as F

WORDS = ("root=/dev/mapper/ccdm-root rw systemd.import_credentials=no systemd.gpt_auto=no systemd.ssh_auto=no nohibernate "
         "noresume panic=0")
DATE = 1700000000
DAY = "2031-02-03 04:05:06"
NOBODY = 65534
NUMBERS = {"esp": 1, "base": 2, "base hash": 3, "workload": 4, "manifest": 5, "scratch": 6}
STAGES = ("base", "layers", "workload", "uki", "disk", "measure")
TOOLS = {"mke2fs": "e2fsprogs", "veritysetup": "cryptsetup-bin", "mkfs.vfat": "dosfstools", "mmd": "mtools", "mcopy": "mtools"}
CONFIG = b"""version: 1
product: web
svn: 7
secrets:
  tls.key: default/web/tls-key
run:
  environment: {GREETING: hello}
files:
  - {path: /etc/app.conf, source: app.conf}
"""


def stub():
    b = bytearray(F.pe([(".text", b"a stub"), (".sbat", b"sbat,1\n"), (".sdmagic", F.sections(F.uki())[".sdmagic"])]))
    struct.pack_into("<II", b, 64 + 24 + 32, 4096, 512)
    return bytes(b)


# ---- inputs ----

def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return path


def base(tmp):
    where = tmp + "/trixie.base"
    # as in ext4, nothing stands in its first KiB: firmware could take it for a partition table
    ext4 = bytes(1024) + os.urandom((1 << 20) - 1024)
    files = {"base.img": ext4, "base.hash": bytes(4096), "vmlinuz": F.sections(F.uki())[".linux"], "initrd": F.initrd(None), "stub": stub(),
             "os-release": b"ID=test\nPRETTY_NAME=\"Test 1\"\n",
             "seccomp.json": json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
                 {"names": ["read", "write", "exit_group", "execve"], "action": "SCMP_ACT_ALLOW", "args": []}]}).encode()}
    for name, data in files.items():
        write(where + "/" + name, data)
    about = {"version": 1, "name": "trixie-7", "svn": 3, "date": DATE, "suite": "trixie", "source": "mirror", "kernel": "6.12.1",
             "verity": {"roothash": "c4" * 32, "salt": "75" * 32, "algorithm": "sha256", "data_blocks": 256, "hash_start": 0,
                        "data_block_size": 4096, "hash_block_size": 4096},
             "files": {n: {"sha256": hashlib.sha256(d).hexdigest(), "size": len(d)} for n, d in files.items()}, "packages": [],
             "ccdm": "1", "words": WORDS}
    write(where + "/base.json", json.dumps(about).encode())
    return where


def container(path):
    """An archive in OCI layout, with one layer."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as t:
        for name, data, mode, uid in (("bin/app", b"#!app\n" * 1000, 0o755, 0), ("etc/passwd", b"app:x:1234:1234::/:/bin/app\n", 0o644, 0),
                                      ("srv/data", os.urandom(300000), 0o600, 1234)):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.mtime = len(data), mode, uid, 1600000000
            t.addfile(info, io.BytesIO(data))
    blobs = {}

    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        blobs["blobs/sha256/" + digest] = data
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(data)}
    low = blob("layer.v1.tar", layer.getvalue())
    config = blob("config.v1+json", json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/app"], "User": "app"},
                                                "rootfs": {"type": "layers", "diff_ids": [low["digest"]]}}).encode())
    manifest = blob("manifest.v1+json", json.dumps({"schemaVersion": 2, "config": config, "layers": [low]}).encode())
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "docker.io/library/shop:1.0"}
    files = dict(blobs, **{"oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
                           "index.json": json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode()})
    with tarfile.open(path, "w") as t:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return manifest["digest"]


def tree(tmp):
    where = tmp + "/tree"
    for path, data in {"boot/vmlinuz-6.12.1": F.sections(F.uki())[".linux"], "boot/initrd.img-6.12.1": F.initrd(F.CONF),
                       "usr/lib/modules/6.12.1/modules.dep": b"", "usr/lib/os-release": b"ID=test\n",
                       "usr/lib/systemd/boot/efi/linuxx64.efi.stub": stub(), "usr/bin/app": b"app" * 5000}.items():
        write(where + "/" + path, data)
    os.makedirs(where + "/etc")
    os.symlink("../usr/lib/os-release", where + "/etc/os-release")
    os.utime(where + "/usr/lib/os-release", (DATE, DATE))
    return where


class Builder:
    """Builds in a folder of their own, with a program that any user may run."""

    def __init__(self, tmp, t):
        self.t, self.tmp, self.count = t, tmp, 0
        os.chmod(tmp, 0o755)
        self.program = shutil.copy(t.BIN + "/ccdm-image", tmp + "/ccdm-image")
        self.base = base(tmp)
        self.image = tmp + "/app.tar"
        self.digest = container(self.image)
        self.config = write(tmp + "/conf/workload.yaml", CONFIG)
        write(tmp + "/conf/app.conf", b"a = b\n")
        self.ca = tmp + "/ca.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
                        "-out", self.ca, "-subj", "/CN=broker"], check=True, stderr=subprocess.DEVNULL)
        self.words = ("--oci", self.image, "--base", self.base, "--config", self.config, "--broker", "https://broker.example:8080",
                      "--ca", self.ca, "--size", "200M")

    def folder(self):
        self.count += 1
        path = "%s/out%d" % (self.tmp, self.count)
        os.makedirs(path)
        return path

    def start(self, where, *words, name="disk.img", env=None, before=(), **kw):
        return subprocess.Popen([*before, self.program, "build", "--output", os.path.join(where, name), *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, **env or {}), **kw)

    def run(self, where, *words, **kw):
        with self.start(where, *words, **kw) as p:
            out, err = p.communicate()
        return p.returncode, out, err

    def fails(self, what, code, text, *words, **kw):
        """It ends with this code and text, and leaves nothing."""
        where = self.folder()
        if "user" in kw:
            os.chown(where, kw["user"], kw["user"])
        rc, out, err = self.run(where, *words, **kw)
        self.t.ok(rc == code and text in err and not os.listdir(where), "build, %s: %d, %s" % (what, code, text),
                  (rc, err, os.listdir(where)))


# ---- what is on the disk ----

def table(disk):
    out = subprocess.run(["sfdisk", "--json", disk], check=True, capture_output=True, text=True).stdout
    return json.loads(out)["partitiontable"]


def extract(disk, part, to):
    with open(disk, "rb") as f, open(to, "wb") as g:
        f.seek(part["start"] * 512)
        g.write(f.read(part["size"] * 512))
    return to


def content(b):
    t = b.t
    where = b.folder()
    disk = where + "/disk.img"
    rc, out, err = b.run(where, *b.words)
    t.ok(rc == 0, "build --oci", err)
    t.ok(sorted(os.listdir(where)) == ["disk.efi", "disk.img", "disk.json", "disk.policy.yaml"], "its files", os.listdir(where))
    with open(where + "/disk.json") as f:
        said = json.load(f)
    parts = {p["name"]: p for p in table(disk)["partitions"]}
    t.ok({n: int(p["node"][len(disk):]) for n, p in parts.items()} == NUMBERS, "each partition has its number", parts)
    t.ok(all(p["start"] % 2048 == 0 for p in parts.values()) and max(parts.values(), key=lambda p: p["start"])["name"] == "scratch",
         "each begins at a MiB, and the scratch is last", parts)
    t.ok(all(p["uuid"][14] == "8" and p["uuid"][19] in "89AB" for p in parts.values()), "each UUID is of version 8", parts)
    t.ok(os.stat(disk).st_blocks * 512 < os.stat(disk).st_size // 2, "the disk is sparse", os.stat(disk))
    # the base, byte for byte; the manifest's place is empty
    with open(b.base + "/base.img", "rb") as f, open(extract(disk, parts["base"], where + "/p"), "rb") as g:
        t.ok(f.read() == g.read(), "the base is on the disk")
    with open(extract(disk, parts["manifest"], where + "/p"), "rb") as g:
        t.ok(g.read() == bytes(65536), "without a key the manifest is zeros")
    # the workload: a file system without errors, under its hash tree
    work, w = extract(disk, parts["workload"], where + "/p"), said["workload"]
    r = subprocess.run(["e2fsck", "-fn", work], capture_output=True, text=True)
    t.ok(r.returncode == 0, "the workload's file system has no errors", r.stdout)
    r = subprocess.run(["veritysetup", "verify", "--no-superblock", "--hash-offset", str(int(w["hash_start"]) * 4096), "--data-blocks",
                        w["data_blocks"], "--salt", w["salt"], work, work, w["roothash"]], capture_output=True, text=True)
    t.ok(r.returncode == 0, "the hash tree of the workload verifies", r.stderr)
    seen = subprocess.run(["debugfs", "-f", "-", work], input="cat /config.json\nstat /rootfs/srv/data\ncat /rootfs/etc/app.conf\n",
                          capture_output=True, text=True).stdout
    t.ok('"GREETING=hello"' in seen and "User:  1234" in seen and "a = b" in seen,
         "it has config.json, the image's files and our own", seen)
    measured(b, disk, said, w)
    with open(where + "/disk.policy.yaml") as f:
        policy = f.read()
    t.ok("default/web/tls-key" in policy and said["enclave-id"]["tpm"]["sha256"] in policy,
         "the policy names the secret and the ID", policy)
    t.ok(said["product"] == "web" and said["svn"] == 7 and said["inputs"]["image"] == b.digest[7:] and
         said["tools"]["mke2fs"] and where not in json.dumps(said), "the report: product, inputs, tools, no path", said)
    return where


def measured(b, disk, said, workload):
    """Compare the report with a second implementation."""
    happened = F.events(disk)
    for bank in F.BANKS:
        wanted = {p: [d[bank].hex() for q, d, _, _ in happened if p == q] for p in (4, 5, 9, 11)}
        found = {p: [e["digests"][bank] for e in said["events"] if e["pcr"] == p] for p in wanted}
        b.t.ok(found == wanted, "each event of PCR 4, 5, 9 and 11 in " + bank, (found, wanted))
    verity = "%s:1 4096 4096 %s %s sha256 %s %s 1 panic_on_corruption"
    texts = [verity % ("ccdm-base", 256, 0, "c4" * 32, "75" * 32),
             verity % ("ccdm-workload", workload["data_blocks"], workload["hash_start"], workload["roothash"], workload["salt"]),
             "ccdm-ready:1"]
    for bank in F.BANKS:
        b.t.ok(said["enclave-id"]["tpm"][bank] == F.enclave_id(happened, texts, bank), "the enclave ID in " + bank, texts)


# ---- the same bytes ----

def another_day(b):
    """A folder with the programs that build runs, on another day. Return: the value of PATH"""
    fake, where = shutil.which("faketime"), b.tmp + "/day"
    for name in TOOLS:
        path = write(where + "/" + name, b"#!/bin/sh\nexec %s '%s' %s \"$@\"\n" % (
            fake.encode(), DAY.encode(), shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin").encode()))
        os.chmod(path, 0o755)
    return where + ":" + os.environ["PATH"]


def same(b, first):
    where, tools = b.folder(), another_day(b)
    os.chown(where, NOBODY, NOBODY)
    for path in (b.image, b.config, b.base + "/base.img", b.ca):
        os.utime(path, (1, 1))

    def other():
        os.umask(0o077)
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rc, _, err = b.run(where, *b.words, env={"TZ": "Asia/Tokyo", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/", "MTOOLSRC": "/none",
                                             "MKE2FS_CONFIG": "/none", "MKE2FS_DEVICE_SECTSIZE": "4096", "PATH": tools},
                       user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", preexec_fn=other, before=("faketime", DAY))
    b.t.ok(rc == 0, "build as another user", err)
    for name in ("disk.img", "disk.efi", "disk.json", "disk.policy.yaml"):
        r = subprocess.run(["cmp", first + "/" + name, where + "/" + name], capture_output=True, text=True)
        b.t.ok(r.returncode == 0, "another user, umask, folder, time zone, locale, day, number of CPUs: the same " + name,
               r.stdout + r.stderr)
    rc, _, err = b.run(where, *b.words, env={"SOURCE_DATE_EPOCH": str(DATE + 5)})
    r = subprocess.run(["cmp", first + "/disk.img", where + "/disk.img"], capture_output=True)
    b.t.ok(rc == 0 and r.returncode == 1, "SOURCE_DATE_EPOCH is another date", err)


# ---- other outputs ----

def signed(b):
    t, where = b.t, b.folder()
    key = where + "/k.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True,
                   stderr=subprocess.DEVNULL)
    os.chmod(key, 0o600)
    rc, out, err = b.run(where, *b.words, "--signing-key", key)
    t.ok(rc == 0, "build --signing-key", err)
    t.says(0, "it lists the enclave IDs of this disk", "inspect", where + "/disk.img")
    with open(where + "/disk.json") as f:
        said = json.load(f)
    with open(where + "/disk.policy.yaml") as f:
        policy = f.read()
    t.ok(said["signer.key"] in policy and "ccdm-signer" in json.dumps(said["events"]),
         "the policy names the signer, which is measured", policy)
    rc, out, err = b.run(where, *b.words, "--debug", "--format", "vhd", name="d.vhd")
    with open(where + "/d.json") as f:
        said = json.load(f)
    t.ok(rc == 0 and os.stat(where + "/d.vhd").st_size % (1 << 20) == 512, "build --format vhd", err)
    t.ok("warning: --debug" in err and said["product"] == "web-debug" and "debug_shell" in said["cmdline"], "--debug says so", (err, said))


def secure_boot(b):
    """A signature changes no enclave ID and no partition's place; only the ESP differs."""
    t, where = b.t, b.folder()
    key, cert = where + "/db.key", where + "/db.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=x",
                    "-days", "1"], check=True, stderr=subprocess.DEVNULL)
    reports = []
    for words in (), ("--secureboot-key", key, "--secureboot-cert", cert):
        rc, _, err = b.run(where, *b.words, *words)
        with open(where + "/disk.json") as f:
            reports.append(json.load(f))
        t.ok(rc == 0, "build " + " ".join(words[::2]), err)
    t.ok(all(reports[0][k] == reports[1][k] for k in ("enclave-id", "events", "partitions")), "a signature changes no event", reports)
    r = subprocess.run(["sbverify", "--cert", cert, where + "/disk.efi"], capture_output=True, text=True)
    t.ok(r.returncode == 0, "the signature of the UKI is valid", r.stderr)
    b.fails("a certificate as the key", 1, "sbsign ended with exit status 1", *b.words, "--secureboot-key", cert, "--secureboot-cert", cert)


def of_tree(b):
    t, where = b.t, b.folder()
    top = tree(b.tmp)
    words = ("--tree", top, "--size", "200M")
    rc, _, err = b.run(where, *words)
    t.ok(rc == 0, "build --tree", err)
    with open(where + "/disk.json") as f:
        first = json.load(f)
    t.ok([p["number"] for p in first["partitions"]] == [1, 2, 3, 5, 6], "a tree has no workload, and the numbers stay", first["partitions"])
    t.ok(first["enclave-id"]["tpm"]["sha256"] and first["date"] == DATE, "its ID is known, its date is that of os-release", first)
    measured_tree(b, where + "/disk.img", first)
    # the tree's own settings are kept, and the base depends on none of them
    write(top + "/etc/ccdm/ccdm.conf", F.CONF.replace("[root]\n", "[root]\nmin_size = 4M\n").encode())
    rc, _, err = b.run(where, *words, "--broker", "https://b.example", "--ca", b.ca)
    with open(where + "/disk.json") as f:
        second = json.load(f)
    conf = json.loads(t.image("inspect", where + "/disk.img", "--json")[1])["ccdm.conf"]
    t.ok(rc == 0 and second["base"] == first["base"], "ccdm.conf of the tree does not change the base", err)
    t.ok("min_size = 4M" in conf and "broker = https://b.example" in conf and first["base"]["roothash"] in conf and "c4c4" not in conf,
         "its settings are kept, but for the base", conf)
    b.fails("a setting twice", 1, "--tpm: etc/ccdm/ccdm.conf of the tree has tpm already", *words, "--tpm", "off")
    write(top + "/etc/ccdm/ccdm.conf", b"[root]\ncolour = red\n")
    b.fails("a tree's ccdm.conf with an unknown key", 1, "unknown key 'colour'", *words)
    shutil.rmtree(top + "/etc/ccdm")
    os.rename(top + "/boot/initrd.img-6.12.1", b.tmp + "/kept")
    write(top + "/boot/initrd.img-6.12.1", b"")
    b.fails("an empty initrd", 1, "expected the tree's initrd, found an empty file", *words)
    os.unlink(top + "/boot/initrd.img-6.12.1")
    b.fails("no initrd, and not root", 2, "only root can run dracut", *words, user=NOBODY, group=NOBODY, extra_groups=[])
    os.rename(b.tmp + "/kept", top + "/boot/initrd.img-6.12.1")
    os.mkdir(top + "/usr/lib/modules/6.12.2")
    b.fails("two kernels", 1, "expected one kernel", *words)
    os.rmdir(top + "/usr/lib/modules/6.12.2")
    os.unlink(top + "/boot/vmlinuz-6.12.1")
    b.fails("no kernel", 1, "expected the kernel boot/vmlinuz-6.12.1", *words)
    b.fails("no tree", 4, "No such file", "--tree", b.tmp + "/none")


def measured_tree(b, disk, said):
    happened, v = F.events(disk), said["base"]
    texts = ["ccdm-base:1 4096 4096 %s 0 sha256 %s %s 1 panic_on_corruption" % (v["data_blocks"], v["roothash"], v["salt"]), "ccdm-ready:1"]
    b.t.ok(said["enclave-id"]["tpm"]["sha256"] == F.enclave_id(happened, texts, "sha256"), "the enclave ID of a tree's disk", texts)


# ---- what fails ----

def usage(b):
    for words, text in (((), "expected --oci IMAGE or --tree DIR"), (("--oci", b.image), "--oci needs --base DIR"),
                        (("--tree", "/", "--config", "x"), "need --oci"), (("--tree", "/", "--ca", "x"), "--ca needs --broker"),
                        (("--tree", "/", "--secureboot-key", "x"), "need each other"), (("--tree", "/", "--size", "much"), "invalid value"),
                        (("--tree", "/", "--format", "iso"), "invalid value"), (("--tree", "/", "--vcpus", "2"), "need --firmware")):
        b.fails("usage " + " ".join(words[::2]), 1, text, *words)
    rc, _, err = b.t.image("build", "--tree", "/")
    b.t.ok(rc == 1 and "expected --output FILE" in err, "build without --output", err)
    b.fails("too small", 1, "expected room for the content", *b.words[:-1], "40M")
    b.fails("an invalid date", 1, "SOURCE_DATE_EPOCH: expected seconds", *b.words, env={"SOURCE_DATE_EPOCH": "today"})
    b.fails("secrets without a broker", 1, "add --broker", *b.words[:6])
    for name, text in ("an empty", b""), ("a wrong", b"a certificate\n"):
        b.fails(name + " file of a CA", 1, "certificate", *b.words[:6], "--broker", "https://b", "--ca", write(b.tmp + "/wrong.pem", text))
    b.fails("no container image", 1, "", "--oci", b.config, *b.words[2:])
    b.fails("a folder without a base", 4, "base.json", *b.words[:2], "--base", b.tmp, *b.words[4:])
    rc, _, err = b.run(b.tmp + "/none", *b.words)
    b.t.ok(rc == 4 and "No such file" in err, "build into no folder", err)
    # a rename would replace the device or the pipe itself
    for name in "disk.img", "disk.json":
        where = b.folder()
        os.mkfifo(where + "/pipe")
        os.symlink("pipe", where + "/" + name)
        rc, _, err = b.run(where, *b.words)
        b.t.ok(rc == 5 and name + ": expected a regular file or none" in err and sorted(os.listdir(where)) == sorted([name, "pipe"]) and
               os.path.islink(where + "/" + name), "build over a pipe, as %s: 5, and it stays" % name, (rc, err, os.listdir(where)))
    where = b.folder()
    rc, _, err = b.run(where, *b.words, user=NOBODY, group=NOBODY, extra_groups=[])
    b.t.ok(rc == 2 and "Permission denied" in err and not os.listdir(where), "build into a folder of another user: 2", (rc, err))


def names(b):
    """A name that a manifest, a policy or a guest refuses; none is cut."""
    of_tree = "--tree", tree(b.tmp + "/names"), "--size", "200M"
    for words in b.words, of_tree:
        b.fails("a product of 64 letters", 1, "expected 1 to 63", *words, "--product", "x" * 64)
        b.fails("with --debug, of 58", 1, "expected 1 to 57", *words, "--product", "x" * 58, "--debug")
        b.fails("with a blank", 1, "product 'a b'", *words, "--product", "a b")
        where = b.folder()
        rc, _, err = b.run(where, *words, "--product", "x" * 57, "--debug")
        with open(where + "/disk.json") as f:
            said = json.load(f)
        b.t.ok(rc == 0 and said["product"] == "x" * 57 + "-debug", "a product of 57 letters with --debug", (err, said))
    b.fails("a product that no guest accepts", 1, "product 'a&b'", *b.words, "--product", "a&b")


def missing(b):
    tools = b.tmp + "/tools"
    os.mkdir(tools)
    for name in TOOLS:
        os.symlink(shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"), tools + "/" + name)
    for name, package in TOOLS.items():
        kept = os.readlink(tools + "/" + name)
        os.unlink(tools + "/" + name)
        b.fails("without " + name, 4, name + ": no such program in PATH", *b.words, env={"PATH": tools})
        b.fails("the package of " + name, 4, "install the package " + package, *b.words, env={"PATH": tools})
        os.symlink(kept, tools + "/" + name)
    os.unlink(tools + "/mke2fs")
    write(tools + "/mke2fs", b"#!/bin/sh\necho 'mke2fs 1.47.0 (5-Feb-2023)' >&2\n")
    os.chmod(tools + "/mke2fs", 0o755)
    b.fails("an old mke2fs", 4, "expected version 1.47.1 or later, found 1.47.0", *b.words, env={"PATH": tools})


def full(b):
    """The file system has no more room: at each size another stage fails. A limit on the size of files has the same effect."""
    script = 'mount -t tmpfs -o size="$1"k none "$2"; d=$2; shift 2; "$@"; rc=$?; ls -A "$d"; exit $rc'
    for kib in 4, 300, 700, 1000, 1500, 2000:
        where = b.folder()
        r = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", str(kib), where, b.program, "build", "--quiet", "--output",
                            where + "/disk.img", *b.words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        b.t.ok(r.returncode == 4 and "No space left" in r.stderr and not r.stdout, "%d KiB of room: 4, and nothing stays" % kib,
               (r.returncode, r.stderr, r.stdout))
    for kib in 0, 300, 2000, 100000:
        where = b.folder()
        rc, _, err = b.run(where, *b.words, preexec_fn=lambda k=kib: resource.setrlimit(resource.RLIMIT_FSIZE, (k << 10, k << 10)))
        b.t.ok(rc in (1, 4) and ("File too large" in err or "size limit" in err) and not os.listdir(where),
               "files of at most %d KiB: nothing stays" % kib, (rc, err, os.listdir(where)))


def interrupted(b):
    """A signal when a stage begins."""
    for number, stage in enumerate(STAGES):
        where = b.folder()
        with b.start(where, *b.words, "--progress-json") as p:
            for line in p.stdout:
                if '"%s"' % stage in line:
                    break
            p.send_signal((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3])
            _, err = p.communicate()
        b.t.ok(p.returncode == 1 and "interrupted" in err and not os.listdir(where), "interrupted in stage %s: nothing stays" % stage,
               (p.returncode, err, os.listdir(where)))


def tests(tmp, t):
    os.chmod(tmp, 0o755)
    os.mkdir(tmp + "/building")
    b = Builder(tmp + "/building", t)
    first = content(b)
    same(b, first)
    signed(b)
    secure_boot(b)
    of_tree(b)
    usage(b)
    names(b)
    missing(b)
    full(b)
    interrupted(b)
