# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""container - container images for tests: tar archives byte by byte, OCI layouts, docker-archives

Nothing here checks anything, so that images can be as wrong as a test wants them to be.
"""
import gzip
import hashlib
import json
import os
import subprocess
import tarfile
import io

FILE, HARD, SYMLINK, CHAR, BLOCK, FOLDER, FIFO = b"0123456"
OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
LAYER = OCI + "layer.v1.tar"


def raw(value):
    return value if isinstance(value, bytes) else value.encode()


def number(value, size):
    """An octal field, or to the base of 256 as GNU tar writes it."""
    if 0 <= value < 8 ** (size - 1):
        return b"%0*o\0" % (size - 1, value)
    return bytes([0x80 if value >= 0 else 0xff]) + (value % 256 ** (size - 1)).to_bytes(size - 1, "big")


def header(name, kind=FILE, size=0, mode=0o644, uid=0, gid=0, mtime=1000, link=b"", magic=b"ustar\x0000", prefix=b"", device=(0, 0),
           more=b"", checksum=None):
    h = bytearray(b"%s%s%s%s%s%s        %c%s%s%s%s%s" % (
        name[:100].ljust(100, b"\0"), number(mode, 8), number(uid, 8), number(gid, 8),
        size if isinstance(size, bytes) else number(size, 12), number(mtime, 12), kind, link[:100].ljust(100, b"\0"),
        magic, bytes(64), number(device[0], 8) + number(device[1], 8),
        more or prefix.ljust(167, b"\0")))
    h = h.ljust(512, b"\0")
    h[148:156] = b"%06o\0 " % (sum(h) if checksum is None else checksum)
    return bytes(h)


def padded(data):
    return data + bytes(-len(data) % 512)


def record(key, value):
    body = b" " + raw(key) + b"=" + raw(value) + b"\n"
    n = len(body)
    while len(b"%d" % n) + len(body) != n:
        n = len(b"%d" % n) + len(body)
    return b"%d%s" % (n, body)


def pax(records, kind=b"x"[0]):
    """An extended header; records are pairs, or bytes as they are."""
    body = b"".join(r if isinstance(r, bytes) else record(*r) for r in records)
    return header(b"PaxHeader", kind, len(body)) + padded(body)


def entry(name, kind=FILE, data=b"", link=b"", mode=None, uid=0, gid=0, mtime=1000, xattrs=(), form="pax", records=(), **more):
    """One entry of an archive, in the format "pax", "ustar" or "gnu"."""
    name, link, data = raw(name), raw(link), raw(data)
    mode = mode if mode is not None else 0o755 if kind == FOLDER else 0o777 if kind == SYMLINK else 0o644
    before, prefix = b"", b""
    if form == "pax":
        records = list(records) + [("SCHILY.xattr." + k, v) for k, v in dict(xattrs).items()]
        records += [("path", name)] if len(name) > 100 else []
        records += [("linkpath", link)] if len(link) > 100 else []
        for key, value, most in ("uid", uid, 0o7777777), ("gid", gid, 0o7777777), ("mtime", mtime, 0o77777777777):
            if not 0 <= value <= most or value != int(value):
                records.append((key, str(value)))
        uid, gid, mtime = (v if 0 <= v <= m and v == int(v) else 0 for v, m in
                           ((uid, 0o7777777), (gid, 0o7777777), (mtime, 0o77777777777)))
        before = pax(records) if records else b""
    elif form == "ustar" and len(name) > 100:
        cut = name.rindex(b"/", 0, 156)
        prefix, name = name[:cut], name[cut + 1:]
    elif form == "gnu":
        more.setdefault("magic", b"ustar  \0")
        for text, letter in (link, b"K"), (name, b"L"):
            if len(text) > 100:
                before += header(b"././@LongLink", letter[0], len(text) + 1, magic=b"ustar  \0") + padded(text + b"\0")
    return before + header(name, kind, len(data), mode, uid, gid, mtime, link, prefix=prefix, **more) + padded(data)


def folder(name, **more):
    return entry(name, FOLDER, **more)


def symlink(name, link, **more):
    return entry(name, SYMLINK, link=link, **more)


def hard(name, link, **more):
    return entry(name, HARD, link=link, **more)


def tar(*entries):
    return b"".join(entries) + bytes(1024)


def zstd(data):
    return subprocess.run(["zstd", "-q", "-3"], input=data, stdout=subprocess.PIPE, check=True).stdout


PACKERS = {"": lambda data: data, "gzip": lambda data: gzip.compress(data, 6, mtime=0), "zstd": zstd}


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def js(value):
    return json.dumps(value).encode()


def config(layers, **more):
    """The configuration of an image with these archives."""
    return dict({"architecture": "amd64", "os": "linux", "config": {},
                 "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in layers]}}, **more)


class Layout:
    """An OCI layout: files by their names."""

    def __init__(self):
        self.files = {"oci-layout": js({"imageLayoutVersion": "1.0.0"})}
        self.index = {"schemaVersion": 2, "manifests": []}

    def blob(self, data, kind):
        """Add a blob. Return: its descriptor."""
        self.files["blobs/sha256/" + digest(data)[7:]] = data
        return {"mediaType": kind, "digest": digest(data), "size": len(data)}

    def manifest(self, layers, pack="gzip", conf=None, kind=None, docker=False):
        """Add an image without a name. Return: the descriptor of its manifest."""
        head = DOCKER + "distribution.manifest.v2+json" if docker else OCI + "manifest.v1+json"
        if kind is None:
            kind = (DOCKER + "image.rootfs.diff.tar" + ("." + pack if pack else "") if docker else
                    LAYER + ("+" + pack if pack else ""))
        return self.blob(js({
            "schemaVersion": 2, "mediaType": head,
            "config": self.blob(js(conf or config(layers)), DOCKER + "container.image.v1+json" if docker else OCI + "config.v1+json"),
            "layers": [self.blob(PACKERS[pack](data), kind) for data in layers]}), head)

    def name(self, descriptor, name="app", **more):
        """Put a descriptor into index.json."""
        self.index["manifests"].append(dict(descriptor, **more, annotations={"org.opencontainers.image.ref.name": name}))
        return self

    def all(self):
        return dict({"index.json": js(self.index)}, **self.files)

    def write(self, path):
        """As a folder."""
        for name, data in self.all().items():
            os.makedirs(os.path.dirname(os.path.join(path, name)), exist_ok=True)
            with open(os.path.join(path, name), "wb") as f:
                f.write(data)
        return path

    def archive(self):
        return tar(*[entry(name, data=data) for name, data in self.all().items()])


def layout(layers, pack="gzip", **more):
    """An OCI layout of one image, "app"."""
    oci = Layout()
    return oci.name(oci.manifest(layers, pack, **more))


def docker(layers, links=False, tags=("app:latest",), conf=None):
    """The entries of an archive of "docker save"; with links as skopeo writes them. Return: {name: bytes or link}"""
    conf = js(conf or config(layers))
    files = {digest(conf)[7:] + ".json": conf}
    names = []
    for data in layers:
        name = digest(data)[7:] + ".tar"
        files[name] = data
        if links:
            files[digest(name.encode())[7:] + "/layer.tar"] = "../" + name
            name = digest(name.encode())[7:] + "/layer.tar"
        names.append(name)
    files["manifest.json"] = js([{"Config": digest(conf)[7:] + ".json", "RepoTags": list(tags), "Layers": names}])
    return files


def archive(files):
    """An archive of files and, where the value is a text, of symbolic links."""
    return tar(*[symlink(n, v) if isinstance(v, str) else entry(n, data=v) for n, v in files.items()])


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def listing(path):
    """What an archive of unpack.c holds: {path: facts}; hard links as sets of paths."""
    found, sets = {}, {}
    with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as t:
        for m in t:
            name = os.fsencode(m.name).rstrip(b"/")
            name = b"" if name == b"." else name
            if m.islnk():
                sets.setdefault(os.fsencode(m.linkname), []).append(name)
                continue
            kind = {tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.FIFOTYPE: "fifo"}.get(m.type, "file")
            xattrs = {k[13:]: v.encode("utf-8", "surrogateescape") for k, v in m.pax_headers.items() if k.startswith("SCHILY.xattr.")}
            found[name] = {
                "type": kind, "mode": m.mode, "uid": m.uid, "gid": m.gid, "mtime": int(m.mtime), "xattrs": xattrs,
                "link": os.fsencode(m.linkname) if kind == "link" else None,
                "content": hashlib.sha256(t.extractfile(m).read()).hexdigest() if kind == "file" else None}
    for name, others in sets.items():
        for other in others:
            found[other] = found[name]
    return found, {frozenset([n, *o]) for n, o in sets.items()}


def as_bytes(members):
    """An archive in memory, of tarfile's members; for what tarfile writes, and we do not."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for info, data in members:
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()
