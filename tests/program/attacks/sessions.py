# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""sessions - invented, relayed and altered sessions, refusals for which the log has no room, wrong servers"""
import base64
import json
import os
import sqlite3
import time

from attack import any_image, attack, last, needs, ok, opens, policy, refused
from broker import Broker
from devices import setup
from guest import BOOT
from liar import PATH, SECRET, Ca, Event, image, td_boot, tpm_boot
from quotes import numbers, openssl
from sim import Signer

CONFIG = BOOT % ("ab" * 32) + """[attest]
broker = https://localhost:%d
timeout = 5
%s
[secrets]
web.key = default/web/key
"""


def manifest(key, body):
    """A validly signed manifest with a body that no builder would write."""
    def text(data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
    header = {"alg": "ES256", "typ": "ccdm-manifest", "jwk": {"crv": "P-256", "kty": "EC", "x": text(spki[27:59]), "y": text(spki[59:])}}
    said = ".".join(text(json.dumps(part).encode()) for part in (header, body))
    return said + "." + text(b"".join(numbers(openssl("dgst", "-sha256", "-sign", key, data=said.encode()))))


@attack
def trace(b, g):
    value = "00" * 48
    lists = "[%s]" % ", ".join(["%096x" % i for i in range(1, 600)])
    many = ["tee: tdx", "binding: none", "phase: initrd", "identity: any", "measurement: " + lists]
    n = 0
    for i in range(8):
        n += policy(b, many, "many%d" % i)[0]
    ok(n == 8, "eight policies with 599 measurements each")
    events = image(rtmr=True)
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + "11" * 48)
    seen = len(b.log())
    status = g.attest("tdx", td_boot(events, mrtd=value))
    entries = b.log()[seen:]
    ok(status == "PolicyDeny", "a guest that satisfies none of them is refused by policy", status)
    ok(len(entries) == 1 and entries[0]["result"] == "refused", "and the log has it, although its trace is large", entries)
    big = events + [Event("firmware", 2, b"%d" % i) for i in range(12000)]
    many = ["tee: tdx", "binding: none", "phase: initrd", "identity: any", "measurement: " + "11" * 48,
            "event: {register: rtmr2, digest: %s}" % ("22" * 48)]
    policy(b, many, "events")
    seen = len(b.log())
    status = g.attest("tdx", td_boot(big, mrtd=value))
    entries = b.log()[seen:]
    ok(status != 200, "a guest with 12,000 events is refused", status)
    ok(len(entries) == 1 and entries[0]["result"] == "refused", "and the log has it", entries)
    ok(b.admin("log", "verify", check=False)[0] == 0, "the log is whole")
    # a reason that quotes the guest, and is cut inside a multi-byte character
    builder, m = os.path.join(b.dir, "builder.pem"), "5c" * 48
    Ca.ssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", builder)
    for platform in "x" + "\u00e9" * 30, "sgx":
        seen = len(b.log())
        status = g.attest("snp", {"measurement": m, "members": {
            "manifest": manifest(builder, {"product": "web", "svn": 7, "ids": {platform: []}})}})
        entries = b.log()[seen:]
        ok(status != 200 and len(entries) == 1 and entries[0]["result"] == "refused",
           "a guest with a manifest for %s is in the log" % platform,
           (status, entries))
    for i in range(8):
        b.admin("policy", "remove", "many%d" % i, check=False)
    b.admin("policy", "remove", "events", check=False)
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + value)
    opens(b, g, "control: a guest that satisfies the policy", "tdx", td_boot(events, mrtd=value))


@attack
def database(b, g):
    m = "33" * 48
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + m)
    boot = td_boot(image(rtmr=True), mrtd=m)
    opens(b, g, "control: a session that the broker made", "tdx", boot)
    state = os.path.join(b.dir, "state/broker.db")
    with sqlite3.connect(state, timeout=10) as db:
        columns = [r[1] for r in db.execute("PRAGMA table_info(session)")]
        raw = base64.urlsafe_b64decode(g.cookie.split("=", 1)[1].split(".")[0] + "==")
        rows = [dict(zip(columns, r)) for r in db.execute("SELECT * FROM session")]
    row = [r for r in rows if raw.startswith(r["id"])][0]
    facts = {"tee": "tdx", "debug": False, "tcb": {"status": "UpToDate"}, "measurement": m, "binding": "none", "phase": "initrd"}
    blob = [c for c in columns if isinstance(row[c], bytes) and c != "id"]

    def session(**change):
        """Insert a copy of the honest row with these changes, under the ID of a new cookie. Return: the secret, or None"""
        g.auth("tdx")
        raw = base64.urlsafe_b64decode(g.cookie.split("=", 1)[1].split(".")[0] + "==")
        new = dict(row, id=raw[:len(row["id"])], **change)
        with sqlite3.connect(state, timeout=10) as db:
            db.execute("INSERT INTO session (%s) VALUES (%s)" % (", ".join(columns), ", ".join("?" * len(columns))),
                       [new[c] for c in columns])
        return g.secret(key=1)
    invented = json.dumps({"tee": "tdx", "jwk": g.do(jwk=1), "facts": facts})
    got = session(state=invented)
    ok(got is None, "a session with an invented key and invented facts opens nothing", got)
    for name, change in ((("with a MAC of zeros", {c: bytes(len(row[c])) for c in blob}), ("with an empty MAC", {c: b"" for c in blob}))
                         if blob else ()):
        got = session(state=invented, **change)
        ok(got is None, "the same %s" % name, got)
    # the honest row with the other guest's key
    honest = json.loads(row["state"])
    got = session(state=json.dumps(dict(honest, jwk=g.do(jwk=1))))
    ok(got is None, "an honest guest's facts with another key", got)
    got = session()
    ok(got is None, "an honest row, copied under another session's ID", got)
    # facts of a guest that attested for another policy
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + "44" * 48)
    own = td_boot(image(rtmr=True), mrtd="44" * 48)
    g.attest("tdx", own)
    ok(g.secret() == SECRET, "control: another session", last(b))
    raw = base64.urlsafe_b64decode(g.cookie.split("=", 1)[1].split(".")[0] + "==")[:len(row["id"])]
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + m)
    ok(g.secret() is None, "control: this session does not satisfy the first policy")
    with sqlite3.connect(state, timeout=10) as db:
        text = db.execute("SELECT state FROM session WHERE id = ?", (raw,)).fetchone()[0]
        db.execute("UPDATE session SET state = ? WHERE id = ?", (text.replace("44" * 48, m), raw))
    got = g.secret()
    ok(got is None, "another measurement written into its own session opens nothing", got)
    with sqlite3.connect(state, timeout=10) as db:
        db.execute("UPDATE session SET state = ?, expires = expires + 100000 WHERE id = ?", (text, raw))
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + "44" * 48)
    ok(g.secret() is None, "a later expiry, written into it, opens nothing")
    # a policy that the attacker's guest satisfies
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + m)
    with sqlite3.connect(state, timeout=10) as db:
        columns = [r[1] for r in db.execute("PRAGMA table_info(policy)")]
        text = ("name: evil\nsecrets: default/web/*\nrequire: {tee: tdx, binding: none, phase: [initrd, unknown, running], identity: any, "
                "measurement: %s}\n") % ("55" * 48)
        values = {"name": "evil", "text": text}
        row = dict(zip(columns, db.execute("SELECT * FROM policy WHERE name = 'web'").fetchone()))
        db.execute("INSERT INTO policy (%s) VALUES (%s)" % (", ".join(columns), ", ".join("?" * len(columns))),
                   [values.get(c, row[c]) for c in columns])
    got = g.gets("tdx", td_boot(image(rtmr=True), mrtd="55" * 48))
    ok(not got, "a policy written into the database opens nothing", last(b))
    opens(b, g, "control: the administrator's own policy still holds", "tdx", boot)
    with sqlite3.connect(state, timeout=10) as db:
        db.execute("DELETE FROM policy WHERE name = 'evil'")


@attack
def relay(b, g):
    m = "66" * 48
    any_image(b, "tee: tdx", "binding: none", "phase: initrd", "measurement: " + m)
    boot = td_boot(image(rtmr=True), mrtd=m)
    opens(b, g, "control: the honest guest", "tdx", boot)
    token, cookie, message, nonce = g.token, g.cookie, g.message, g.nonce
    # with only the token or the cookie, the secret is encrypted for the honest guest's key
    ok(g.secret(key=1, cookie=None, bearer=token) is None, "the honest guest's token, and another key")
    ok(g.secret(key=1, cookie=cookie) is None, "its cookie, and another key")
    g.cookie = cookie
    status = g.send(message)
    ok(status != 200, "the same message a second time", status)
    g.auth("tdx")
    status = g.send(message)
    ok(status != 200 and g.secret() is None, "the same in a new session", status)
    g.auth("tdx")
    status = g.send(message.replace(nonce, g.nonce))
    ok(status != 200 and g.secret() is None, "the same with the new session's nonce", status)
    # a quote of the honest VM for this nonce and its own key, sent with the attacker's key
    n = g.auth("tdx")
    m1 = json.loads(g.do(make="tdx", nonce=n, key=0, **{"is": boot})["message"])
    m1["runtime-data"]["tee-pubkey"] = g.do(jwk=1)
    status = g.send(json.dumps(m1))
    ok(status != 200 and g.secret(key=1) is None, "a quote of another VM with this session's nonce, and the attacker's key", status)
    # a session that began with another TEE
    g.auth("snp")
    m1 = g.do(make="tdx", nonce=g.nonce, key=0, **{"is": boot})["message"]
    ok(g.send(m1) != 200, "evidence of another TEE than auth named")
    for name, bad in (("a token whose signature is cut", token[:-4]),
                      ("a token with another signature", token.rsplit(".", 1)[0] + "." + "A" * 86),
                      ("one without a signature", token.rsplit(".", 1)[0] + "."),
                      ("alg none",
                       base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=") + "." + token.split(".")[1] + ".")):
        ok(g.http("GET", "resource/" + PATH, bearer=bad)[0] == 401, name)
    ok(g.http("GET", "resource/" + PATH, bearer=token)[0] == 200, "control: the token itself")
    b.secret("default/db/key", b"of others")
    answers = [g.http("GET", "resource/default/" + x, cookie=cookie)[:2] for x in ("db/key", "db/none", "web/none")]
    ok(answers[0][0] == 401 and answers[0] == answers[1] == answers[2], "a secret of another guest looks like two that do not exist",
       answers)
    # an honest TPM's quote, sent with the attacker's TEE
    any_image(b, "tee: tdx", "binding: provider", "phase: initrd")
    refused(b, g, "the quote of an uncertified TPM, in addition to a TEE", "tdx", td_boot(image(b"mine", rtmr=True)),
            tpm_boot(image(), ak=1))
    refused(b, g, "a known TPM's quote for another nonce", "tdx", td_boot(image(b"mine", rtmr=True)), tpm_boot(image(), bound="00" * 48))


@attack
def impostor(b, g):
    """Here the guest is the real program, and the attacker controls the network."""
    m, conf = "5d" * 48, os.path.join(b.dir, "guest.conf")
    with Broker(os.path.join(b.dir, "own")) as own, Broker(os.path.join(b.dir, "alien")) as alien, \
         Signer("snp", os.path.join(b.dir, "imp-tee"), os.path.join(own.dir, "trust")) as s:
        own.reload()
        s.vm(m)
        for who, secret in (own, SECRET), (alien, "of the attacker's"):
            who.secret(PATH, secret.encode())
            needs(who, "tee: snp", "binding: none", "phase: unknown", "measurement: {value: %s, covers: image}" % m)

        def asks(to, *words, at=None):
            """at: the modification time of the image's configuration"""
            with open(conf, "w") as f:
                f.write(CONFIG % (to.port, "ca = " + own.ca))
            if at:
                os.utime(conf, (at, at))
            return setup("secret", "get", PATH, "--config", conf, "--timeout", "5", *words, sev=s)

        def control(what, *words, **kw):
            rc, out, said = asks(own, *words, **kw)
            ok(rc == 0 and out == SECRET.encode(), "control: " + what, (rc, said, last(own)))

        def turns_away(what, to, *words, **kw):
            """Expect that the guest sends this server nothing."""
            seen = len(to.log())
            rc, out, said = asks(to, *words, **kw)
            ok(rc == 8 and not out and "cannot verify the broker" in said and len(to.log()) == seen, what + ": the guest sends nothing",
               (rc, out, said))
        control("the broker, by its CA")
        control("the broker, by its pin", "--pin", own.pin)
        turns_away("another broker with a CA of its own", alien)
        turns_away("the same, by the pin of ours", alien, "--pin", own.pin)
        turns_away("ours, by the pin of another", own, "--pin", alien.pin)
        # a stolen old key of the broker, while the host sets the guest's clock
        now = int(time.time())
        own.admin("renew", "--name", "localhost", "--days", "30")
        own.reload()
        control("a certificate for 30 days, and an image of today", at=now)
        turns_away("an image made after the certificate expired, and a clock set back", own, at=now + 40 * 86400)
        own.admin("renew", "--name", "elsewhere", "--days", "30")
        own.reload()
        turns_away("a certificate of our CA for another name", own)
        control("the same certificate, by its pin", "--pin", own.pin)
