# SPDX-License-Identifier: BSD-2-Clause
"""What the lint scripts share: finding source files, and C text without comments and strings."""
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../.."))
problems = 0


def files(*folders, ext=(".c", ".h", ".S")):
    """Paths (relative to the root) of the sources below the folders, of those that git tracks if the root is a checkout."""
    if os.path.exists(os.path.join(ROOT, ".git")):
        out = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z", *folders],
                             capture_output=True, text=True, check=True).stdout.split("\0")
    else:
        out = [os.path.relpath(os.path.join(d, f), ROOT) for top in folders or (".",)
               for d, _, names in os.walk(os.path.join(ROOT, top)) for f in names]
    return sorted({f for f in out if f.endswith(ext) and os.path.isfile(os.path.join(ROOT, f))})


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def blank(m):
    return re.sub(r"[^\n]", " ", m[0])


def code(text):
    """C text with comments, strings and character constants blanked out; lines stay where they are."""
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def functions(text):
    """Yields (name, first line, last line, body) of the functions whose body's braces are at the start of a line."""
    lines = code(text).split("\n")
    start = name = None
    for i, line in enumerate(lines):
        if line.startswith("{") and start is None:
            j = i - 1
            while j >= 0 and lines[j].strip() and not re.match(r"[;}#]|.*[;}]\s*$", lines[j]):
                j -= 1
            head = " ".join(lines[j + 1:i])
            m = re.search(r"(\w+)\s*\(", head)
            if m and "=" not in head:
                start, name = i, m[1]
                first = j + 1
        elif line.startswith("}") and start is not None:
            yield name, first + 1, i + 1, lines[start:i + 1]
            start = None


def problem(where, what):
    global problems
    problems += 1
    print("%s: %s" % (where, what))


def finish(summary):
    print("%s: %s, %d problems" % (os.path.basename(sys.argv[0]), summary, problems))
    sys.exit(1 if problems else 0)
