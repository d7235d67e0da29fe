# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""source - a file of C as coverage looks at it: functions, statements, conditions and marks

No parser: it relies on the kernel's style, which clang-format and checkpatch keep. A function begins
and ends with a brace in the first column, and what an if guards is indented more than the if.
"""
import difflib
import re

CONTROL = re.compile(r"\s*(?:\}\s*)?(?:else\s+)?(?:if|for|while|switch)\b")
CASE = re.compile(r"\s*(?:case\b.*|default):")


def blanked(text):
    """@text with spaces in the place of what comments and strings say; lines stay where they are."""
    def blank(m):
        s = m.group(0)
        if s.startswith(("/*", "//")):
            return re.sub(r"[^\n]", " ", s)
        return s[0] + re.sub(r"[^\n]", "_", s[1:-1]) + s[-1]
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


class Source:
    """One file of C: its functions, statements and marks. Lines count from 1."""

    def __init__(self, text):
        self.raw = [""] + text.splitlines()
        self.code = [""] + blanked(text).splitlines()
        self.code += [""] * (len(self.raw) - len(self.code))
        self.body = {}          # line: (name, first line, last line) of its function
        self.heads, self.whole = {}, {}         # line: reason of a mark, for its conditions; for itself
        self.top = {}           # line: where the statement with the mark begins
        self.used = set()
        self._functions()
        self._marks(text)

    def _functions(self):
        first = None
        for n, line in enumerate(self.code):
            if line.startswith("{"):
                first = n
            elif line.startswith("}") and first:
                head = first - 1
                while head > 1 and self.code[head - 1].strip() and not re.match(r"[}#]|.*;\s*$", self.code[head - 1]):
                    head -= 1
                m = re.search(r"(\w+)\s*\((?!.*__attribute__\()", " ".join(self.code[head:first]))
                for i in range(head, n + 1):
                    self.body[i] = (m.group(1) if m else "?", head, n)
                first = None

    def statement(self, n):
        """(end of the head, end of the statement) of what begins in line n; of a case, all up to the next one."""
        if CASE.match(self.code[n]):
            end = n
            while not re.match(r"\s*\}", self.code[end + 1]) or self.indent(end + 1) > self.indent(n):
                if CASE.match(self.code[end + 1]) and self.indent(end + 1) <= self.indent(n):
                    break
                end += 1
            return n, end
        depth, braces, head, first = 0, 0, None, True
        controls = CONTROL.match(self.code[n])
        for at in range(n, min(n + 400, len(self.code))):
            for c in self.code[at].lstrip().lstrip("}") if first else self.code[at]:
                if c in "([":
                    depth += 1
                elif c in ")]":
                    depth -= 1
                    if not depth and controls and head is None:
                        head = at
                elif c == "{":
                    braces += 1
                elif c == "}":
                    braces -= 1
                    if not braces and not depth:
                        return (at if head is None else head), at
                elif c == ";" and not depth and not braces:
                    return (at if head is None else head), at
            first = False
        return n, n

    def _marks(self, text):
        for m in re.finditer(r"/\*[\s*]*coverage:\s*(.*?)\s*\*/", text, re.S):
            why = re.sub(r"\s*\n\s*\*?\s*", " ", m.group(1))
            n = text.count("\n", 0, m.start()) + 1
            if not self.code[n].strip():
                n = text.count("\n", 0, m.end()) + 1
                while n < len(self.code) - 1 and not self.code[n].strip():
                    n += 1
            elif not re.match(r"\s*(?:\}\s*)?(?:else\s+)?(?:if|for|while|switch|return|case|default)\b", self.code[n]):
                # behind a line: of that line, wherever its statement begins
                self.heads[n] = self.whole[n] = why
                self.top[n] = n
                continue
            if n in self.body and n < self.body[n][2] and not self.code[n][:1].isspace():
                head = end = self.body[n][2]
            else:
                head, end = self.statement(n)
            self.heads.update(dict.fromkeys(range(n, head + 1), why))
            self.whole.update(dict.fromkeys(range(n, end + 1), why))
            self.top.update(dict.fromkeys(range(n, end + 1), n))

    def begin(self, n):
        """The line in which the statement of line n begins."""
        while n > 1 and self.code[n - 1].strip() and not re.search(r"[;{}:]\s*$|^#", self.code[n - 1]):
            if re.match(r"\s*(?:\}\s*)?(?:else\s+)?(?:if|for|while|switch)\b.*\)\s*$|\s*else\s*$", self.code[n - 1]) and \
               self.code[n - 1].count("(") == self.code[n - 1].count(")"):
                break
            # the last line of a head that has several
            if self.indent(n) > 0 and self._head_ends(n - 1):
                break
            n -= 1
        return n

    def _head_ends(self, n):
        """Is line @n the last one of the head of an if or a loop?"""
        at = n
        while at > max(1, n - 12):
            if CONTROL.match(self.code[at]):
                return self.statement(at)[0] == n
            if re.search(r"[;{}]\s*$", self.code[at]):
                return False
            at -= 1
        return False

    def indent(self, n):
        """The column in which line @n begins."""
        return len(self.raw[n].expandtabs(8)) - len(self.raw[n].expandtabs(8).lstrip())

    def text(self, n):
        """The whole statement of line n, in one line; of an if, its head and what it guards if that is one statement."""
        b = self.begin(n)
        _, end = self.statement(b)
        return re.sub(r"\s+", " ", " ".join(self.code[b:max(end, n) + 1])).strip()

    def head(self, n):
        """The same without what it guards."""
        b = self.begin(n)
        h, _ = self.statement(b)
        return re.sub(r"\s+", " ", " ".join(self.code[b:h + 1])).strip()


def conditions(text, before=""):
    """What @text, a line or a head, asks, one by one; @before: how the line before it ends."""
    found, left = [], (re.search(r"(&&|\|\||\?|:)\s*$", before) or [""])[0].strip()
    parts = re.split(r"(&&|\|\||\?|(?<!case )(?<!default)(?<![A-Z_])\s:\s|^\s*:\s)", text)
    for i in range(0, len(parts), 2):
        right = parts[i + 1].strip() if i + 1 < len(parts) else ""
        part, control = parts[i], re.search(r"\b(?:if|while|for)\s*\((.*)$", parts[i])
        last = i + 1 >= len(parts)
        if right in ("&&", "||", "?") or left in ("&&", "||") or control:
            part = control.group(1) if control else part
            # of a loop, what stands between the semicolons
            part = part.split(";")[-1] if right else part
            if control and "for" in control.group(0)[:4] and not right and part.count(";") == 2:
                part = part.split(";")[1]
            elif last or left in ("&&", "||"):
                part = part.split(";")[0]
            if re.search(r"\w", part):
                found.append(part)
        left = right
    return found


def same_lines(old, new):
    """{line of @old: the same line in @new}, comments aside."""
    found = {}
    a, b = [x.strip() for x in old.code], [x.strip() for x in new.code]
    for at, to, n in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        found.update((at + i, to + i) for i in range(n))
    return found
