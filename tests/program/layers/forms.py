# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""forms - the same layers in each form of an image: the archive of the tree has the same bytes"""
import gzip
import json
import os
import shutil
import subprocess

import container as C

LAYERS = [C.tar(C.folder("d"), C.entry("d/a", data="a" * 70000), C.symlink("l", "d")),
          C.tar(C.entry("l/b", data="b", xattrs={"user.x": "1"}), C.entry("d/.wh.a")), C.tar()]
OTHER = [C.tar(C.entry("other"))]
AMD64, ARM64 = {"platform": {"os": "linux", "architecture": "amd64"}}, {"platform": {"os": "linux", "architecture": "arm64",
                                                                                     "variant": "v8"}}
INDEX = C.OCI + "index.v1+json"
MANIFESTS = C.DOCKER + "distribution.manifest.list.v2+json"


def index(oci, *manifests, kind=INDEX):
    return oci.blob(C.js({"schemaVersion": 2, "mediaType": kind, "manifests": list(manifests)}), kind)


def platforms(kind=INDEX):
    oci = C.Layout()
    attestation = dict(oci.manifest(OTHER, conf=C.config(OTHER, x=3)), platform={"os": "unknown", "architecture": "unknown"},
                       annotations={"vnd.docker.reference.type": "attestation-manifest"})
    return oci.name(index(oci, dict(oci.manifest(OTHER), **ARM64), dict(oci.manifest(OTHER, conf=C.config(OTHER, x=1)), platform={
        "os": "windows", "architecture": "amd64"}), dict(oci.manifest(OTHER, conf=C.config(OTHER, x=2)), platform={
            "os": "linux", "architecture": "amd64", "variant": "v3"}), dict(oci.manifest(LAYERS), **AMD64), attestation, kind=kind))


def nested():
    oci = C.Layout()
    at = oci.manifest(LAYERS)
    for _ in range(3):
        at = index(oci, at)
    return oci.name(at)


def named():
    oci = C.Layout()
    return oci.name(oci.manifest(OTHER), "other:1").name(oci.manifest(LAYERS), "app:latest")


def twice():
    oci = C.layout(LAYERS)
    return oci.name(oci.manifest(LAYERS), "second-name")


def mixed():
    """A layer of each kind of compression."""
    oci = C.Layout()
    layers = [oci.blob(C.PACKERS[p](data), C.LAYER + ("+" + p if p else "")) for p, data in zip(("", "gzip", "zstd"), LAYERS)]
    head = C.OCI + "manifest.v1+json"
    return oci.name(oci.blob(C.js({"schemaVersion": 2, "config": oci.blob(C.js(C.config(LAYERS)), C.OCI + "config.v1+json"),
                                   "layers": layers}), head))


def parts(pack, data):
    """Compressed in two parts, one after the other."""
    return pack(data[:1000]) + pack(data[1000:])


def in_parts(pack):
    before = C.PACKERS[pack]
    C.PACKERS[pack] = lambda data: parts(before, data)
    try:
        return C.layout(LAYERS, pack)
    finally:
        C.PACKERS[pack] = before


def both():
    """What docker save writes since 25: an OCI layout and manifest.json."""
    oci = C.layout(LAYERS, "")
    manifest = json.loads(oci.files["blobs/sha256/" + oci.index["manifests"][0]["digest"][7:]])
    place = "blobs/sha256/"
    oci.files["manifest.json"] = C.js([{"Config": place + manifest["config"]["digest"][7:], "RepoTags": ["app:latest"],
                                       "Layers": [place + one["digest"][7:] for one in manifest["layers"]]}])
    return oci


def only_manifest_json():
    files = both().all()
    return {n: data for n, data in files.items() if n not in ("oci-layout", "index.json")}


def registry():
    """As Go programs without a daemon write them: the digest in full, layers that are compressed."""
    conf = C.js(C.config(LAYERS))
    files = {C.digest(conf): conf}
    files.update({"%d.tar.gz" % i: gzip.compress(data) for i, data in enumerate(LAYERS)})
    files["manifest.json"] = C.js([{"Config": C.digest(conf), "RepoTags": None, "Layers": ["%d.tar.gz" % i for i in range(len(LAYERS))]}])
    return files


def hard_links():
    """The second name of a layer is a hard link."""
    files = C.docker(LAYERS)
    entries = [C.entry("base/x", data=files.pop(C.digest(LAYERS[2])[7:] + ".tar")), C.hard(C.digest(LAYERS[2])[7:] + ".tar", "base/x")]
    return C.tar(*entries, *[C.entry(n, data=d) for n, d in files.items()])


def several():
    files = C.docker(OTHER, tags=("other:1", "more:2"))
    first = json.loads(files["manifest.json"])
    files.update(C.docker(LAYERS, tags=("x:1", "app:latest")))
    files["manifest.json"] = C.js(first + json.loads(files["manifest.json"]))
    return files


def folder(oci, path):
    return oci.write(path)


def linked(oci, path):
    """A folder whose blobs are links that stay inside."""
    oci.write(path)
    os.rename(path + "/blobs", path + "/real")
    os.makedirs(path + "/blobs/sha256")
    for name in os.listdir(path + "/real/sha256"):
        os.symlink("../../real/sha256/" + name, path + "/blobs/sha256/" + name)
    return path


def images():
    """(what, function that writes it, words of the command)"""
    yield "a folder", lambda p: folder(C.layout(LAYERS), p), ()
    yield "a folder with links inside", lambda p: linked(C.layout(LAYERS), p), ()
    for pack in C.PACKERS:
        yield "layers: %s" % (pack or "plain"), lambda p, k=pack: C.write(p, C.layout(LAYERS, k).archive()), ()
        yield "an archive that is itself %s" % (pack or "plain"), lambda p, k=pack: C.write(p, C.PACKERS[k](C.layout(LAYERS).archive())), ()
        yield "Docker's media types, %s" % (pack or "plain"), lambda p, k=pack: C.write(p, C.layout(LAYERS, k, docker=True).archive()), ()
    yield "layers of each kind", lambda p: C.write(p, mixed().archive()), ()
    yield "layers that may not be distributed", lambda p: C.write(p,
                                                                  C.layout(LAYERS,
                                                                           kind=C.OCI + "layer.nondistributable.v1.tar+gzip").archive()), ()
    yield "gzip in two parts", lambda p: C.write(p, in_parts("gzip").archive()), ()
    yield "zstd in two parts", lambda p: C.write(p, in_parts("zstd").archive()), ()
    yield "an index of platforms", lambda p: C.write(p, platforms().archive()), ()
    yield "Docker's list of platforms", lambda p: C.write(p, platforms(MANIFESTS).archive()), ()
    yield "indices in one another", lambda p: C.write(p, nested().archive()), ()
    yield "one of two by its name", lambda p: C.write(p, named().archive()), ("-n", "app")
    yield "one of two by its tag", lambda p: C.write(p, named().archive()), ("-n", "app:latest")
    yield "one image with two names", lambda p: C.write(p, twice().archive()), ()
    yield "docker save", lambda p: C.write(p, C.archive(C.docker(LAYERS))), ()
    yield "docker save, by name", lambda p: C.write(p, C.archive(C.docker(LAYERS))), ("-n", "app")
    yield "docker save with links", lambda p: C.write(p, C.archive(C.docker(LAYERS, True))), ()
    yield "docker save, compressed", lambda p: C.write(p, gzip.compress(C.archive(C.docker(LAYERS, True)))), ()
    yield "docker save since 25", lambda p: C.write(p, both().archive()), ()
    yield "docker save since 25 without its layout", lambda p: C.write(p, C.archive(only_manifest_json())), ()
    yield "docker save without a daemon", lambda p: C.write(p, C.archive(registry())), ()
    yield "docker save of several, by name", lambda p: C.write(p, C.archive(several())), ("-n", "app:latest")
    yield "docker save in which a layer is a hard link", lambda p: C.write(p, hard_links()), ()
    if shutil.which("skopeo"):
        yield "what skopeo writes as docker-archive", lambda p: skopeo(p, "docker-archive:%s:app:latest"), ()
        yield "what skopeo writes as oci-archive", lambda p: skopeo(p, "oci-archive:%s:app"), ()
        yield "what skopeo writes as oci", lambda p: skopeo(p, "oci:%s:app"), ()


def skopeo(path, to):
    source = path + ".source"
    shutil.rmtree(source, ignore_errors=True)
    C.layout(LAYERS).write(source)
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", "oci:%s:app" % source, to % path], check=True)
    return path


def run(ok, unpack, tmp):
    wanted = None
    for i, (what, make, words) in enumerate(images()):
        make(tmp + "/%d" % i)
        rc, out, err = unpack(tmp + "/%d" % i, tmp + "/out.tar", *words)
        found = json.loads(out) if rc == 0 else {}
        wanted = wanted or found.get("tar")
        ok(rc == 0 and found["tar"] == wanted, "the same tree from: %s" % what, (rc, out, err))
    found, _ = C.listing(tmp + "/out.tar")
    ok(sorted(found) == [b"", b"d", b"d/b", b"l"], "and it is the right one", sorted(found))
    same_bytes(ok, unpack, tmp, wanted)


def same_bytes(ok, unpack, tmp, wanted):
    """Locale, umask, time zone and folder of the spool change nothing; prefix and time do as they should."""
    image = C.write(tmp + "/image", C.layout(LAYERS).archive())
    os.mkdir(tmp + "/spool")
    before = os.umask(0o077)
    rc, out, _ = unpack(image, tmp + "/out.tar", "-s", tmp + "/spool", env={"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"})
    os.umask(before)
    ok(rc == 0 and json.loads(out)["tar"] == wanted, "the same bytes with another locale, umask, time zone, spool", out)
    rc, out, _ = unpack(image, tmp + "/out.tar", "-p", "rootfs", "-t", "500")
    found, _ = C.listing(tmp + "/out.tar")
    ok(sorted(found) == [b"rootfs", b"rootfs/d", b"rootfs/d/b", b"rootfs/l"], "all below a prefix", sorted(found))
    ok({f["mtime"] for f in found.values()} == {500}, "no time is later than the given one", found)
    unpack(image, tmp + "/out.tar", "-c", tmp + "/config")
    with open(tmp + "/config", "rb") as f:
        ok(f.read() == C.js(C.config(LAYERS)), "the configuration is given as it is")
    devices(ok, unpack, tmp)


def devices(ok, unpack, tmp):
    """What is left out is counted."""
    layer = C.tar(C.entry("null", C.CHAR), C.entry("b", C.BLOCK), C.entry("x", xattrs={
        "trusted.overlay.opaque": "y", "user.overlay.redirect": "/x", "user.ok": "1", "security.selinux": "s", "user.empty": ""}))
    lower = C.tar(C.entry("null", data="a file of the lower layer"))
    rc, out, _ = unpack(C.write(tmp + "/image", C.layout([lower, layer]).archive()), tmp + "/out.tar")
    found, _ = C.listing(tmp + "/out.tar")
    counts = json.loads(out)
    ok(counts["devices"] == 2 and counts["xattrs"] == 4, "what is left out is counted", out)
    ok(sorted(found) == [b"", b"x"] and found[b"x"]["xattrs"] == {"user.ok": b"1"}, "and left out; a device replaces a file all the same",
       found)
