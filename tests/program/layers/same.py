# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""same - archives whose tree umoci must unpack to the same files, path by path"""
import struct

from container import BLOCK, CHAR, FIFO, as_bytes, entry, folder, hard, pax, symlink, tar
import tarfile

CAPS = bytes.fromhex("0100000200040000000000000000000000000000")
ACL = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in (
    (1, 7, 0xffffffff), (2, 5, 1234), (4, 5, 0xffffffff), (0x10, 5, 0xffffffff), (0x20, 0, 0xffffffff)))
LOWER = tar(folder("./"), folder("d", mode=0o750), entry("d/a", data="a"), entry("d/b", data="b"), folder("d/s", uid=5),
            entry("d/s/x", data="x"),
            entry("f", data="lower"), symlink("l", "d"), symlink("abs", "/d/s"), hard("d/h", "f"))
OPQ, LONG, ODD = ".wh..wh..opq", "n" * 255, "\u00e4 \u4e2d\U0001f600\n\t\\\"'$`;*?[e\u0301"


def orders(name, lower, entries):
    """The same entries forwards and backwards. Not for a new folder with its content: umoci needs the folder first."""
    yield name, [lower, tar(*entries)]
    yield name + ", backwards", [lower, tar(*reversed(entries))]


def whiteouts():
    yield from orders("whiteout of a file", LOWER, [entry("d/.wh.a"), entry("new", data="n")])
    yield from orders("whiteout of a folder", LOWER, [entry(".wh.d"), entry("x")])
    yield from orders("whiteout of a link, not of what it names", LOWER, [entry(".wh.l"), entry("x")])
    yield from orders("whiteout of one of two names", LOWER, [entry(".wh.f"), entry("x")])
    yield from orders("whiteout beside a new file of the name", LOWER, [entry(".wh.f"), entry("f", data="upper", uid=7)])
    yield from orders("whiteout beside a new folder of the name", LOWER, [entry("d/.wh.s"), folder("d/s", uid=9, mode=0o711)])
    yield "whiteout, then a new folder and its content", [LOWER, tar(entry(".wh.d"), folder("d", uid=3), entry("d/n", data="n"))]
    yield "a new folder and its content, then a whiteout", [LOWER, tar(folder("d", uid=3), entry("d/n", data="n"), entry(".wh.d"))]
    yield "a new folder, a whiteout, its content", [LOWER, tar(folder("d", uid=3), entry(".wh.d"), entry("d/n", data="n"))]
    yield from orders("opaque folder", LOWER, [entry("d/" + OPQ), folder("d", uid=4)])
    yield from orders("opaque folder with new content", LOWER, [folder("d", uid=4), entry("d/a", data="new"), entry("d/" + OPQ)])
    yield "opaque folder, first", [LOWER, tar(folder("d"), entry("d/" + OPQ), folder("d/s"), entry("d/s/y", data="y"))]
    yield "opaque folder, last", [LOWER, tar(folder("d"), folder("d/s"), entry("d/s/y", data="y"), entry("d/" + OPQ))]
    yield "opaque root", [LOWER, tar(entry(OPQ), entry("only", data="o"))]
    yield "opaque folder through a link", [LOWER, tar(entry("l/" + OPQ), entry("x"))]
    yield "whiteout through a link", [LOWER, tar(entry("l/.wh.a"), entry("abs/.wh.x"))]
    yield "whiteout of what is not there", [LOWER, tar(entry(".wh.nothing"), entry("d/.wh.nothing"), entry("x"))]
    yield "whiteout in the layer of its file", [tar(entry("f", data="f"), entry(".wh.f"), entry(".wh.g"), entry("g"))]
    yield "removed, and there again two layers later", [LOWER, tar(entry(".wh.d")), tar(folder("d"), entry("d/again", data="2"))]
    yield "notes of AUFS", [LOWER, tar(entry(".wh..wh.aufs"), entry("x"))]


def replaced():
    yield "a file over a folder", [LOWER, tar(entry("d", data="now a file"))]
    yield "a folder over a file", [LOWER, tar(folder("f"), entry("f/in", data="i"))]
    yield "a folder over a link", [LOWER, tar(folder("l"), entry("l/in", data="i"))]
    yield "a link over a folder", [LOWER, tar(symlink("d/s", "/f"))]
    yield "a link over a link", [LOWER, tar(symlink("l", "f"))]
    yield "a folder over a folder", [LOWER, tar(folder("d", mode=0o1777, uid=1, gid=2, mtime=77))]
    yield "a file over one of two names", [LOWER, tar(entry("f", data="one", mode=0o600))]
    yield "the same name twice in a layer", [tar(entry("f", data="1"), entry("f", data="2", uid=2))]


def links():
    yield "hard links over layers", [LOWER, tar(hard("again", "d/h"), hard("d/s/third", "f"))]
    yield "hard links over layers, and a change", [LOWER, tar(hard("again", "f")), tar(entry("f", data="other"))]
    yield "a hard link to a link", [LOWER, tar(hard("l2", "l"))]
    yield "a hard link through a link", [LOWER, tar(hard("x", "l/a"))]
    yield "a relative link as a parent", [LOWER, tar(entry("l/new", data="n"), folder("l/deep"), entry("l/deep/er", data="e"))]
    yield "an absolute link as a parent", [LOWER, tar(entry("abs/new", data="n"))]
    yield "links that lead out of the root", [tar(symlink("o", "../../../etc"), symlink("p", "/../.."), entry("o/x", data="x"),
                                                  entry("p/y", data="y"))]
    yield "a chain of links as a parent", [tar(folder("z"), *[symlink("l%d" % i, "l%d" % (i + 1)) for i in range(20)], symlink("l20", "z"),
                                               entry("l0/x", data="x"))]
    yield "links to nothing", [tar(symlink("a", "nothing"), symlink("b", "b"), symlink("c", "c" * 4000))]


def metadata():
    yield "odd modes", [tar(entry("suid", mode=0o4755), entry("sgid", mode=0o2711), folder("sticky", mode=0o1777), entry("none", mode=0),
                            folder("gd", mode=0o2770))]
    yield "users and groups of 32 bits", [tar(entry("a", uid=70000, gid=4294967294), folder("b", uid=2 ** 31, gid=2 ** 31 - 1),
                                              symlink("c", "a", uid=4000000000))]
    yield "users and groups of 32 bits, GNU", [tar(entry("a", uid=2 ** 24, gid=4000000000, form="gnu"))]
    yield "times", [tar(entry("old", mtime=0), entry("before", mtime=-5), entry("late", mtime=2 ** 33), entry("parts", mtime=1234.75),
                        folder("fd", mtime=99), entry("fd/f", mtime=98))]
    yield "attributes", [tar(entry("a", xattrs={"user.x": b"\0\n=\xff", "user.y": "1"}), folder("b", xattrs={"user.d": "z"}),
                             entry("c", xattrs={"security.capability": CAPS}))]
    yield "lists of access control", [tar(entry("a", mode=0o750, xattrs={"system.posix_acl_access": ACL}),
                                          folder("b", mode=0o750,
                                                 xattrs={"system.posix_acl_default": ACL, "system.posix_acl_access": ACL}))]
    yield "attributes that a higher layer drops", [tar(entry("a", xattrs={"user.x": "1"})), tar(entry("a"))]
    yield "an empty attribute", [tar(entry("a", data="a", records=[("SCHILY.xattr.user.overlay.origin", "")]), entry("b"))]
    yield "a FIFO", [tar(entry("p", FIFO, mode=0o620, uid=3))]
    yield "device nodes", [tar(entry("null", CHAR, device=(1, 3)), entry("b", BLOCK, device=(8, 0)), entry("zero", CHAR), entry("x"))]
    yield "the root's own metadata", [tar(folder("./", mode=0o711, uid=3, gid=4, mtime=55), entry("x"))]


def names():
    for form in "ustar", "gnu", "pax":
        path = "/".join(["p" * 60] * 3) + "/" + "f" * 60
        yield "long names, " + form, [tar(folder("p" * 60, form=form), folder("p" * 60 + "/" + "p" * 60, form=form),
                                          folder(path[:182], form=form),
                                          entry(path, data="x", form=form),
                                          *([symlink("l", "t" * 99,
                                                     form=form)] if form == "ustar" else [symlink("l", "t" * 300, form=form)]))]
    yield "odd names", [tar(entry(ODD, data="o"), folder("-rf"), entry("-rf/ "), entry(" "), entry("...", data="3"), entry("..x"),
                            entry("x.."),
                            entry(b"\xff\xfe\x80latin"), entry("%s%n"), entry("wh.x"), entry(".wh"))]
    yield "names of 255 bytes", [tar(entry(LONG, data="l"), folder("\u4e2d" * 85), entry("\u4e2d" * 85 + "/" + LONG),
                                     entry(b"\xff" * 255, data="b"))]
    yield "composed and decomposed letters", [tar(entry("\u00e9" * 60, data="1"), entry("e\u0301" * 60, data="2"))]
    yield "names with ./ and / before them", [tar(folder("./a"), entry("./a/./b", data="b"), entry("/c", data="c"),
                                                  entry("a//d", data="d"), entry("././e"))]
    yield "no folders are described", [tar(entry("usr/share/doc/x", data="x"), entry("usr/lib/y"))]
    yield "an empty layer", [LOWER, tar()]
    yield "a layer without its end", [LOWER, entry("x", data="x")]


def contents():
    sizes = 0, 1, 511, 512, 513, 65536, 262144 + 1
    yield "contents of many sizes", [tar(*[entry("f%d" % n, data=bytes(i * 7 % 251 for i in range(n))) for n in sizes])]
    yield "a thousand files", [tar(*[e for i in range(50) for e in (folder("d%d" % i),
                                                                    *[entry("d%d/f%d" % (i, k), data=str(k)) for k in range(20)])])]
    yield "a sparse file", [tar(pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "9000"),
                                     ("GNU.sparse.name", "sparse")]) +
                                entry("s", data=b"2\n600\n100\n5000\n50\n".ljust(512, b"\0") + b"d" * 150), entry("behind", data="b"))]
    t = tarfile.TarInfo("dir/file")
    t.size, t.pax_headers = 3, {"mtime": "5.5", "comment": "x", "path": "dir/other"}
    yield "what Python's tarfile writes", [as_bytes([(t, b"abc")])]
    yield "files as old programs write them", [tar(entry("a", 0, data="a"), entry("dir/", 0))]
    yield "many layers", [tar(folder("d"), entry("d/%d" % i, data=str(i)),
                              *([entry("d/.wh.%d" % (i - 3))] if i >= 3 else [])) for i in range(40)]


def all_cases():
    for group in whiteouts, replaced, links, metadata, names, contents:
        yield from group()
