#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""kinds - check what the kinds and marks of coverage explain, and what they must not explain

  tests/run gauge kinds

The cases are pieces of code. Each has lines that no test reaches (L), or conditions with outcomes
that no test saw ("2/4": the second of four), and says whether that is explained. A rule that
becomes too wide fails here. The list of functions is checked against the tree.
"""
import os
import re
import sys
import tempfile

from reasons import Reasons

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
# (name, body of a function). After @: what is missed in this line, and whether it is explained ("yes" or "no").
CASES = (
    ("an allocation", """
        p = malloc(n);
        if (!p)                                         @1/2 yes
                return ccdm_err_memory(err);            @L yes
        return use(p);                                  @L no"""),
    ("the same in other words", """
        if (!(p = calloc(1, n)) || !q)                  @1/4 yes
                goto out;
        text = p ? strdup(p) : NULL;                    @2/2 yes
        if (json_object_set_new(o, "a", json_string(text)) || json_array_append(o, p))  @2,3/4 yes
                r = -ENOMEM;                            @L yes"""),
    ("a ladder behind an allocation", """
        int r = p ? 0 : -ENOMEM;                        @2/2 yes
        if (!r)                                         @2/2 yes
                r = ccdm_cert_look(p);                  @L no
        if (!r)                                         @2/2 no
                accept(p);                              @L no"""),
    ("a file that cannot be read is another matter", """
        r = set ? ccdm_file_read(path, set) : ccdm_err_memory(err);
        if (!r)                                         @2/2 no
                accept(set);"""),
    ("a library that fails, and what is cleaned up then", """
        ctx = EVP_MD_CTX_new();
        good = ctx && EVP_DigestUpdate(ctx, p, n) == 1; @2,4/4 yes
        if (!good) {                                    @1/2 yes
                free(p);                                @L yes
                return NULL;                            @L yes
        }"""),
    ("a signature", """
        good = EVP_DigestVerify(ctx, s, n, p, m) == 1 &&  @2/2 no
               !CRYPTO_memcmp(a, b, n);                 @2/2 no
        if (!good)                                      @1/2 no
                return -EBADMSG;                        @L no"""),
    ("a signature that is said to be no memory", """
        if (ccdm_cert_verify(p, key))                   @1/2 no
                return ccdm_err_memory(err);
        good = ccdm_cert_verify(p, key);
        if (!good)                                      @1/2 no
                return ccdm_err_memory(err);"""),
    ("a tag that is compared behind an allocation", """
        if (!p || memcmp(p, tag, n))                    @2/4 no
                return -ENOMEM;                         @L yes"""),
    ("what is decrypted", """
        if (EVP_DecryptFinal_ex(ctx, out, &n) != 1)     @1/2 no
                return -EBADMSG;                        @L no"""),
    ("a policy", """
        if (facts->debug && !policy->debug)             @2/4 no
                return CCDM_NO;                         @L no"""),
    ("another errno, and no line behind it", """
        if (r == -ENOKEY || r == -EKEYREJECTED)         @2/4 yes
                return ccdm_err_set(err, r, "refused"); @L no"""),
    ("a text, a signal and a full disk", """
        puts(text ? text : "");                         @2/2 yes
        while (poll(&fd, 1, 9) < 0 && errno == EINTR)   @3/4 yes
                ;
        if (fclose(f))                                  @1/2 yes
                r = -EIO;                               @L no"""),
    ("a mark, and where it ends", """
        /* coverage: a longer name was refused before */
        if (n > MOST)                                   @1/2 yes
                return -E2BIG;                          @L yes
        if (n < LEAST)                                  @1/2 no
                return -EINVAL;                         @L no"""),
    ("a mark on a body does not hide what the body asks", """
        /* coverage: only once a minute */
        if (late) {                                     @1/2 yes
                forget(p);                              @L yes
                if (a->debug)                           @1/2 no
                        return 0;
        }"""),
    ("a mark does not explain what judges beside a guard", """
        /* coverage: the caller has looked at it */
        if (!p || ccdm_key_equal(p, key))               @2/4 yes
                return 0;
        /* coverage: the caller has looked at it */
        if (!p || ccdm_key_equal(p, key))               @3/4 no
                return 0;                               @L no"""),
    ("a case with a mark", """
        switch (type) {                                 @3/3 yes
        case A:
                return one(p);                          @L no
        /* coverage: these kernels do not ask */
        case B:                                         @L yes
                two(p);                                 @L yes
                break;                                  @L yes
        default:
                three(p);                               @L no
        }"""),
)


def case(body):
    """A source, and what is missed in it: [(line, missed, explained)]."""
    lines, wanted = ["static int looked_at(void)", "{"], []
    for line in body.strip("\n").splitlines():
        m = re.match(r"(.*?)\s+@(\S+) (yes|no)$", line)
        lines.append(m.group(1) if m else line)
        if m:
            wanted.append((len(lines), m.group(2), m.group(3) == "yes"))
    return "\n".join(lines + ["}"]) + "\n", wanted


def check(body):
    """Describe the lines of @body for which the rules give another answer."""
    text, wanted = case(body)
    with tempfile.TemporaryDirectory() as tmp:
        os.makedirs(os.path.join(tmp, "tests/gauge/coverage"))
        for name, content in (("tests/gauge/coverage/functions", ""), ("piece.c", text)):
            with open(os.path.join(tmp, name), "w") as f:
                f.write(content)
        why = Reasons(tmp, tmp, ["piece.c"])
        bad = []
        for n, missed, explained in wanted:
            reason = why.line("piece.c", n) if missed == "L" else why.condition("piece.c", n, missed)
            if bool(reason) != explained:
                bad.append("%s: %s" % (text.splitlines()[n - 1].strip(), reason or "no reason"))
    return bad


def functions():
    """Names in the list that belong to no function, or to two functions.

    libccdm has a second version of functions of ccdm-setup; 86-open runs it, and coverage does not measure it.
    """
    names = [os.path.relpath(os.path.join(path, f), TOP) for part in ("kmod", "userspace")
             for path, _, files in os.walk(os.path.join(TOP, part)) for f in files if re.search(r"\.[ch]$", f)
             and os.path.basename(path) not in ("libccdm", "open")]
    return Reasons(TOP, TOP, names).unknown


def main():
    print("KTAP version 1")
    results = [(what, check(body)) for what, body in CASES]
    results.append(("each name of the list is one function's", functions()))
    for i, (what, bad) in enumerate(results):
        print("%s %d %s" % ("not ok" if bad else "ok", i + 1, what))
        for line in bad:
            print("# " + line)
    print("1..%d" % len(results))
    return int(any(bad for _, bad in results))


if __name__ == "__main__":
    sys.exit(main())
