# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""archive - Debian's archive at two addresses of this machine: as a mirror has it, and as snapshot.debian.org has it

  URL/debian/..., URL/debian-security/...               the mirror
  URL/archive/debian/STAMP/..., also debian-security    the snapshot: each file is a redirection to /file/SHA1

A file is fetched when somebody asks for it. After freeze() there is only the snapshot, and it has the files that somebody
has asked for, and no other. Packages stay in a folder for the next time. apt verifies what it gets from here by Debian's
signatures.
"""
import email.utils
import hashlib
import http.server
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request

from vm import TOP

NAME = r"(debian|debian-security)"
REST = r"((?:dists|pool)/[^?]*)"


class Archive:
    def __init__(self, folder, suite):
        """folder: where packages stay; suite: the snapshot is of the time of its newest list."""
        self.folder, self.suite = folder, suite
        self.upstream = subprocess.run([os.path.join(TOP, "scripts/mirror")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.files = {}             # path -> content, or None if the mirror does not have it
        self.digests = {}           # SHA-1 -> path
        self.frozen = False
        self.asked, self.missed = [], []    # paths since freeze(); those that the snapshot does not have
        self.lock = threading.Lock()
        self.stamp = max(self._time(name, "Date") for name in self._lists() if self.content(name)).strftime("%Y%m%dT%H%M%SZ")

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"archive": self}))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def freeze(self):
        """From now on there is only the snapshot. Packages that nobody asked for are removed from the folder."""
        self.frozen, self.missed = True, []
        for top, _, names in os.walk(self.folder):
            for name in names:
                if os.path.relpath(os.path.join(top, name), self.folder) not in self.files:
                    os.unlink(os.path.join(top, name))

    def change(self, ending):
        """One bit of a file of the snapshot whose name ends so, of the first one in the order of names; None if there is none."""
        for path in sorted(self.files):
            if path.endswith(ending) and self.files[path] is not None:
                data = bytearray(self.files[path])
                data[len(data) // 2] ^= 1
                self._keep(path, bytes(data))
                return path
        return None

    def expired(self):
        """Does apt refuse this archive because it is too old? (A mirror of it may not have been updated for some time.)"""
        until = [self._time(name, "Valid-Until") for name in self._lists()]
        return any(x and x.timestamp() < time.time() for x in until)

    def _lists(self):
        pockets = [] if self.suite == "sid" else ["debian/dists/%s-updates", "debian-security/dists/%s-security"]
        return [name % self.suite + "/InRelease" for name in ["debian/dists/%s", *pockets]]

    def _time(self, name, field):
        found = re.search(rb"^%s: (.*)$" % field.encode(), self.content(name) or b"", re.M)
        return email.utils.parsedate_to_datetime(found.group(1).decode()) if found else None

    def content(self, name):
        """A file, or None."""
        with self.lock:
            if name not in self.files and not self.frozen:
                self._keep(name, self._fetch(name))
            return self.files.get(name)

    def _keep(self, name, data):
        self.files[name] = data
        if data is not None:
            self.digests[hashlib.sha1(data, usedforsecurity=False).hexdigest()] = name

    def _fetch(self, path):
        kept = os.path.join(self.folder, path)
        archive, rest = path.split("/", 1)
        if rest.startswith("pool/") and os.path.exists(kept):
            with open(kept, "rb") as f:
                return f.read()
        try:
            with urllib.request.urlopen(self.upstream + archive[len("debian"):] + "/" + rest, timeout=120) as r:
                data = r.read()
        except urllib.error.HTTPError as e:
            if e.code not in (403, 404):
                raise
            return None
        if rest.startswith("pool/"):
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            with open(kept + ".new", "wb") as f:
                f.write(data)
            os.rename(kept + ".new", kept)
        return data

    def answer(self, path):
        """(status, content or address)"""
        mirror, snapshot = re.fullmatch("/%s/%s" % (NAME, REST), path), re.fullmatch("/archive/%s/%s/%s" % (NAME, self.stamp, REST), path)
        if self.frozen:
            self.asked.append(path)
        if path.startswith("/file/"):
            data = self.files.get(self.digests.get(path[len("/file/"):]))
            if data is not None:
                return 200, data
        elif snapshot and ".." not in path:
            name = "/".join(snapshot.groups())
            data = self.content(name)
            if data is not None:
                return 302, "/file/" + hashlib.sha1(data, usedforsecurity=False).hexdigest()
            if name in self.files:
                return 404, b""
        elif mirror and ".." not in path and not self.frozen:
            data = self.content(path[1:])
            return (404, b"") if data is None else (200, data)
        self.missed.append(path)
        return 404, b""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    archive = None

    def do_GET(self):
        try:
            status, data = self.archive.answer(urllib.request.unquote(self.path))
        except OSError as e:
            status, data = 502, str(e).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", data)
            data = b""
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass
