# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""hostile - images that must be refused: each with a part of the expected message"""
import json
import os
import struct

import container as C
from container import entry, folder, hard, pax, symlink, tar
from forms import AMD64, ARM64, INDEX, index

OPTIONS = {}
BASE = tar(folder("d"), entry("d/f", data="f"), symlink("l", "d"))


def image(*layers, pack="gzip", **more):
    """A function that writes an archive of these layers."""
    return lambda path: C.write(path, C.layout(layers, pack, **more).archive())


def second(*entries):
    """Entries of a layer above a valid one."""
    return image(BASE, tar(*entries))


def sparse(places, size, name="x"):
    """A sparse file in GNU tar's form 1.0, with data at these places."""
    return pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", str(size)),
                ("GNU.sparse.name", name)]) + entry("s", data=places.ljust(512, b"\0") + b"d" * 200)


# ---- entries ----

def entries():
    for name in "../x", "d/../../x", "d/..", "..", "/../x", "./d/../x", "d/../f", "../../../etc/passwd", "l/../x":
        yield "name %s" % name, second(entry(name, data="x")), ("layer 2", name, "..")
        yield "folder %s" % name, second(folder(name)), ("layer 2", "..")
    for name in "../f", "d/../d/f", "/..":
        yield "hard link to %s" % name, second(hard("h", name)), ("layer 2", "'h'", "..")
    for target in "nothing", "d/nothing", "d/f/x", "nothing/f", "later", "/etc/passwd":
        yield "hard link to what is not there: %s" % target, second(hard("h", target), entry("later")), ("layer 2", "'h'", target,
                                                                                                         "not there")
    yield "hard link to what a whiteout removed", second(entry("d/.wh.f"), hard("h", "d/f")), ("layer 2", "'h'", "not there")
    yield "hard link to a folder", second(hard("h", "d")), ("layer 2", "'h'", "folder")
    yield "hard link to the root", second(hard("h", "./")), ("layer 2", "'h'")
    yield "hard link to nothing", second(hard("h", "")), ("layer 2",)
    yield "hard link as the root", second(hard("./", "d/f")), ("layer 2", "root")
    for n in 256, 300, 1000:
        yield "a name of %d bytes" % n, second(entry("n" * n)), ("layer 2", "nnn", "255")
        yield "a folder's name of %d bytes" % n, second(entry("d/" + "n" * n + "/x")), ("layer 2", "nnn", "255")
        yield "a name of %d bytes, GNU" % n, second(entry("n" * n, form="gnu")), ("layer 2", "nnn", "255")
    yield "a path of 5000 bytes", second(entry("d/" * 2500 + "x")), ("layer 2", "4095")
    deep = "p" * 250 + "/" + "p" * 250
    chain = [symlink("l%d" % i, ("l%d/" % (i - 1) if i else "") + deep) for i in range(10)]
    yield "a path that links make too long", image(tar(folder(deep), *chain), tar(entry("l9/x"))), ("layer 2", "4095")
    yield "a link without a target", second(symlink("s", "")), ("layer 2", "'s'", "target")
    yield "a link whose target is too long", second(symlink("s", "t" * 4096)), ("layer 2", "'s'", "4095")
    yield "below a file", second(entry("d/f/x")), ("layer 2", "d/f/x", "not a folder")
    yield "below a link to a file", second(symlink("to", "d/f"), entry("to/x")), ("layer 2", "to/x", "not a folder")
    yield "below a loop of links", second(symlink("o", "o"), entry("o/x")), ("layer 2", "o/x", "40")
    yield "below two links that form a loop", second(symlink("o", "p"), symlink("p", "o"), entry("o/x")), ("layer 2", "o/x", "40")
    yield "below 41 links", second(*[symlink("k%d" % i, "k%d" % (i + 1)) for i in range(41)], entry("k0/x")), ("layer 2", "k0/x", "40")
    yield "a file as the root", second(entry("./", data="x")), ("layer 2",)
    yield "a link as the root", second(symlink("/", "/etc")), ("layer 2", "root")
    yield "a FIFO as the root", second(entry(".", C.FIFO)), ("layer 2", "root")
    for key, value in ("uid", 2 ** 32 - 1), ("gid", 2 ** 32 - 1), ("uid", 2 ** 32), ("gid", 2 ** 40), ("uid", 2 ** 62):
        yield "%s %d" % (key, value), second(entry("x", **{key: value})), ("layer 2", "'x'", "4294967294")
    yield "an ID below zero, GNU", second(entry("x", uid=-2, form="gnu")), ("layer 2", "'x'", "4294967294")
    for what, value in ("empty", b"\2\0\0\0\1"), ("version",
                                                  struct.pack("<I", 3) + bytes(8)), ("cut off", b"\2\0\0\0" + bytes(12)), ("short", b"\2"):
        yield "access control list: %s" % what, second(entry("x", xattrs={"system.posix_acl_access": value})), (
            "layer 2", "'x'", "malformed")
    yield "an attribute of 65537 bytes", second(entry("x", xattrs={"user.x": b"x" * 65537})), ("layer 2", "'x'", "64 KiB")
    yield "an attribute's name of 256 bytes", second(entry("x", xattrs={"user." + "x" * 251: b"x"})), ("layer 2", "'x'", "255")


def whiteouts():
    for name in ".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh...", "d/.wh..wh.plnk", "d/.wh..wh..opqx", ".wh.d/f", "d/.wh.x/y", \
            "d/.wh..wh..opq/x", ".wh.d/.wh.f":
        yield "whiteout %s" % name, second(entry(name)), ("layer 2", name, ".wh.")
    for name in "../.wh.x", "d/../.wh.f", "../.wh..wh..opq":
        yield "whiteout %s" % name, second(entry(name)), ("layer 2", "..")
    yield "whiteout below a loop of links", second(symlink("o", "o"), entry("o/.wh.x")), ("layer 2", "40")


# ---- archives ----

def frames():
    x = entry("x", data="content")
    for what, before in (
            ("doubled size", pax([("size", "7"), ("size", "512")])),
            ("doubled size, the same", pax([("size", "7"), ("size", "7")])),
            ("doubled path", pax([("path", "a"), ("path", "b")])),
            ("doubled link", pax([("linkpath", "a"), ("linkpath", "b")])),
            ("doubled attribute", pax([("SCHILY.xattr.user.a", "1"), ("SCHILY.xattr.user.a", "2")])),
            ("two headers of PAX", pax([("size", "7")]) + pax([("size", "512")])),
            ("two headers of PAX, other keys", pax([("path", "a")]) + pax([("mtime", "5")])),
            ("PAX and GNU", pax([("path", "a")]) + C.header(b"././@LongLink", 0x4c, 2) + C.padded(b"b\0")),
            ("GNU and PAX", C.header(b"././@LongLink", 0x4c, 2) + C.padded(b"b\0") + pax([("path", "a")])),
            ("two long names", (C.header(b"././@LongLink", 0x4c, 2) + C.padded(b"b\0")) * 2),
            ("two long links", (C.header(b"././@LongLink", 0x4b, 2) + C.padded(b"b\0")) * 2),
            ("global path", pax([("path", "a")], 0x67)), ("global size", pax([("size", "512")], 0x67)),
            ("global attribute", pax([("SCHILY.xattr.user.a", "1")], 0x67)),
            ("no number as size", pax([("size", "7x")])), ("negative size", pax([("size", "-7")])), ("empty size", pax([("size", "")])),
            ("size with a sign", pax([("size", "+7")])), ("size with a space", pax([("size", " 7")])),
            ("size of 2^64", pax([("size", str(2 ** 64))])),
            ("size of 2^63", pax([("size", str(2 ** 63 - 1))])), ("hexadecimal size", pax([("size", "0x7")])),
            ("no number as uid", pax([("uid", "root")])), ("empty uid", pax([("uid", "")])), ("negative gid", pax([("gid", "-1")])),
            ("no number as time", pax([("mtime", "now")])), ("empty time", pax([("mtime", "")])),
            ("time with letters", pax([("mtime", "5.x")])),
            ("empty path", pax([("path", "")])), ("empty link", pax([("linkpath", "")])),
            ("zero byte in a path", pax([("path", b"a\0b")])), ("zero byte in a link", pax([("linkpath", b"a\0b")])),
            ("zero byte in a key", pax([(b"pa\0th", "a")])), ("zero byte in a number", pax([("size", b"7\0")])),
            ("no key", pax([b"6 =ab\n"])), ("no equals sign", pax([b"8 abcde\n"])), ("no newline", pax([b"9 path=xy"])),
            ("length too large", pax([b"99 path=a\n"])), ("length too small", pax([b"5 path=a\n"])), ("length 0", pax([b"0 path=a\n"])),
            ("no length", pax([b"path=a\n"])), ("negative length", pax([b"-9 path=a\n"])),
            ("huge length", pax([b"99999999999999999999 a=b\n"])),
            ("records and noise", pax([b"10 path=a\n", b"\0\0\0\0"])), ("empty record", pax([b"\n"])), ("length alone", pax([b"2 "]))):
        yield "PAX header: %s" % what, image(BASE, tar(before + x)), ("layer 2",)
    for what, data in (
            ("wrong checksum", C.header(b"x", checksum=1)), ("noise", bytes(range(256)) * 4), ("a text", b"no archive\n" * 100),
            ("one block of zeros, then an entry", bytes(512) + x),
            ("a size that is no number", C.header(b"x", size=b"0000zzz0000\0")),
            ("a negative size", C.header(b"x", size=-1)), ("a size of 2^63", C.header(b"x", size=2 ** 63)),
            ("a size of 2^80", C.header(b"x", size=2 ** 80)),
            ("a size beyond its end", C.header(b"x", size=4096) + bytes(512)), ("a header that is cut off", C.header(b"x")[:300]),
            ("a PAX header alone", pax([("path", "x")])), ("a PAX header, then the end", pax([("path", "x")]) + bytes(1024)),
            ("a PAX header of 2 MiB", C.header(b"p", 0x78, 2 << 20) + bytes(2 << 20) + x),
            ("a PAX header without its records", C.header(b"p", 0x78, 512)),
            ("a long name of 2 MiB", C.header(b"p", 0x4c, 2 << 20) + b"n" * (2 << 20) + x)):
        yield "archive: %s" % what, image(BASE, data), ("layer 2",)
    for kind in b"89ADEIMNVXZa~\xff":
        yield "an entry of the kind %r" % chr(kind), image(BASE, tar(entry("x", kind, data="content"))), ("layer 2", "not known")
    for kind in b"123456":
        yield "content after an entry of kind %c" % kind, image(BASE, tar(entry("x", kind, data="content", link="d/f"))), (
            "layer 2", "content")
    yield "content after a name that ends with /", image(BASE, tar(entry("x/", data="content"))), ("layer 2",)
    for at in range(100, len(BASE) - 1024, 300):
        yield "an archive that is cut off at byte %d" % at, image(BASE, cut(at)), ("layer 2",)
    yield "a sparse file of a TiB", image(BASE, tar(sparse(b"1\n%d\n1\n" % (2 ** 40 - 1), 2 ** 40))), ("layer 2",)
    for what, text in (("out of order", b"2\n512\n100\n0\n100\n"), ("beyond its end", b"1\n9000\n100\n"), ("malformed", b"x\n"),
                       ("without end", b"1" * 512)):
        yield "a sparse file whose map is %s" % what, image(BASE, tar(sparse(text, 1000))), ("layer 2",)


def cut(at):
    """A layer that ends in the middle of a header, or of a content."""
    data = tar(folder("d"), entry("d/g", data=b"g" * 1500), entry("h"))
    at = min(at, 2000)
    return data[:at] if at % 512 else data[:at + 100]


# ---- layouts ----

def change(files, name, data):
    return dict(files, **{name: data})


def writer(files):
    return lambda path: C.write(path, C.archive(files))


def layouts():
    oci = C.layout([BASE])
    files = oci.all()
    manifest = "blobs/sha256/" + oci.index["manifests"][0]["digest"][7:]
    value = json.loads(files[manifest])
    conf, layer = ("blobs/sha256/" + d["digest"][7:] for d in (value["config"], value["layers"][0]))
    for what, name in ("its manifest", manifest), ("its configuration", conf), ("a layer", layer):
        yield from changed_files(oci, files, what, name)
    yield "the folder of blobs is a link out of the folder", blobs_out(oci), ("out of the folder",)
    for what, text in (("nothing", b""), ("no JSON", b"{"), ("an array", b"[]"), ("a number", b"1"),
                       ("a key twice", b'{"manifests":[],"manifests":[]}'), ("no manifests", b"{}"),
                       ("manifests that are no array", b'{"manifests":{}}'),
                       ("a zero byte", b'{"manifests":[]}\0'),
                       ("invalid UTF-8", b'{"x":"\xff"}'), ("100,000 brackets", b"[" * 100000), ("5 MiB", b" " * (5 << 20))):
        yield "index.json: %s" % what, writer(change(files, "index.json", text)), ("index",)
    for what, text, word in ("an empty array", b"[]", "linux/amd64"), ("an array of numbers", b"[1]", "mediaType"):
        yield "index.json: manifests is %s" % what, writer(change(files, "index.json", b'{"manifests":%s}' % text)), (word,)
    for what, text in (("nothing", b""), ("an array", b"[]"), ("another version", b'{"imageLayoutVersion":"2.0.0"}'),
                       ("no version", b"{}"), ("a number as version", b'{"imageLayoutVersion":1}')):
        yield "oci-layout: %s" % what, writer(change(files, "oci-layout", text)), ("oci-layout",)
    yield from descriptors(oci, files)
    yield from manifests(value, files)
    yield from configurations(value)
    yield from platforms()


def changed_files(oci, files, what, name):
    data = files[name]
    for at in 0, len(data) // 2, len(data) - 1:
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        yield "byte %d of %s is changed" % (at, what), writer(change(files, name, flipped)), ("digest",)
    yield "%s is shorter" % what, writer(change(files, name, data[:-1])), ()
    yield "%s is longer" % what, writer(change(files, name, data + b" ")), ()
    yield "%s is empty" % what, writer(change(files, name, b"")), ()
    yield "%s is missing" % what, writer({n: d for n, d in files.items() if n != name}), ("not in the archive",)
    yield "%s is a link out of the archive" % what, writer(change(files, name, "../../../../../../etc/passwd")), ("not in the archive",)
    yield "%s is a link to itself" % what, writer(change(files, name, name.rsplit("/", 1)[1])), ("not in the archive",)
    yield "%s is there twice" % what, lambda p: C.write(p, C.archive(files)[:-1024] + tar(entry(name, data=b"other"))), ("twice",)
    yield "%s is a link out of the folder" % what, lambda p: out_of_folder(oci, p, name), ("out of the folder",)
    yield "%s is a FIFO in the folder" % what, lambda p: instead(oci, p, name, os.mkfifo), ("regular file",)
    yield "%s is a folder" % what, lambda p: instead(oci, p, name, os.mkdir), ("regular file",)


def out_of_folder(oci, path, name):
    oci.write(path)
    os.rename(os.path.join(path, name), path + ".outside")
    os.symlink("../../../" + os.path.basename(path) + ".outside", os.path.join(path, name))


def blobs_out(oci):
    def make(path):
        oci.write(path)
        os.rename(path + "/blobs", path + ".blobs")
        os.symlink(path + ".blobs", path + "/blobs")
    return make


def instead(oci, path, name, make):
    oci.write(path)
    os.unlink(os.path.join(path, name))
    make(os.path.join(path, name))


def descriptors(oci, files):
    good = oci.index["manifests"][0]
    for what, more in (("no digest", {"digest": None}), ("a short digest", {"digest": "sha256:00"}),
                       ("a digest with a path", {"digest": "sha256:../../../etc/passwd"}),
                       ("capital letters", {"digest": good["digest"].replace("sha", "SHA")}),
                       ("capital digits", {"digest": "sha256:" + good["digest"][7:].upper()}), ("md5", {"digest": "md5:" + "0" * 32}),
                       ("a digest with more", {"digest": good["digest"] + "0"}),
                       ("a digest with a zero byte", {"digest": good["digest"][:-1] + "\0"}),
                       ("another size", {"size": 1}), ("a negative size", {"size": -1}), ("a text as size", {"size": "1"}),
                       ("no size", {"size": None}), ("no media type", {"mediaType": None}),
                       ("another media type", {"mediaType": "text/plain"}), ("the media type of an index", {"mediaType": INDEX}),
                       ("another platform", ARM64)):
        yield "index.json, descriptor: %s" % what, writer(change(files, "index.json", C.js({"manifests": [dict(good, **more)]}))), ()


def manifests(value, files):
    layer = value["layers"][0]
    for what, more, words in (
            ("another config type", {"config": dict(value["config"], mediaType="application/vnd.oci.empty.v1+json")}, "vnd.oci.empty"),
            ("no config", {"config": None}, "configuration"), ("no layers", {"layers": None}, "layers"),
            ("layers that are no array", {"layers": {}}, "layers"), ("a layer less", {"layers": []}, "diff_ids"),
            ("a layer more", {"layers": value["layers"] * 2}, "diff_ids"), ("a number as layer", {"layers": [1]}, "layer 1"),
            ("257 layers", {"layers": value["layers"] * 257}, "256"), ("manifests, too", {"manifests": []}, "media type"),
            ("another media type inside", {"mediaType": INDEX}, "media type"),
            ("a layer of another type", {"layers": [dict(layer, mediaType="text/plain")]}, "text/plain"),
            ("a layer that is encrypted", {"layers": [dict(layer, mediaType=C.LAYER + "+gzip+encrypted")]}, "is encrypted"),
            ("a layer with a wrong size", {"layers": [dict(layer, size=5)]}, "expected 5 bytes")):
        yield "manifest: %s" % what, writer(remade(dict(value, **more), files)), (words,)


def remade(manifest, files):
    """An index that names another manifest."""
    oci = C.Layout()
    oci.files.update({n: d for n, d in files.items() if n != "index.json"})
    return oci.name(oci.blob(C.js({k: v for k, v in manifest.items() if v is not None}), C.OCI + "manifest.v1+json")).all()


def configurations(value):
    for what, more in (("no rootfs", {"rootfs": None}), ("no diff_ids", {"rootfs": {}}),
                       ("a wrong diff_id", {"rootfs": {"diff_ids": ["sha256:" + "0" * 64]}}),
                       ("a malformed diff_id", {"rootfs": {"diff_ids": ["x"]}}), ("a number as diff_id", {"rootfs": {"diff_ids": [1]}}),
                       ("the digest of the compressed layer", {"rootfs": {"diff_ids": [value["layers"][0]["digest"]]}})):
        yield "configuration: %s" % what, image(BASE, conf=C.config([BASE], **more)), ()
    yield "configuration: no object", image(BASE, conf=[1]), ("diff_ids",)
    yield "a layer that is compressed twice", packed(lambda data: C.PACKERS["gzip"](C.PACKERS["gzip"](data))), ("layer 1", "once")
    yield "a layer of gzip that is cut off", packed(lambda data: C.PACKERS["gzip"](data)[:-20]), ("layer 1",)
    yield "a layer of zstd that is cut off", packed(lambda data: C.zstd(data)[:-20]), ("layer 1",)
    yield "a layer of gzip with noise in it", packed(lambda data: C.PACKERS["gzip"](data)[:30] + b"noise" * 20), ("layer 1",)


def packed(pack):
    def make(path):
        C.PACKERS["test"] = pack
        C.write(path, C.layout([BASE * 3], "test", kind=C.LAYER + "+gzip").archive())
        del C.PACKERS["test"]
    return make


# ---- names and platforms ----

def platforms():
    yield "several images", lambda p: C.write(p, two().archive()), ("several", "one, two", "--image")
    OPTIONS["no image of the name"] = ("-n", "other")
    yield "no image of the name", image(BASE), ("'other'", "app")
    yield "no image for the platform", lambda p: C.write(p, arm().archive()), ("linux/amd64",)
    yield "five indices in one another", lambda p: C.write(p, deep(5).archive()), ("nested",)
    yield "two images for the platform", lambda p: C.write(p, doubled().archive()), ("several",)


def two():
    oci = C.Layout()
    return oci.name(oci.manifest([BASE]), "one").name(oci.manifest([BASE, BASE]), "two")


def arm():
    oci = C.Layout()
    return oci.name(index(oci, dict(oci.manifest([BASE]), **ARM64)))


def doubled():
    oci = C.Layout()
    return oci.name(index(oci, dict(oci.manifest([BASE]), **AMD64), dict(oci.manifest([BASE, BASE]), **AMD64)))


def deep(depth):
    oci = C.Layout()
    at = oci.manifest([BASE])
    for _ in range(depth):
        at = index(oci, at)
    return oci.name(at)


# ---- docker save ----

def dockers():
    files = C.docker([BASE])
    conf = next(n for n in files if n.endswith(".json") and n != "manifest.json")
    value = json.loads(files["manifest.json"])[0]
    layer = value["Layers"][0]
    yield "docker save: another configuration", writer(change(files, conf, files[conf] + b" ")), ("digest",)
    yield "docker save: another layer", writer(change(files, layer, tar(entry("other")))), ("layer 1", "digest")
    yield "docker save: no layer", writer({n: d for n, d in files.items() if n != layer}), ("not in the archive",)
    for what, text in (("nothing", b""), ("an object", b"{}"), ("an empty array", b"[]"), ("an array of numbers", b"[1]"),
                       ("no Config", C.js([dict(value, Config=None)])),
                       ("a Config that leads out", C.js([dict(value, Config="../../../../etc/passwd")])),
                       ("a key twice", b'[{"Config":"a","Config":"b"}]'), ("a Config that is a layer", C.js([dict(value, Config=layer)])),
                       ("Layers that are no array", C.js([dict(value, Layers="x")])),
                       ("numbers as Layers", C.js([dict(value, Layers=[1])])),
                       ("a layer that leads out", C.js([dict(value, Layers=["../../../../../etc/passwd"])])),
                       ("an empty name", C.js([dict(value, Layers=[""])])), ("two images", C.js([value, value]))):
        yield "manifest.json: %s" % what, writer(change(files, "manifest.json", text)), ()
    yield "docker save: a link to a link to itself", writer(dict(files, **{layer: "a", "a": layer})), ("not in the archive",)
    yield "neither of the two formats", writer({"x": b"x"}), ("neither oci-layout nor manifest.json",)
    for what, data in (("an empty file", b""), ("a text", b"hello, world\n" * 50), ("zeros", bytes(4096)),
                       ("gzip of a text", C.PACKERS["gzip"](b"hello" * 500)),
                       ("gzip that is cut off", C.PACKERS["gzip"](C.archive(files))[:-50]),
                       ("a header alone", C.header(b"x", size=5)), ("three bytes", b"\x1f\x8b\x08")):
        yield what, lambda p, d=data: C.write(p, d), ()
    yield "a name with ..", lambda p: C.write(p, tar(entry("../manifest.json", data=b"x"))), ("..",)
    yield "a sparse file in the archive", lambda p: C.write(p, tar(sparse(b"1\n0\n100\n", 1000, "manifest.json"))), ("sparse",)
    yield "an archive of 70,000 entries", lambda p: C.write(p, tar(*[C.header(b"%d" % i) for i in range(70000)])), ("65536",)


# ---- limits ----

def limits():
    words = ("layer 2", str(2 << 20))
    big = tar(entry("big", data=bytes(3 << 20)))
    for pack in C.PACKERS:
        yield small("3 MiB where 2 are allowed, %s" % (pack or "plain")), image(BASE, big, pack=pack), words
    yield small("many layers that are too much together"), image(*[tar(entry("f%d" % i, data=bytes(1 << 20))) for i in range(3)]), words
    yield small("a sparse file that is too large"), image(BASE, tar(sparse(b"1\n0\n100\n", 3 << 20))), words


def small(name):
    OPTIONS[name] = ("-m", str(2 << 20))
    return name


def all_cases():
    for group in entries, whiteouts, frames, layouts, dockers, limits:
        yield from group()
