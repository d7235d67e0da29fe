#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - configurations of containers: equal to umoci's, and accepted by crun

  tests/run program workload

As root. crun runs a static program, which says what the sandbox lets it see and do.
"""
import json
import os
import resource
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
import container as C  # noqa: E402

RUNTIME = os.path.join(TOP, "build/unit/runtime")
SECCOMP = "/usr/share/containers/seccomp.json"
PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1234:1234::/home/app:/bin/sh\nother:x:7:8::/o:\n"
GROUP = "root:x:0:\nextra:x:77:app\nmore:x:78:root,app\napp:x:1234:\n"
# Configurations of images. umoci takes HOME only from passwd, so the users have entries there, except in a case below.
SAME = (
    {"Cmd": ["/c"]}, {"Entrypoint": ["/e"]}, {"Entrypoint": ["/e", "a b"], "Cmd": ["", "c"]}, {"Entrypoint": [], "Cmd": ["x"]},
    {"Entrypoint": ["/e"], "Cmd": None}, {"Cmd": ["x"], "Env": None},
    {"Cmd": ["x"], "Env": ["A=1", "B=", "A=2=3", "C=$A \"x\" \n y"]}, {"Cmd": ["x"], "Env": ["PATH=/a:/b", "TERM=dumb"]},
    {"Cmd": ["\u00e4", "\u4e2d"], "Env": ["U=\u00e9"]}, {"Cmd": ["x"], "WorkingDir": "/w/x"}, {"Cmd": ["x"], "WorkingDir": "/a/../b//c"},
    {"Cmd": ["x"], "WorkingDir": ""}, {"Cmd": ["x"], "User": "app"}, {"Cmd": ["x"], "User": "1234"}, {"Cmd": ["x"], "User": "app:extra"},
    {"Cmd": ["x"], "User": "app:999"}, {"Cmd": ["x"], "User": "0:77"}, {"Cmd": ["x"], "User": ":78"}, {"Cmd": ["x"], "User": "app:"},
    {"Cmd": ["x"], "User": "other"}, {"Cmd": ["x"], "User": "root"}, {"Cmd": ["x"], "User": "07"}, {"Cmd": ["x"], "User": "99"},
    {"Cmd": ["x"], "User": "99:98"}, {"Cmd": ["x"], "User": "2147483647"},
    {"Cmd": ["x"], "User": "app", "StopSignal": "SIGQUIT", "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/v": {}}},
)
REFUSED = ({"Cmd": ["x"], "User": "nobody"}, {"Cmd": ["x"], "User": "app:nogroup"}, {"Cmd": ["x"], "User": "2147483648"},
           {"Cmd": ["x"], "User": "-1"}, {"Cmd": ["x"], "Env": ["A"]}, {"Cmd": ["x"], "Env": ["=A"]})
# The right to load the filter of devices; without it, crun leaves the cgroup alone.
with open("/proc/self/status") as status:
    RESOURCE = int(next(x.split()[1] for x in status if x.startswith("CapEff:")), 16) >> 24 & 1
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond:
        print("# " + str(detail)[:3000].replace("\n", "\n# "))
    return cond


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def runtime(tmp, image, yaml, rootfs, out):
    os.makedirs(out, exist_ok=True)
    r = subprocess.run([RUNTIME, write(tmp + "/image.json", json.dumps({"architecture": "amd64", "os": "linux", "config": image})),
                        write(tmp + "/workload.yaml", "version: 1\n" + yaml), rootfs, SECCOMP, out], capture_output=True, text=True)
    return r.returncode, r.stdout, r.stderr


def process(path):
    with open(path) as f:
        p = json.load(f)["process"]
    return {"args": p["args"], "env": p["env"], "cwd": p["cwd"], "uid": p["user"]["uid"], "gid": p["user"]["gid"],
            "groups": p["user"].get("additionalGids", [])}


# ---- compared with umoci ----

def beside_umoci(tmp):
    layer = C.tar(C.folder("etc"), C.entry("etc/passwd", data=PASSWD), C.entry("etc/group", data=GROUP))
    for i, image in enumerate(SAME + REFUSED):
        here = tmp + "/%d" % i
        oci, bundle = C.layout([layer], conf=C.config([layer], config=image)).write(here + "/oci"), here + "/bundle"
        u = subprocess.run(["umoci", "unpack", "--image", oci + ":app", bundle], capture_output=True, text=True)
        name = json.dumps(image)
        if i >= len(SAME):
            rc, _, err = runtime(here, image, "", here, here + "/out")
            ok(u.returncode and rc == 1 and err.startswith("runtime: "), "refused as by umoci: " + name, (u.stderr, rc, err))
            continue
        rc, _, err = runtime(here, image, "", bundle + "/rootfs", here + "/out")
        if not ok(not u.returncode and rc == 0, "umoci and runtime read " + name, (u.stderr, err)):
            continue
        theirs, ours = process(bundle + "/config.json"), process(here + "/out/config.json")
        # A user without an entry has no HOME with umoci, and / with Docker.
        if not [e for e in theirs["env"] if e.startswith("HOME=")]:
            theirs["env"].append("HOME=/")
        ok(ours == theirs, "args, env, cwd, user and groups of " + name, "ours %s\numoci's %s" % (ours, theirs))


# ---- crun ----

IN_PLACE = """
set -e
mount --make-rprivate /
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/ccdm /var/lib/ccdm
mount -t tmpfs tmpfs /run/ccdm
mount -t tmpfs tmpfs /var/lib/ccdm
mkdir -p /run/ccdm/workload/secrets /run/ccdm/workload/etc /var/lib/ccdm/volumes/0 /run/ccdm/root
echo "the secret" >/run/ccdm/workload/secrets/key
chmod 0400 /run/ccdm/workload/secrets/key
chown "$2" /run/ccdm/workload/secrets/key /var/lib/ccdm/volumes/0
for f in hosts hostname resolv.conf; do echo "ccdm's $f" >/run/ccdm/workload/etc/$f; done
echo >/var/lib/ccdm/volumes/0/seed
cp -a "$1/rootfs" "$1/config.json" /run/ccdm/workload/
exec crun --root /run/ccdm/root --cgroup-manager="$4" run --no-new-keyring --bundle /run/ccdm/workload "$3" </dev/null
"""


def in_crun(tmp, name, image, yaml):
    """Run "inside" as this image. Return: lines that it printed, as {key: [value...]}."""
    here = tmp + "/" + name
    os.makedirs(here + "/rootfs/data")
    os.makedirs(here + "/rootfs/proc")
    write(here + "/rootfs/etc/passwd", PASSWD)
    write(here + "/rootfs/etc/group", GROUP)
    os.symlink("../tmp/elsewhere", here + "/rootfs/etc/resolv.conf")
    os.chmod(here + "/rootfs", 0o755)
    subprocess.run(["cp", os.path.join(TOP, "build/tests/inside"), here + "/rootfs/inside"], check=True)
    rc, said, err = runtime(here, image, yaml, here + "/rootfs", here)
    if not ok(rc == 0, "%s: the configuration is made" % name, err):
        return {}, said
    with open(here + "/config.json") as f:
        config = json.load(f)
    user = config["process"]["user"]
    # What this machine lacks: a high limit of files, controllers in the second hierarchy of cgroups, a cgroup of systemd.
    have = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t cgroup2 x /sys/fs/cgroup; cat /sys/fs/cgroup/cgroup.controllers"],
                          capture_output=True, text=True).stdout.split()
    for controller in {"memory", "pids"} - set(have):
        config["linux"]["resources"].pop(controller, None)
    config["linux"]["cgroupsPath"] = "/ccdm-test-%d-%s" % (os.getpid(), name)
    for limit in config["process"]["rlimits"]:
        limit["hard"] = min(limit["hard"], resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    write(here + "/config.json", json.dumps(config))
    r = subprocess.run(["unshare", "-m", "sh", "-c", IN_PLACE, "sh", here, "%d:%d" % (user["uid"], user["gid"]),
                        "ccdm-test-%d-%s" % (os.getpid(), name), "cgroupfs" if RESOURCE else "disabled"], capture_output=True, text=True)
    found = {}
    for line in r.stdout.splitlines():
        key, _, value = line.partition(":\t") if ":\t" in line else line.partition(" ")
        found.setdefault(key, []).append(value)
    ok(r.returncode == 3 and found.get("end") == ["1"], "%s: crun accepts the configuration, and ends with the program's 3" % name,
       (r.returncode, r.stdout, r.stderr))
    return found, said


def says(found, name, **facts):
    for key, value in facts.items():
        ok(found.get(key) == value, "%s: %s is %s" % (name, key, value), found.get(key))


NO = "Operation not permitted"
# Of the calls of "inside": what a container without CAP_SYS_ADMIN gets.
CALLS = {
    **{"call:" + x: [NO] for x in ("keyctl", "bpf", "fsopen", "open_tree", "move_mount", "mount_setattr", "pivot_root", "syslog",
                                   "perf_event_open", "userfaultfd", "reboot", "pidfd_getfd")},
    "call:io_uring_setup": ["Function not implemented"], "unshare:user": [NO], "unshare:all": [NO], "setns": [NO],
    "clone:user": ["Function not implemented"], "clone:net": ["Function not implemented"], "clone:fork": ["done"],
    # libc takes clone() instead
    "clone3:user": ["Function not implemented"], "clone3:fork": ["Function not implemented"],
    "socket:vsock": ["Address family not supported by protocol"], "socket:vsock+high": ["Address family not supported by protocol"],
    "socket:alg": ["Address family not supported by protocol"], "socket:unix": ["done"], "socket:inet": ["done"],
    "socket:inet6": ["done"], "thread": ["done"], "netlink": ["done"]}


def calls(found, name, **but):
    """What the seccomp filter lets through. (A kernel without programs of 32 bits ends one that calls as they do.)"""
    says(found, name, **dict(CALLS, **but))
    for key in "socketcall:vsock", "socketcall:unix":
        ok(found.get(key) in ([NO], ["signal 11"]), "%s: %s is refused" % (name, key), found.get(key))


def sandbox(tmp):
    image = {"Entrypoint": ["/inside"], "Cmd": ["a b"], "User": "app", "Env": ["A=x y"], "WorkingDir": "/etc"}
    yaml = "run: {volumes: [/data], tmpfs: [/tmp]}\nsecrets: {key: a/b/c}\n"
    found, said = in_crun(tmp, "user", image, yaml)
    says(found, "user", arg1=["a b"], pid=["1"], uid=["1234"], gid=["1234"], group=["77", "78"], cwd=["/etc"], CapEff=["0000000000000000"],
         CapPrm=["0000000000000000"], CapInh=["0000000000000000"], CapAmb=["0000000000000000"], CapBnd=["00000000a80425fb"],
         NoNewPrivs=["1"], Seccomp=["2"], umount=["Operation not permitted"], mount=["Operation not permitted"],
         mknod=["Operation not permitted"], module=["Operation not permitted"], seeded=["0"])
    calls(found, "user")
    says(found, "user", **{
        "in:/proc/self/fd": [".", "..", "0", "1", "2", "3"],
        "env:A": ["x y"], "env:HOME": ["/home/app"], "in:/sys/firmware": [".", ".."], "in:/sys/kernel/security": [".", ".."],
        "file:/proc/keys": ["0 "], "file:/proc/timer_list": ["0 "], "file:/etc/hosts": ["13 ccdm's hosts"],
        "file:/run/secrets/key": ["11 the secret"], "write:root": ["Permission denied"], "write:volume": ["done"], "write:tmpfs": ["done"],
        "write:secret": ["Permission denied"]})
    devices = set(found.get("in:/dev", ())) - {".", ".."}
    ok(devices == {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "mqueue", "core", "fd", "stdin", "stdout",
                   "stderr"}, "user: only the standard devices", devices)
    ok(said == "", "user: nothing weakens the sandbox", said)
    found, _ = in_crun(tmp, "root", dict(image, User=""), yaml + "logs: none\n")
    says(found, "root", uid=["0"], CapEff=["00000000a80425fb"], CapAmb=["0000000000000000"], umount=["Operation not permitted"],
         mount=["Operation not permitted"], module=["Operation not permitted"])
    calls(found, "root")
    says(found, "root", **{"write:root": ["done"], "write:secret": ["Read-only file system"], "write:sysctl": ["Read-only file system"]})
    # (files that not every kernel has)
    ok(found.get("file:/proc/kcore") in (["0 "], ["No such file or directory"]), "root: /proc/kcore is masked", found)
    ok(found.get("write:sysrq") in (["Read-only file system"], ["No such file or directory"]), "root: no SysRq", found)
    ok(found.get("open:mem", ["done"]) != ["done"], "root: a device that it makes cannot be opened", found.get("open:mem"))
    found, _ = in_crun(tmp, "tight", dict(image, User=""), "run: {read_only: true, capabilities: {drop: ALL, add: [KILL]}, "
                       "volumes: [/data], tmpfs: [/tmp], memory: 64M, pids: 16}\nsecrets: {key: a/b/c}\n")
    says(found, "tight", CapEff=["0000000000000020"], CapBnd=["0000000000000020"], **{"write:root": ["Read-only file system"]})
    found, said = in_crun(tmp, "weak", image, "run: {capabilities: {add: [SYS_ADMIN]}, volumes: [/data], tmpfs: [/tmp]}\n"
                          "secrets: {key: a/b/c}\nlogs: console\n")
    says(found, "weak", **{"call:keyctl": [NO], "unshare:user": ["done"], "clone:user": ["done"], "clone3:user": ["done"],
                           "socket:vsock": CALLS["socket:vsock"], "socket:alg": CALLS["socket:alg"]})
    says(found, "weak", CapAmb=["0000000000200000"], CapEff=["0000000000200000"], mount=["done"])
    ok("CAP_SYS_ADMIN" in said and "the host can read all" in said, "weak: a warning for each setting that weakens the sandbox", said)


def main():
    subprocess.run(["make", "-s", "build/unit/runtime", "build/tests/inside"], cwd=TOP, check=True, stdout=sys.stderr)
    print("KTAP version 1")
    if os.geteuid():
        print("1..0 # SKIP it needs root")
        return 0
    os.umask(0o022)
    for part in beside_umoci, sandbox:
        with tempfile.TemporaryDirectory(prefix="ccdm-workload-") as tmp:
            part(tmp)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
