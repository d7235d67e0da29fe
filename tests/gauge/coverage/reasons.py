# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""reasons - why no test needs to reach a line, or to see both outcomes of a condition

A reason has one of three places. None of them names a file or a line, so code can move or be
reworded without a change to its reasons.

A kind is a rule in this file that looks at the source, for example "no memory" or "the end of a boot".
A condition is of a kind if each of its parts is; so is a line that only follows from such a condition.

A mark is a comment in the source, above a statement, a case or a function, or at the end of a line:

    /* coverage: the kernel has refused a longer name before */

It explains the conditions in the statement's head, and the lines of the statement. Use it if the
reason says something about the code, for a guard, for example.

The file "functions" has the rest: functions that are explained as a whole, by their names alone.

Code that judges (JUDGES: a comparison, a signature, a verdict, or the result of such a call) is
explained by no kind and by no function's reason. A mark explains it only if the statement has no other condition.
"""
import os
import re

from source import CASE, Source, conditions, same_lines

# A call by which the program decides what to trust. Tests must see both of its outcomes.
JUDGES = re.compile(r"""\b\w*(?: verif | memcmp | memneq | _equal\b | judge | verdict | _holds\b | DecryptFinal | CipherFinal | _match
                    | _fits\b | _lists\b | _listed\b | _known\b | _allowed\b | _trusted | _pinned | (?:jws|crl|cert)_signed
                    | ccdm_tamper | ccdm_fence_ )\w*\s*\(""", re.X | re.I)

# Calls that fail only for lack of memory.
ALLOCATES = re.compile(r"""(?:
    [mc]alloc | realloc | strn?dup | v?asprintf | aligned_alloc | posix_memalign | open_memstream
    | (?:k|kv|v|kmem_|kmem_cache_|mempool_)\w*alloc\w* | kmem_cache_create\w* | mempool_create\w* | alloc_\w+
    | shrinker_alloc | kasprintf | kstrdup | kmemdup | bioset_init | mempool_init\w*
    | json_(?:array|object|pack|stringn?|integer|real|boolean|sprintf|copy|deep_copy|dumpb?|dumps)
    | json_(?:object|array)_(?:set|append|update|extend|insert)\w*
    | ccdm_json_(?:make\w*|add|put|dump) | ccdm_base64 | ccdm_digest_(?:of|pieces) | ccdm_eventlog_(?:begin|extend)
    | ccdm_known_events_init | evbuffer_new | event_new | event_base_new | nl_socket_alloc )$""", re.X)

# Calls into libraries that, as used here, fail only for lack of memory.
LIBRARY = re.compile(r"""(?:
    (?:EVP|BN|BIO|OSSL_PARAM\w*|OPENSSL_sk|sk_\w+|ECDSA_SIG|RAND|HMAC|SSL|SSL_CTX|ASN1|X509_STORE|X509V3|CRYPTO)_\w+
    | X509(?:_CRL|_REQ|_NAME)?_(?:new|set|add|dup|digest|up_ref|sign|gmtime)\w* | i2[do]_\w+ | Tss2_MU_\w+_Marshal
    | evbuffer_\w+ | evhttp_\w*new\w* | evhttp_add_header | bufferevent_\w+ | event_add | evconnlistener_\w+
    | sqlite3_(?:bind|db_config|prepare)\w* | yaml_parser_initialize | curl_easy_(?:init|setopt) | curl_slist_append
    | dm_task_(?!run)\w+ | udev_\w+new\w* | udev_monitor_\w+ | kmod_new | blkid_new_probe\w* | nl_socket_modify_cb
    | crypto_alloc_\w+ | crypto_\w+_setauthsize )$""", re.X)
# Of these, calls whose result depends on input from others.
ASKS = re.compile(r"""\w*(?: verify | decrypt | cipherfinal | cipherupdate | _cmp | _eq\b | check | _get | read | d2i | find | set_peer
                  | fromdata$ | _file\b | _use_ | _is_ | _value\b | _num\b )\w*$""", re.X | re.I)
# Of all of them, calls that return 0 or an error.
NUMBERS = re.compile(r"json_(?:object|array)_(?:set|append|update|extend|insert)|event_add|evbuffer_add|evhttp_add_header|"
                     r"bufferevent_|sqlite3_|posix_memalign|curl_easy_|udev_monitor_enable|nl_socket_modify|ccdm_json_(?:add|put)")
# Calls that do not fail, in an expression that is otherwise of a kind.
PLAIN = re.compile(r"(?:if|while|for|switch|return|sizeof|ARRAY_SIZE|strlen|strnlen|json_object_get|json_string_value|unlikely|likely|"
                   r"min|max|min_t|max_t|struct_size|PTR_ERR|IS_ERR|IS_ERR_OR_NULL|READ_ONCE|ccdm_x509|ccdm_evp)$")
# Calls that a function may make in addition, if it fails only for lack of memory.
HARMLESS = re.compile(r"(?:free|memcpy|memset|snprintf|json_(?:decref|incref)|\w+_(?:free|cleanse|bzero)|ccdm_hex|ccdm_err_memory)$")

# The kinds: each explains a condition. MEMORY and BOOT also explain lines that are reached only after such a failure.
MEMORY = "no memory, or a library that fails"
BOOT = "the boot ends, and its counts with it: 30-host, 40-bad-input, 60-attest"
MACRO = "a macro of the kernel or of a library asks"
TEXT = "a text that is always there"
ERRNO = "another kernel says it with another errno"
KINDS = (
    ("a signal that does not end the program", r"[=!]= EINTR\b"),
    ("a call that fails without a reason", r"(?:^|[\s(,])errno\s*$"),
    ("a full disk, or standard output that is closed", r"\b(?:close|fclose|fflush|fprintf|fputs|puts|putchar|ferror|json_dumpf)\("),
    ("the module says each word that there is", r"\bccdm_dm_word\("),
)
MACROS = re.compile(r"\b(?:this_cpu_\w+|for_each_possible_cpu|DEFINE_EVENT|DECLARE_EVENT_CLASS|DMEMIT|clamp_t|k[mz]alloc|"
                    r"flush_workqueue|Tss2_Tcti_Finalize)\b")


def calls(text):
    return [c for c in re.findall(r"\b([A-Za-z_]\w*)\s*\(", text) if not PLAIN.match(c)]


def fails_for_memory(call, own):
    return ALLOCATES.match(call) or (LIBRARY.match(call) and not ASKS.match(call)) or call in own


def of_memory(src, n, text, own, depth=0, ladder=True):
    """Is @text, an expression in line @n, false only if memory runs out or a library fails?"""
    if JUDGES.search(text):
        return False
    parts = re.split(r"\?|(?<![?:]):(?!:)", text)
    if len(parts) > 1:
        # of a choice, its two results; what it asks is a condition of its own
        results = [p.strip(" ;") for i, p in enumerate(parts) if i and not re.search(r"&&|\|\|", p)]
        return all(re.fullmatch(r"0|NULL|true|false|\"_*\"|", p) or of_memory(src, n, p, own, depth, ladder) for p in results)
    if re.search(r"[=!]= (?:-ENOMEM|\w+_(?:NOMEM|MEMORY|MEM_ERROR|OUT_OF_MEMORY))\b", text) or \
       re.fullmatch(r"\s*\(?-ENOMEM\)?;?\s*|\s*ccdm_err_memory\([^()]*\);?\s*", text):
        return True
    inside = calls(text)
    if inside:
        return all(fails_for_memory(c, own) for c in inside)
    names = re.findall(r"[A-Za-z_]\w*(?:(?:->|\.)\w+|\[\w*\])*", re.sub(r"\bsizeof\b|\bNULL\b|\btrue\b|\bfalse\b|\bbool\b", "", text))
    if not names or depth > 3:
        return False
    return all(assigned_of_memory(src, n, x, own, depth, ladder) for x in names)


def assigned_of_memory(src, n, name, own, depth, ladder):
    """Does everything that sets @name before line @n fail only for lack of memory?"""
    where = src.body.get(n)
    if not where:
        return False
    gives = re.compile(r"(?:^|[^\w.>])%s(?:\[\w*\])?\s*(?:=|\|=|&=)\s*(?!=)(.*)" % re.escape(name))
    made = re.compile(r"(?:^|[^\w.>])&%s\b" % re.escape(name))
    found, at, mine = False, src.begin(n), src.begin(n)
    first = re.match(r"for \(%s = ([\w.>-]+);" % re.escape(name), src.head(n))
    if first:
        return of_memory(src, n, first.group(1), own, depth + 1, ladder)
    if re.match(r"(?:for|while)\b", src.head(n)):
        at = src.statement(at)[1] + 1       # statements of the loop itself
    seen = set()
    while at > where[1]:
        at -= 1
        b = src.begin(at)
        if b in seen or b == mine or src.code[at].strip() in ("", "{", "}") or b <= where[1] or src.code[b].startswith("{"):
            continue
        seen.add(b)
        text = src.text(b)
        if src.code[b].lstrip().startswith("}") or ("{" in text and re.match(r"(?:else )?(?:if|for|while|switch|do)\b", text)):
            text = src.head(b) if re.match(r"(?:\} )?(?:else )?(?:if|for|while|switch)\b", text) else ""
        m = gives.search(text)
        if not m and made.search(text) and not any(c in ("memset", "memcpy") for c in calls(text)):
            inside = calls(text)
            if not all(fails_for_memory(c, own) for c in inside):
                return False
            found = True
            break
        if not m:
            continue
        value = m.group(1).split(";")[0]
        # of a declaration, the part with this name
        level, cut = 0, len(value)
        for i, c in enumerate(value):
            level += (c in "([{") - (c in ")]}")
            if c == "," and not level:
                cut = i
                break
        value = value[:cut]
        if re.fullmatch(r"\s*(?:0|NULL|false|true|-?1)\s*", value):
            if src.indent(b) <= src.indent(mine):
                break
            continue
        if not of_memory(src, b, value, own, depth + 1, ladder):
            return False
        found = True
        if src.indent(b) <= src.indent(mine) and not re.match(r"\s*(?:else\s+)?if\b", src.code[b]) and \
           not re.match(r"\s*(?:else\s+)?(?:if|for|while)\b", src.code[src.begin(b - 1)] if b > 1 else ""):
            break
        guard = src.begin(b - 1) if not re.match(r"\s*(?:else\s+)?if\b", src.code[b]) else b
        if ladder and re.search(r"!%s\b" % re.escape(name), src.head(guard)):
            break
    return found


def judged(src, n, text):
    """Is the condition @text about the result of something that judges?"""
    first = src.body.get(n, (None, n, n))[1]
    names = "|".join(re.escape(x) for x in re.findall(r"[A-Za-z_]\w*", text) if x not in ("NULL", "err"))
    gives = re.compile(r"\b(?:%s)\s*=(?!=)" % names)
    return bool(names) and any(gives.search(src.code[i]) and JUDGES.search(src.text(i)) for i in range(first, n))


class Reasons:
    """Why no test needs to reach a line of @tree, as it was counted. Marks and functions are those of @top, as it is now."""

    def __init__(self, top, tree, names):
        self.functions, self.used, self.sources, self.counted, self.now = {}, set(), {}, {}, {}
        with open(os.path.join(top, "tests/gauge/coverage/functions")) as f:
            for line in f:
                if line.startswith("#") or not line.strip():
                    continue
                words, why = line.rstrip("\n").split(": ", 1)
                self.functions.update(dict.fromkeys(words.split(), why))
        for name in dict.fromkeys(names):
            with open(os.path.join(tree, name)) as f:
                self.counted[name] = self.sources[name] = Source(f.read())
            path = os.path.join(top, name)
            if os.path.exists(path):
                with open(path) as f:
                    self.sources[name] = Source(f.read())
            if self.sources[name].raw != self.counted[name].raw:
                self.now[name] = same_lines(self.counted[name], self.sources[name])
        where = [name for src in self.sources.values() for name in {b[0] for b in src.body.values()}]
        # a name that two functions have explains neither
        self.unknown = [f for f in self.functions if where.count(f) != 1]
        self.functions = {f: why for f, why in self.functions.items() if where.count(f) < 2}
        self.own, self.numbers = self._own(), set()
        self.boot, self.stops = self._boot()
        for src in self.sources.values():
            self.numbers.update(name for name, first, _ in src.body.values() if re.match(r"(?:static |inline )*int\b", src.code[first]))

    def _place(self, name, n):
        """The (source, line) at which line @n of the counted tree is now."""
        if name not in self.now:
            return self.sources[name], n
        if n in self.now[name]:
            return self.sources[name], self.now[name][n]
        return self.counted[name], n

    def now_at(self, name, n):
        """The present number of line @n; 0: the line no longer exists."""
        return self.now[name].get(n, 0) if name in self.now else n

    def said(self, name, n):
        """The text of line @n."""
        raw = self.counted[name].raw
        return raw[n].strip() if n < len(raw) else ""

    def _own(self):
        """Functions of ccdm that fail only for lack of memory."""
        bodies = {}
        for src in self.sources.values():
            for name, first, last in set(src.body.values()):
                bodies.setdefault(name, []).append((src, first, last))
        own = set()
        for _ in range(4):
            before = len(own)
            for name, places in bodies.items():
                if name not in own and all(self._only_memory(*p, own) for p in places):
                    own.add(name)
            if len(own) == before:
                break
        return own

    @staticmethod
    def _only_memory(src, first, last, own):
        """Does the function fail only for lack of memory? It calls nothing else that fails, or all its results are of that kind."""
        text = " ".join(src.code[first:last + 1])
        begin = text.index("{")
        head, text = text[:begin], text[begin:]
        if JUDGES.search(text) or re.search(r"\bvoid\s+\w+\(|__must_check|\bbool \*", head) or \
           re.search(r"-E(?!NOMEM\b)[A-Z]+|-errno|\breturn (?:false|-1)\b", text):
            return False
        if re.match(r"(?:static |inline )*int\b", head):
            results = [n for n in range(first, last + 1) if re.match(r"\s*(?:.*\)\s*|else\s*)?return\b", src.code[n])]
            values = [(n, re.sub(r"^.*?\breturn\b|;.*", "", src.text(n)).strip()) for n in results]
            return any(v != "0" for _, v in values) and all(v == "0" or of_memory(src, n, v, own, 0, False) for n, v in values)
        rest = re.sub(r"\bfor \([^;]*;[^;]*;", "", text)
        if re.search(r"[=!<>]=|[^-<]>(?!>)|<(?!<)", re.sub(r"(?:[=!]= 1|[<>]=? 0|[=!]= NULL|->|<<|>>)(?![\w])", "", rest)):
            return False
        inside = [c for c in calls(text) if not HARMLESS.match(c)]
        return bool(inside) and all(fails_for_memory(c, own) for c in inside)

    def _boot(self):
        """Functions of ccdm-setup whose error ends a boot (they know its codes, or only such functions call them); and what ends it."""
        bodies = {f: " ".join(src.code[first:last + 1]) for name, src in self.sources.items() if name.startswith("userspace/setup/")
                  for f, first, last in set(src.body.values())}
        inside = {f: set(calls(text[text.find("{"):])) for f, text in bodies.items()}

        def with_theirs(found):
            while True:
                callers = {f: {g for g in bodies if f in inside[g]} for f in bodies if f not in found}
                more = {f for f, by in callers.items() if by and by <= found}
                if not more:
                    return found
                found |= more
        return with_theirs({f for f, text in bodies.items() if re.search(r"\benum ccdm_boot_code\b|\bccdm_boot_stop\b", text)}), \
            with_theirs({f for f in bodies if f == "ccdm_boot_stop"})

    # ---- kinds

    def _kind_of_condition(self, src, n, asked):
        """The kind of the conditions @asked in line @n, if each has one."""
        if src.body.get(n, ("",))[0] in self.boot and self._boot_condition(src, n, asked):
            return BOOT
        if MACROS.search(src.code[n]) and not re.match(r"\s*if\b", src.code[n]):
            return MACRO
        found = [self._kind(src, n, a) for a in asked]
        return found[0] if found and all(found) else None

    def _kind(self, src, n, asked):
        head, value = src.head(n), self._value(asked)
        if JUDGES.search(asked):
            return None
        for why, pattern in KINDS:
            if re.search(pattern, asked):
                return why
        name = re.search(r"([\w.>\[\]-]+)\s*$", asked)
        if name and re.search(r"%s \? %s : \"" % ((re.escape(name.group(1)),) * 2), head):
            return TEXT
        if name and re.search(r"\b%s \? ccdm_json_dump\(%s," % ((re.escape(name.group(1)),) * 2), head):
            return MEMORY
        if re.search(r"\b(\w+) == -E\w+ \|\| \1 == -E\w+", head) and re.search(r"\w+ == -E", asked):
            return ERRNO
        if of_memory(src, n, value, self.own):
            return MEMORY
        # An if, or a choice, one of whose results is "out of memory"
        if re.search(r"\?.*(?:-ENOMEM\b|\bccdm_err_memory\b)", head) and not judged(src, n, value):
            return MEMORY
        if re.match(r"(?:\} )?(?:else )?if\b", head) and len(conditions(head)) == 1:
            then = src.text(n)[len(head):]
            if then.count(";") <= 1 and re.search(r"(?:return|=) (?:-ENOMEM\b|ccdm_err_memory\b)", then) and not judged(src, n, asked):
                return MEMORY
        return None

    def _boot_condition(self, src, n, asked):
        """Does the condition only separate an error that ends the boot from the case without one?"""
        if any(JUDGES.search(a) for a in asked):
            return False
        if all(re.fullmatch(r"\W*(?:if \(|for \(|=)?\W*!?\(?r\)?\W*", a) for a in asked):
            return True
        head = src.head(n)
        guarded = src.text(n)[len(head):]
        return bool(re.match(r"(?:\} )?(?:else )?if\b", head) and re.search(r"ccdm_err_set\(|return (?:r|-E\w+);", guarded)) or \
            bool(re.match(r"switch\b", head)) or bool(re.search(r"\br [=!]= -E\w+ \?", head))

    @staticmethod
    def _value(atom):
        """The condition that a part of an assignment asks."""
        m = re.match(r"\s*(?:(?:const |struct |unsigned |static )*\w[\w\s*]*?[\s*])?[\w.>\[\]*-]+\s*(?<![=!<>])=(?!=)\s*(.*)$", atom)
        return m.group(1) if m and m.group(1).strip() else atom

    def _boot_line(self, src, n):
        """Does line @n report an error, or clean up before one is passed on?"""
        tells = re.compile(r"\bccdm_err_set\(|\bCCDM_E_\w+|\bcase -E|\bdefault:|return (?:r|-E\w+|1);")
        return src.body[n][0] in self.stops or bool(tells.search(src.text(n))) or self._boot_guard(src, n)

    @staticmethod
    def _boot_guard(src, n):
        """Does a block around line @n end with an error?"""
        at = src.begin(n)
        indent = src.indent(at)
        while at > src.body[n][1] and indent > 8:
            at -= 1
            if src.code[at].strip() and src.indent(at) < indent:
                b = src.begin(at)
                indent = src.indent(b)
                ends = re.search(r"ccdm_err_set\(|CCDM_E_|return (?:r|-E\w+);", src.text(b))
                if ends and re.match(r"(?:\} )?(?:else )?if\b", src.head(b)):
                    return True
        return False

    def _is_failure(self, asked):
        """Is the condition true after a failure? r, e, rc and n are numbers; any other name is an object that exists or is NULL."""
        text = re.sub(r"^\s*(?:\}\s*)?(?:else\s+)?if\s*\(|\)\s*\{?\s*$", "", asked).strip().lstrip("(")
        if re.search(r"<=? 0|!= [01]\b|== -|== NULL", text):
            return True
        if re.search(r"[=!<>]=? ", text):
            return False
        negated, inside = text.startswith("!"), calls(text)
        number = re.match(r"!?(?:r|e|rc|n)\b", text) or (inside and (inside[0] in self.numbers or NUMBERS.match(inside[0])))
        return bool(number) != negated

    def _kind_of_line(self, src, n):
        text = src.text(n)
        if not src.code[n][:1].isspace() or JUDGES.search(text):
            return None
        if re.match(r"(?:return|\w+ =) (?:-ENOMEM;|ccdm_err_memory\()", text):
            return MEMORY
        if re.match(r"\s*[?:] (?:-ENOMEM|ccdm_err_memory\()", src.code[n]):
            return MEMORY
        if src.body.get(n, ("",))[0] in self.boot and self._boot_line(src, n):
            return BOOT
        # Statements that run only after a failure of a kind, because it guards them.
        where = src.body.get(n)
        at, indent = src.begin(n), src.indent(src.begin(n))
        while where and at > where[1] and indent > 8:
            at -= 1
            if not src.code[at].strip() or src.indent(at) >= indent or re.match(r"\s*\}?\s*\w+:\s*$", src.code[at]):
                continue
            b = src.begin(at)
            if src.indent(b) >= indent:
                continue
            head, indent = src.head(b), src.indent(b)
            asked = conditions(head)
            if not re.match(r"(?:\} )?(?:else )?if\b", head) or re.match(r"\} else\b(?! if)", head) or JUDGES.search(head):
                continue
            of = [self._kind_of_condition(src, b, [a]) == MEMORY and self._is_failure(a) for a in asked]
            if of and (all(of) if "||" in head else any(of)):
                return MEMORY
        return None

    # ---- queries

    @staticmethod
    def _marked(src, n, lines, asked=()):
        """A mark explains a condition that judges, and what depends on it, only if the statement has no other condition."""
        if n not in lines or (any(map(JUDGES.search, asked)) and len(conditions(src.head(src.top.get(n, n)))) > 1):
            return None
        src.used.add(lines[n])
        return lines[n]

    def _function(self, src, n, asked):
        f = src.body.get(n, ("",))[0]
        if f not in self.functions or JUDGES.search(asked) or judged(src, n, asked):
            return None
        self.used.add(f)
        return self.functions[f]

    def line(self, name, n):
        """Why line @n is not reached, or None."""
        src, n = self._place(name, n)
        top = src.top.get(n)
        under = [src.head(top)] if top and src.code[top][:1].isspace() else ()
        return self._marked(src, n, src.whole, under) or self._kind_of_line(src, n) or self._function(src, n, src.code[n])

    def condition(self, name, n, never):
        """Why line @n has outcomes that were never seen, or None; @never: "2,3/4" as gcov counts them."""
        src, n = self._place(name, n)
        if re.match(r"\s*switch\b", src.code[n]):
            # a case with a mark
            cases = [i for i in range(n, src.statement(n)[1]) if CASE.match(src.code[i]) and i in src.heads]
            if cases:
                return self._marked(src, cases[0], src.heads)
        missed, total = never.split("/")
        asked = conditions(src.code[n], src.code[n - 1]) or conditions(src.head(n))
        if 2 * len(asked) != int(total):
            asked = conditions(src.head(n))
        if 2 * len(asked) == int(total):
            asked = [asked[(int(i) - 1) // 2] for i in missed.split(",")]
        return self._marked(src, n, src.heads, asked) or self._kind_of_condition(src, n, asked) or \
            self._function(src, n, " ".join(asked))

    def outcome(self, name, where):
        """Why a condition at @where (line, column, end) has only one outcome, or None."""
        line, column, end, to = where
        code = self.counted[name].code
        text = code[line][column - 1:to - 1 if line == end else None]
        if end > line:
            text = " ".join([text, *code[line + 1:end], code[end][:to - 1]])
        src, n = self._place(name, line)
        return self._marked(src, n, src.heads, [text]) or self._kind_of_condition(src, n, [text])

    def unused(self):
        """Functions and marks that explained nothing."""
        return sorted(set(self.functions) - self.used) + \
            ["%s: %s" % (name, why) for name, src in sorted(self.sources.items()) for why in sorted(set(src.whole.values()) - src.used)]
