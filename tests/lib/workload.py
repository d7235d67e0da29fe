# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""workload - workloads for boots: partitions made by hand, and disks that ccdm-image makes of container images"""
import hashlib
import json
import os
import shutil
import subprocess

import container as C
from boot import conf, image_script, make_disk, parts, tree
from vm import TOP

UUID = "44444444-4444-4444-8444-444444444444"
UID, GID, GROUP = 1234, 1234, 77
# Docker's
CAPS = ["CAP_" + x for x in ("AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID "
                             "SETPCAP SETUID SYS_CHROOT").split()]
FORBIDDEN = ["mount", "umount2", "bpf", "add_key", "keyctl", "ptrace", "unshare", "setns", "init_module"]


def mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def oci(args, secrets=(), volumes=()):
    """config.json, as ccdm-image writes one."""
    mounts = [
        mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
        mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
        mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro")]
    for name in ("hosts", "hostname", "resolv.conf"):
        mounts.append(mount("/etc/" + name, "bind", "/run/ccdm/workload/etc/" + name, "rbind", "rw", "nosuid", "nodev", "noexec"))
    for s in secrets:
        if "env" not in s:
            mounts.append(mount(s.get("file") or s["path"], "bind", "/run/ccdm/workload/secrets/" + s["name"],
                                "rbind", "ro", "nosuid", "nodev", "noexec"))
    for i, path in enumerate(volumes):
        mounts.append(mount(path, "bind", "/var/lib/ccdm/volumes/%d" % i, "rbind", "rw", "nosuid", "nodev"))
    devices = [{"allow": False, "access": "rwm"}]
    devices += [{"allow": True, "type": "c", "major": a, "minor": b, "access": "rwm"}
                for a, b in ((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2))]
    devices.append({"allow": True, "type": "c", "major": 136, "access": "rwm"})
    return {
        "ociVersion": "1.0.2", "hostname": "web-1",
        "process": {
            "terminal": False, "user": {"uid": UID, "gid": GID, "additionalGids": [GROUP]}, "args": list(args),
            "env": ["PATH=/bin", "HOME=/home/app", "DB_PASSWORD=none"], "cwd": "/tmp", "noNewPrivileges": True,
            "capabilities": {"bounding": CAPS, "permitted": [], "effective": [], "inheritable": [], "ambient": []}},
        "root": {"path": "rootfs", "readonly": False}, "mounts": mounts,
        "linux": {
            "namespaces": [{"type": x} for x in ("pid", "ipc", "uts", "mount", "cgroup")],
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/sys/kernel/security",
                            "/sys/kernel/config", "/sys/devices/virtual/misc"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
            "resources": {"devices": devices},
            "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                        "syscalls": [{"names": FORBIDDEN, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]},
            "cgroupsPath": "/system.slice/ccdm-workload.service/workload"}}


def root(t, name, script, files=None, setup=None, volumes=()):
    """The root of a container: busybox, and a script. files: more of it; setup: a function that gets the folder.
    Return: the folder that has it as rootfs."""
    top = tree(t, name + ".tree", dict({
        "rootfs/app.sh": script, "rootfs/etc/passwd": "root:x:0:0::/:/bin/sh\napp:x:%d:%d::/home/app:/bin/sh\n" % (UID, GID),
        "rootfs/etc/group": "root:x:0:\napp:x:%d:\nlog:x:%d:app\n" % (GID, GROUP)}, **files or {}))
    where = os.path.join(top, "rootfs")
    for folder in ("bin", "dev", "proc", "sys", "run", "tmp", "home/app"):
        os.makedirs(os.path.join(where, folder), exist_ok=True)
    shutil.copy("/bin/busybox", os.path.join(where, "bin/busybox"))
    subprocess.run(["chroot", where, "/bin/busybox", "--install", "-s", "/bin"], check=True)
    os.chmod(os.path.join(where, "tmp"), 0o1777)
    os.chown(os.path.join(where, "home/app"), UID, GID)
    for path in volumes:
        os.makedirs(where + path, exist_ok=True)
        os.chown(where + path, UID, GID)
    if setup:
        setup(where)
    return top


def partition(t, name, script, files=None, setup=None, config=None, **says):
    """A partition whose container runs script, as busybox's shell does. files, setup: as root(); config: changes
    config.json; says: of workload.json. Return: the file, and what ccdm.conf says of it."""
    says = dict({"version": 1, "product": "web", "user": {"uid": UID, "gid": GID}}, **says)
    volumes = [v["path"] for v in says.get("volumes", ())]
    top = root(t, name, script, files, setup, volumes)
    spec = oci(["/bin/sh", "/app.sh"], says.get("secrets", ()), volumes)
    if config:
        config(spec)
    for file, content in (("config.json", spec), ("workload.json", says)):
        with open(os.path.join(top, file), "w") as f:
            json.dump(content, f)
    img = os.path.join(t.dir, name + ".img")
    blocks = 8192
    with open(img, "wb") as f:
        f.truncate(blocks * 4096)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-O", "^has_journal", "-m", "0", "-d", top, img, str(blocks)],
                   check=True)
    out = subprocess.run(["veritysetup", "format", "--no-superblock", "--hash-offset", str(blocks * 4096), img, img], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    said = dict(x.split(":", 1) for x in out.splitlines() if ":" in x)
    return img, {"workload_device": "PARTUUID=" + UUID, "workload_roothash": said["Root hash"].strip(),
                 "workload_salt": said["Salt"].strip(), "workload_data_blocks": str(blocks), "workload_hash_start": str(blocks)}


def disk(t, name, img, says, **env):
    """A disk with this workload. env: as scripts/image, and changes of ccdm.conf as conf() has them in "says"."""
    path = os.path.join(t.dir, name)
    make_disk(t.kernel, path, CONF=conf(t, **says), WORKLOAD=img, **env)
    return path


# ---- container images, and disks that ccdm-image makes of them ----

SECCOMP = "/usr/share/containers/seccomp.json"


def image(t, what, *words):
    """Run ccdm-image, which must succeed."""
    r = subprocess.run([os.path.join(TOP, "build/bin/ccdm-image"), *words], capture_output=True, text=True)
    t.ok(r.returncode == 0, "ccdm-image: " + what, r.stderr)
    return r.stdout


def key(t, name):
    """A new key for signatures. Return: its file."""
    path = os.path.join(t.dir, name)
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path], check=True)
    return path


def layout(t, name, folders, config):
    """A container image in OCI layout, with a layer for each folder. config: as in the image's configuration. Return: its path."""
    path = os.path.join(t.dir, name + ".oci")
    blobs, layers, oci_dir = os.path.join(path, "blobs/sha256"), [], C.Layout()
    os.makedirs(blobs)
    for folder in folders:
        tar = os.path.join(blobs, "new")
        subprocess.run(["tar", "--numeric-owner", "--format=pax", "--sort=name", "-C", folder, "-cf", tar, "."], check=True)
        with open(tar, "rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest()
        layers.append({"mediaType": C.LAYER, "digest": "sha256:" + digest, "size": os.path.getsize(tar)})
        os.rename(tar, os.path.join(blobs, digest))
    about = {"architecture": "amd64", "os": "linux", "config": config,
             "rootfs": {"type": "layers", "diff_ids": [x["digest"] for x in layers]}}
    oci_dir.name(oci_dir.blob(C.js({
        "schemaVersion": 2, "mediaType": C.OCI + "manifest.v1+json", "config": oci_dir.blob(C.js(about), C.OCI + "config.v1+json"),
        "layers": layers}), C.OCI + "manifest.v1+json"), name)
    return oci_dir.write(path)


def base(t):
    """The base of these tests as the folder that "ccdm-image base" writes: with the tests' agent."""
    path, made = os.path.join(t.dir, "base"), parts(t.kernel)
    if os.path.exists(path):
        return path
    os.makedirs(path)
    files = {"base.img": made + "/base.img", "base.hash": made + "/hash.img", "initrd": image_script("initrd", t.kernel, "base"),
             "seccomp.json": SECCOMP, **{name: made + "/" + name for name in ("vmlinuz", "stub", "os-release")}}
    about = {}
    for name, file in files.items():
        os.symlink(file, os.path.join(path, name))
        with open(file, "rb") as f:
            about[name] = {"sha256": hashlib.file_digest(f, "sha256").hexdigest(), "size": os.path.getsize(file)}
    with open(made + "/verity") as f:
        said = {k.strip(): v.strip() for k, v in (x.split(":", 1) for x in f if ":" in x)}
    with open(made + "/release") as f, open(made + "/params") as words, open(os.path.join(path, "base.json"), "w") as out:
        json.dump({"version": 1, "name": t.debian + "-1", "svn": 1, "date": 1764547200, "suite": t.debian, "source": "mirror",
                   "kernel": f.read().strip(), "ccdm": "test", "words": words.read().strip(), "packages": [], "files": about,
                   "verity": {"roothash": said["Root hash"], "salt": said["Salt"], "algorithm": "sha256", "hash_start": 0,
                              "data_blocks": int(said["Data blocks"]), "data_block_size": 4096, "hash_block_size": 4096}}, out)
    return path


def build(t, name, oci_path, base_path, yaml, *words, size="1536M"):
    """A disk of this container image. yaml: workload.yaml, without its version. Return: the disk."""
    path, settings = os.path.join(t.dir, name + ".img"), os.path.join(t.dir, name + ".yaml")
    with open(settings, "w") as f:
        f.write("version: 1\n" + yaml)
    image(t, "build %s" % name, "build", "--quiet", "--oci", oci_path, "--base", base_path, "--config", settings, "--output", path,
          "--size", size, *words)
    return path
