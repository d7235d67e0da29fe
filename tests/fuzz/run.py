#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""run - fuzz the parsers of untrusted input: evidence, logs, messages, policies, configuration

  tests/run fuzz [--seconds N] [--inputs N] [--corpus DIR] [TARGET...]

Seeds come from the unit tests (tests/forge/seed.h), and from earlier runs in DIR (default
$CCDM_CACHE/fuzz). If CCDM_SEEDS names a folder in which a run of the unit tests left its seeds,
that one is used. Otherwise the unit tests run first. Each target runs N seconds (default 10) under the address and
undefined-behaviour sanitizers. Then the run prints which part of the lines in the target's files
the corpus reaches. Less than 80 % is a failure, and so is each crash, leak, or input that takes
longer than 10 seconds. Finally, on N of the seeds (default 4), each allocation fails once
(nth.c). With CCDM_COVERAGE only this last part runs, in programs that count lines like all
others (tests/gauge/coverage/run.py), without the sanitizers in ccdm's own code.
"""
import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build/fuzz")
COUNTS, COUNTED = "CCDM_COVERAGE" in os.environ, os.path.join(BUILD, "counted")
CACHE = os.environ.get("CCDM_CACHE", "/var/cache/ccdm")
LEAST = 80
PKGS = ["jansson", "libcrypto", "sqlite3", "tss2-mu", "tss2-esys", "tss2-rc", "tss2-tcti-device", "yaml-0.1",
        "devmapper", "libkmod", "libnl-3.0", "libnl-genl-3.0", "blkid", "libudev", "zlib", "libzstd", "libarchive", "fdisk"]
# targets that define functions of their own libraries
WRAPS = {"chip": ["-Wl,--wrap=Tss2_Tcti_Device_Init"]}
# additional seeds: requests of an administrator, and guests with genuine evidence
MORE = {"protocol": [
    b"admin\xff" + json.dumps(o).encode() for o in (
        {"do": "policy-list"}, {"do": "secret-list"}, {"do": "secrets-reseal"}, {"do": "policy-remove", "name": "x"},
        {"do": "policy-add",
         "text": "name: x\nsecrets: a/b/c\nrequire: {tee: snp, measurement: {value: %s, covers: image}}\n" % ("a1" * 48)},
        {"do": "policy-add", "dry-run": True, "text": "name: web\nsecrets: a/b/c\nrequire: {tee: tdx, debug: true, identity: any}\n"},
        {"do": "policy-add", "text": "name: [\n"}, {"do": "secret-put", "path": "a/b/c", "value": "AAEC"},
        {"do": "secret-put", "path": "a/b/c", "value": "!"}, {"do": "secret-remove", "path": "a/b/c"},
        {"do": "secret-remove", "path": "no/such/one"}, {"do": "explain", "evidence": {"version": "0.4.0", "tee": "tpm"}},
        {"do": "explain", "evidence": {"version": "0.4.0", "tee": "snp", "runtime-data": {"nonce": "n", "tee-pubkey": {}},
                                       "tee-evidence": {"primary_evidence": {}, "additional_evidence": ""}}},
        {"do": "status"}, {"do": "note", "what": "backup", "result": "done", "name": "x", "hash": "a1" * 32, "lines": 7},
        {"do": "note", "what": "restore", "result": "failed", "name": "x", "why": "y"},
        {"do": "note", "what": "restore", "result": "done", "name": "x"}, {"do": "note", "what": "backup", "result": "x", "name": "x"},
        {"do": "explain", "evidence": {"tee": "snp", "tee-evidence": {"primary_evidence": {}}}},
        {"do": "explain", "evidence": {"tee": "snp", "runtime-data": 1, "tee-evidence": {"primary_evidence": {}}}},
        {"do": "explain", "evidence": {"tee": "tpm", "tee-evidence": {"primary_evidence": {}, "additional_evidence": 1}}},
        {"do": 1}, [], {"do": "other"})] + [
    b"true\xff\xff\xffdefault/web/key", b"true\xff\xff\xffdefault/no/key", b"true\xff\xff\xffother/web/key",
    b"true\xffx\xff\x1e{}\n\xff../web/key"]}
results = []


def ok(cond, what, detail=""):
    results.append(bool(cond))
    print("%s %d %s" % ("ok" if cond else "not ok", len(results), what), flush=True)
    if not cond and detail:
        for line in str(detail).splitlines()[-40:]:
            print("# " + line)
    return cond


def pkg(what):
    return subprocess.run(["pkg-config", what, *PKGS], check=True, capture_output=True, text=True).stdout.split()


def sources():
    """All rooms of the library and of the broker, without files that belong to a program."""
    files = glob.glob(os.path.join(TOP, "userspace/lib/*/*.c")) + glob.glob(os.path.join(TOP, "userspace/broker/*/*.c"))
    return sorted(f for f in files if not re.search("/broker/(cli|daemon)/", f))


def compile_objects(targets, build, compiler):
    """Compile ccdm's sources, the targets and nth.c. Return: an archive of ccdm's sources, so that
    each target links only what it calls."""
    # a target calls some functions only to see that they do not crash
    flags = ["-std=gnu11", "-g", "-Wno-unused-result", "-D_GNU_SOURCE", '-DCCDM_VERSION="fuzz"',
             *["-I" + os.path.join(TOP, d) for d in ("kmod", "userspace/lib", "userspace/broker", "tests/forge")], *pkg("--cflags")]
    os.makedirs(build, exist_ok=True)
    objects, running = [], []
    for f in sources() + [os.path.join(TOP, "tests/fuzz/%s.c" % t) for t in [*targets, "nth"]]:
        o = os.path.join(build, os.path.relpath(f, TOP).replace("/", "-")[:-2] + ".o")
        if "/fuzz/" not in f:
            objects.append(o)
        running.append(subprocess.Popen([*compiler, *flags, "-c", "-o", o, f]))
        if len(running) >= os.cpu_count():
            if running.pop(0).wait():
                sys.exit("fuzz: it does not compile")
    if any([p.wait() for p in running]):
        sys.exit("fuzz: it does not compile")
    archive = os.path.join(build, "ccdm.a")
    if os.path.exists(archive):
        os.unlink(archive)
    subprocess.run(["ar", "rcs", archive, *objects], check=True)
    return archive


def compile_all(targets):
    """Build everything once, with the sanitizers and the counters of fuzzer and coverage."""
    archive = compile_objects(targets, BUILD, ["clang", "-O1", "-fsanitize=fuzzer-no-link,address,undefined",
                                               "-fno-sanitize-recover=all", "-fprofile-instr-generate", "-fcoverage-mapping"])
    for t in targets:
        subprocess.run(["clang", "-fsanitize=fuzzer,address,undefined", "-fprofile-instr-generate", "-o",
                        os.path.join(BUILD, t), os.path.join(BUILD, "tests-fuzz-%s.o" % t), archive,
                        *WRAPS.get(t, ()), *pkg("--libs")], check=True)
        subprocess.run(["clang", "-fsanitize=address,undefined", "-fprofile-instr-generate", "-o",
                        os.path.join(BUILD, t + ".nth"), os.path.join(BUILD, "tests-fuzz-%s.o" % t),
                        os.path.join(BUILD, "tests-fuzz-nth.o"), archive, *WRAPS.get(t, ()), *pkg("--libs")],
                       check=True)


def compile_counted(targets):
    """Build the targets with failing allocations, and with the counters of coverage only."""
    # Debian's gcc lacks the sanitizers' headers
    headers = subprocess.run(["clang", "-print-resource-dir"], check=True, capture_output=True, text=True).stdout.strip()
    counting = compile_objects(targets, COUNTED, ["gcc", "-O0", "--coverage", "-fprofile-update=atomic", "-include",
                                                  os.path.join(TOP, "tests/gauge/coverage/plain.h"), "-idirafter",
                                                  headers + "/include"])
    for t in targets:
        # nth.c uses the address sanitizer's allocator
        subprocess.run(["gcc", "-fsanitize=address", "--coverage", "-o", os.path.join(COUNTED, t),
                        os.path.join(COUNTED, "tests-fuzz-%s.o" % t), os.path.join(COUNTED, "tests-fuzz-nth.o"), counting,
                        *WRAPS.get(t, ()), *pkg("--libs")], check=True)


def seeds():
    """Write the unit tests' seeds, or take those that a run of them has left."""
    path = os.environ.get("CCDM_SEEDS", "")
    if not path or not os.path.isdir(path) or not os.listdir(path):
        path = os.path.join(BUILD, "seeds")
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        r = subprocess.run([os.path.join(TOP, "tests/run"), "unit"], env=dict(os.environ, CCDM_SEEDS=path), capture_output=True)
        if r.returncode:
            sys.exit("fuzz: the unit tests fail\n" + r.stdout.decode()[-2000:] + r.stderr.decode()[-2000:])
    for target, more in MORE.items():
        for i, data in enumerate(more):
            with open(os.path.join(path, target, "more-%d" % i), "wb") as f:
                f.write(data)
    return path


def wanted(target):
    """The files that a target tests."""
    with open(os.path.join(TOP, "tests/fuzz/%s.c" % target)) as f:
        m = re.search(r"fuzzes: ((?:(?:lib|broker)/\w+/\w+\.c ?)+)", f.read())
    return [os.path.join(TOP, "userspace", w) for w in m.group(1).split()]


def coverage(target, corpus):
    """The percentage of lines in each file that the corpus reaches."""
    raw, prof = os.path.join(BUILD, target + ".raw"), os.path.join(BUILD, target + ".prof")
    binary = os.path.join(BUILD, target)
    subprocess.run([binary, "-runs=0", *corpus], env=dict(os.environ, LLVM_PROFILE_FILE=raw),
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", prof, raw], check=True)
    out = subprocess.run(["llvm-cov", "export", "-summary-only", "-instr-profile", prof, binary], check=True,
                         capture_output=True)
    return {f["filename"]: f["summary"]["lines"]["percent"] for f in json.loads(out.stdout)["data"][0]["files"]}


def fuzz(target, args, seeded):
    mine = os.path.join(args.corpus, target)
    crashes = os.path.join(BUILD, "crash-%s-" % target)
    os.makedirs(mine, exist_ok=True)
    corpus = [mine] + [d for d in (os.path.join(seeded, target),) if os.path.isdir(d)]
    r = subprocess.run([os.path.join(BUILD, target), "-max_total_time=%d" % args.seconds, "-timeout=10",
                        "-max_len=65536", "-rss_limit_mb=4096", "-artifact_prefix=" + crashes, "-print_final_stats=1",
                        *corpus], env=dict(os.environ, LLVM_PROFILE_FILE="/dev/null"), capture_output=True)
    err = r.stderr.decode(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", err)
    ok(not r.returncode, "%s: %s inputs in %d s, none crashes" % (target, runs.group(1) if runs else "?", args.seconds), err)
    part = coverage(target, corpus)
    for f in wanted(target):
        ok(part.get(f, 0) >= LEAST, "%s: %.0f %% of the lines of %s" % (target, part.get(f, 0), os.path.basename(f)))


def nth(program, target, args, seeded):
    """Let each allocation fail once, on some small and some large seeds."""
    files = sorted(glob.glob(os.path.join(seeded, target, "*")), key=lambda f: (os.path.getsize(f), f))
    files = [files[i * (len(files) - 1) // max(1, args.inputs - 1)] for i in range(args.inputs)]
    r = subprocess.run([program, *dict.fromkeys(files)], capture_output=True,
                       env=dict(os.environ, LLVM_PROFILE_FILE="/dev/null", ASAN_OPTIONS="quarantine_size_mb=8"))
    ok(not r.returncode, "%s: %s allocations fail, one after the other" % (target, r.stdout.decode().strip() or "?"),
       r.stderr.decode(errors="replace"))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--inputs", type=int, default=4)
    p.add_argument("--corpus", default=os.path.join(CACHE, "fuzz"))
    p.add_argument("targets", nargs="*")
    args = p.parse_args()
    everything = sorted(os.path.basename(f)[:-2] for f in glob.glob(os.path.join(TOP, "tests/fuzz/*.c")) if "/nth.c" not in f)
    targets = args.targets or everything
    print("KTAP version 1")
    compile_counted(targets) if COUNTS else compile_all(targets)
    seeded = seeds()
    for t in targets:
        if COUNTS:
            nth(os.path.join(COUNTED, t), t, args, seeded)
            continue
        fuzz(t, args, seeded)
        nth(os.path.join(BUILD, t + ".nth"), t, args, seeded)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


sys.exit(main())
