# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""paravisor - simulates, inside of the guest, what is between an Azure VM and its TEE

  paravisor.py snp|tdx [other-key] [no-user-data] [no-service] [torn]

Keeps a key at 0x81000003 and the HCL report in NV index 0x01400001 of the machine's TPM. Makes a
new report whenever 0x01400002 is written, and serves the metadata service at 169.254.169.254.
Reports and quotes are signed outside (tests/kernel/sim/signer.c), over the second serial port.
other-key: the report names another key than the vTPM's; no-user-data: user data is not supported;
no-service: there is no metadata service; service-fails: it answers with an error; service-lies:
its answer is not text; torn: a new report is written from its end, with a pause of a second
before the rest. Creates /tmp/paravisor when it is ready.
"""
import base64
import hashlib
import http.server
import json
import os
import struct
import sys
import threading
import time
import tty

OWNER, ENDORSEMENT, AK = 0x40000001, 0x4000000B, 0x81000003
HCL, DATA, DATA_SIZE = 0x01400001, 0x01400002, 64
READ_WRITE = 0x02060006     # by owner or index, no dictionary attacks

tee, words = sys.argv[1], sys.argv[2:]


# ---- the vTPM ---------------------------------------------------------------------

class TpmError(Exception):
    pass


def sized(data):
    return struct.pack(">H", len(data)) + data


def tpm(code, handles, params, auths=1, answers_handle=False):
    """Run a command with empty passwords. Return: the handle in the answer, if it has one, and the parameters."""
    auth = struct.pack(">IHBH", 0x40000009, 0, 0, 0) * auths
    body = b"".join(struct.pack(">I", h) for h in handles)
    if auths:
        body += struct.pack(">I", len(auth)) + auth
    body += params
    fd = tpm.fd
    os.write(fd, struct.pack(">HII", 0x8002 if auths else 0x8001, 10 + len(body), code) + body)
    a = os.read(fd, 4096)
    rc = struct.unpack(">I", a[6:10])[0]
    if rc:
        raise TpmError("command %#x: %#x" % (code, rc))
    a, handle = a[10:], None
    if answers_handle:
        handle, a = struct.unpack(">I", a[:4])[0], a[4:]
    return handle, a[4:] if auths else a


def nv_define(index, size):
    public = struct.pack(">IHIHH", index, 0x0B, READ_WRITE, 0, size)
    try:
        tpm(0x122, [OWNER, index], b"")
    except TpmError:
        pass
    tpm(0x12A, [OWNER], sized(b"") + sized(public))


def nv_write(index, data, torn=False):
    for at in sorted(range(0, len(data), 512), reverse=torn):
        if torn and not at:
            time.sleep(1)
        tpm(0x137, [index, index], sized(data[at:at + 512]) + struct.pack(">H", at))


def nv_read(index, size):
    return tpm(0x14E, [index, index], struct.pack(">HH", size, 0))[1][2:2 + size]


def make_key():
    """Make a restricted RSA key for RSASSA. Return: its modulus."""
    public = struct.pack(">HHIH", 1, 0x0B, 0x50472, 0) + struct.pack(">HHHHI", 0x10, 0x14, 0x0B, 2048, 0) + sized(b"")
    handle, a = tpm(0x131, [ENDORSEMENT], sized(sized(b"") + sized(b"")) + sized(public) + sized(b"") +
                    struct.pack(">I", 0), answers_handle=True)
    area = a[2:2 + struct.unpack(">H", a[:2])[0]]
    try:
        tpm(0x120, [OWNER, AK], struct.pack(">I", AK))      # the key of an earlier run
    except TpmError:
        pass
    tpm(0x120, [OWNER, handle], struct.pack(">I", AK))
    tpm(0x165, [], struct.pack(">I", handle), auths=0)
    return area[-256:]


# ---- the TEE, outside of the guest ------------------------------------------------------

serial = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
tty.setraw(serial)
one_at_a_time = threading.Lock()


def report(data):
    """A report or quote bound to these 64 bytes, and the host's certificate table."""
    def get(n):
        out = b""
        while len(out) < n:
            out += os.read(serial, n - len(out))
        return out

    with one_at_a_time:
        os.write(serial, b"CCDMR\0" + data)
        n, more = struct.unpack("<II", get(8))
        return get(n), get(more)


def b64url(data):
    return base64.urlsafe_b64encode(data).decode()


def hcl(user):
    """The HCL report: header, report, fields before the claims, claims."""
    global vcek
    claims = json.dumps({"keys": [{"kid": "HCLAkPub", "kty": "RSA", "e": "AQAB", "n": b64url(modulus).rstrip("=")}],
                         "user-data": user.hex().upper()}, separators=(",", ":")).encode()
    data = hashlib.sha256(claims).digest() + bytes(32)
    if tee == "snp":
        hw, table = report(data)
        offset, size = struct.unpack("<II", table[16:24])
        vcek = table[offset:offset + size]
    else:
        hw = bytes(128) + data + bytes(1024 - 192)
    head = b"HCLA" + struct.pack("<IIII", 2, len(hw), 1, 0) + bytes(12)
    return (head + hw.ljust(1184, b"\0") +
            struct.pack("<IIIII", 20 + len(claims), 1, 2 if tee == "snp" else 4, 1, len(claims)) + claims)


class Metadata(http.server.BaseHTTPRequestHandler):
    def answer(self, o):
        text = json.dumps({k: 1 for k in o} if "service-lies" in words else o).encode()
        self.send_response(500 if "service-fails" in words else 200 if self.headers.get("Metadata") == "true" else 400)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.path != "/metadata/THIM/amd/certification":
            return self.send_error(404)
        der = base64.encodebytes(vcek).decode()
        self.answer({"vcekCert": "-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n" % der})

    def do_POST(self):
        if self.path != "/acc/tdquote":
            return self.send_error(404)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["report"]
        self.answer({"quote": b64url(report(base64.urlsafe_b64decode(asked)[128:192])[0])})

    def log_message(self, *args):
        pass


vcek = b""
tpm.fd = os.open("/dev/tpmrm0", os.O_RDWR)
modulus = make_key()
if "other-key" in words:
    modulus = bytes([modulus[0]]) + hashlib.sha256(modulus).digest() * 7 + modulus[-31:]
seen = bytes(DATA_SIZE)
first = hcl(seen)
nv_define(HCL, len(first))
nv_write(HCL, first)
if "no-user-data" not in words:
    nv_define(DATA, DATA_SIZE)
    nv_write(DATA, seen)
if "no-service" not in words:
    server = http.server.ThreadingHTTPServer(("169.254.169.254", 80), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
open("/tmp/paravisor", "w").close()
while True:
    time.sleep(0.2)     # poll: a TPM does not signal that an index was written
    if "no-user-data" in words:
        continue
    data = nv_read(DATA, DATA_SIZE)
    if data != seen:
        seen = data
        nv_write(HCL, hcl(data), "torn" in words)
