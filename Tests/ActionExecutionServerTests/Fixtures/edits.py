"""What the real package makes of edits: scenarios run through the server's own code of openhands-ai 0.62.0.

usage: LC_ALL=C python edits.py scenarios OUTPUT FIRST_SEED COUNT
       LC_ALL=C python edits.py diffs OUTPUT FIRST_SEED COUNT

Each line of `scenarios` has the files that there are at first, and steps: an action with its observation and the file's text after it
(as Python reads it), or a change from outside. Each line of `diffs` has two texts and their diff. A seed always gives the same line.

A scenario ends early where the package fails (an exception that isn't one of the editor's), where it guesses another encoding than
the file's, and where what it does is a fault that isn't to be repeated (README.md).
"""

import asyncio
import atexit
import base64
import codecs
import json
import logging
import os
import random
import shutil
import sys
import types

mode, target, first_seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
# The package parses the arguments and configures logging when it is imported.
sys.argv = sys.argv[:1]
logging.disable(logging.CRITICAL)

from openhands_aci import editor as package
from openhands_aci.editor.editor import OHEditor
from openhands_aci.utils.diff import get_diff

# The package has an editor of its own, whose directory it leaves behind.
atexit.register(shutil.rmtree, package._GLOBAL_EDITOR._history_manager.cache.directory)

# As long as the tests' own, since limits of characters count it.
STAND_IN = "/tmp/aes-tests-000000"
WORDS = ["alpha", "beta", "gamma", "delta", "return x", "def f(a, b):", "    pass", "{", "}", "", "", "\tindented", "x = 1", "# é", "日本語", "😀 ok", "end  ", " ", "naïve", "İstanbul", "e\u0301", "'quoted' \"twice\"", "a\\nb", "$HOME `x`", "%d", "[1, 2]"]
RARE = ["form\x0cfeed", "nel\x85x", "sep\u2028x", "nbsp\xa0", "\u3000wide\u3000", "tab\t", "\x1cfs", "vt\x0b", "z" * 300]


def line(generator):
    if generator.random() < 0.03:
        return generator.choice(RARE)
    if generator.random() < 0.4:
        return generator.choice(WORDS)
    return f"{generator.choice(WORDS)} {generator.randrange(1000)}"


def text(generator, lines=None, end=None):
    if lines is None:
        lines = generator.choice([0, 1, 1, 2, 3, 5, 8, 12, 20, 30])
    body = "\n".join(line(generator) for _ in range(lines))
    return body + ("\n" if (generator.random() < 0.75 if end is None else end) and lines else "")


def large(generator):
    kind = generator.randrange(3)
    if kind == 0:  # Lines so frequent that they begin no block.
        return "\n".join(generator.choice(["{", "}", "", line(generator)]) for _ in range(generator.randrange(190, 500))) + "\n"
    if kind == 1:  # More characters than are shown.
        return "".join(f"{number} {generator.choice(WORDS)}\n" for number in range(generator.randrange(700, 1300)))
    return generator.choice(["é", "x", "日"]) * generator.randrange(15990, 16020) + "\nsecond\n"


def encoded(generator, body):
    kind = generator.random()
    if kind < 0.12:
        return body.replace("\n", "\r\n").encode()
    if kind < 0.15:
        return "".join(part + generator.choice(["\n", "\r\n", "\r"]) for part in body.split("\n")).encode()
    if kind < 0.20:
        return codecs.BOM_UTF8 + body.encode()
    if kind < 0.24:
        return codecs.BOM_UTF16_LE + body.encode("utf-16-le")
    if kind < 0.28:
        return codecs.BOM_UTF16_BE + body.encode("utf-16-be")
    return body.encode()


class Scenario:
    def __init__(self, seed):
        self.generator = random.Random(seed)
        self.root = "/tmp/aes-tests-" + "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(6))
        os.mkdir(self.root)
        self.editor = OHEditor(workspace_root=self.root)
        self.server = types.SimpleNamespace(
            file_editor=self.editor,
            bash_session=types.SimpleNamespace(cwd=self.root),
            user_id=os.getuid(),
            _resolve_path=lambda path, directory: ActionExecutor._resolve_path(None, path, directory),
        )
        self.names = []
        # Files that have had another end of a line than \n, which the package takes from them.
        self.with_returns = set()

    def close(self):
        shutil.rmtree(self.root)
        shutil.rmtree(self.editor._history_manager.cache.directory)

    # Files

    def put(self, name, content):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        if name not in self.names:
            self.names.append(name)
        return {"path": name, "base64": base64.b64encode(content).decode()}

    def initial(self):
        generator = self.generator
        entries = []
        for _ in range(generator.randrange(1, 4)):
            name = generator.choice(["a.txt", "b.py", "c", "sub/d.md", "sub/e.txt", "sub/deep/f.txt", "with space.txt", "é.txt", "quote'd.txt", ".hidden", "sub/.h", ".git/config"])
            body = large(generator) if generator.random() < 0.03 else text(generator)
            entries.append(self.put(name, encoded(generator, body)))
        if generator.random() < 0.15:
            os.makedirs(os.path.join(self.root, "empty"))
            entries.append({"path": "empty", "directory": True})
        if generator.random() < 0.15:
            os.symlink(generator.choice(self.names), os.path.join(self.root, "link"))
            entries.append({"path": "link", "link": os.readlink(os.path.join(self.root, "link"))})
        if generator.random() < 0.05:
            os.symlink("nowhere", os.path.join(self.root, "broken"))
            entries.append({"path": "broken", "link": "nowhere"})
        if generator.random() < 0.02:
            for number in range(generator.randrange(350, 500)):
                entries.append(self.put(f"many/file-{number:03}-{'n' * generator.randrange(30)}", b""))
        return entries

    def content(self, name):
        """What Python reads there, or None."""
        path = os.path.join(self.root, name)
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            data = file.read()
        encoding = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
        try:
            return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            return None

    def is_guessed_wrong(self, name):
        path = os.path.join(self.root, name)
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            data = file.read()
        expected = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
        from pathlib import Path

        return self.editor._encoding_manager.detect_encoding(Path(path)).lower().replace("_", "-") != expected

    def has_return(self, name):
        path = os.path.join(self.root, name)
        if os.path.isfile(path):
            with open(path, "rb") as file:
                if b"\r" in file.read().replace(b"\0", b""):
                    self.with_returns.add(os.path.realpath(path))
        return os.path.realpath(path) in self.with_returns

    # Actions

    def path(self, name):
        root, generator = self.root, self.generator
        kind = generator.random()
        if kind < 0.03:
            return name
        if kind < 0.06:
            return f"{root}//./{name}"
        if kind < 0.07:
            return f"{root}/{name}/"
        return f"{root}/{name}"

    def part(self, content):
        """A text to replace: often one of the file's, with or without white space around it."""
        generator = self.generator
        if not content or generator.random() < 0.08:
            return generator.choice(["", "nothing", " ", "\n", "\n\n", line(generator), "a\r\n"])
        kind = generator.random()
        if kind < 0.5:
            lines = content.split("\n")
            start = generator.randrange(len(lines))
            length = generator.choice([1, 1, 1, 2, 3, 5, 10, len(lines)])
            part = "\n".join(lines[start : start + length])
        else:
            start = generator.randrange(len(content))
            part = content[start : start + generator.choice([1, 3, 10, 30, 100])]
        if generator.random() < 0.15:
            part = generator.choice([" ", "\n", "\t", "\n\n", "\xa0", "\u3000", "\x1c"]) + part + generator.choice(["", " ", "\n"])
        return part

    def replacement(self, old, may_have_return):
        generator = self.generator
        kind = generator.random()
        if kind < 0.05:
            return None
        if kind < 0.15:
            return ""
        if kind < 0.18:
            return old
        if kind < 0.5:
            lines = old.split("\n")
            generator.shuffle(lines)
            del lines[generator.randrange(len(lines) + 1) :]
            return "\n".join(lines + [line(generator)])
        if kind < 0.55 and may_have_return:
            return f"{line(generator)}\r\n{line(generator)}\r"
        return text(generator, generator.choice([1, 1, 2, 4, 9]), end=generator.random() < 0.3)

    def action(self):
        generator = self.generator
        name = generator.choice(self.names) if generator.random() < 0.85 else generator.choice(["new.txt", "sub/new.py", "link", "missing", "no/such/dir.txt", "", "sub", "empty", "x.pdf", "a.txt/x"])
        path = self.path(name)
        content = self.content(name)
        may_have_return = not any([self.has_return(other) for other in self.names])
        kind = generator.random()
        if kind < 0.30:
            old = self.part(content)
            return name, "edit", {"path": path, "command": "str_replace", "old_str": old if generator.random() < 0.97 else None, "new_str": self.replacement(old, may_have_return)}
        if kind < 0.50:
            lines = len((content or "").splitlines())
            at = generator.randrange(lines + 1) if generator.random() < 0.8 else generator.choice([None, -1, 0, lines, lines + 1, lines - 1])
            return name, "edit", {"path": path, "command": "insert", "insert_line": at, "new_str": self.replacement(line(generator), may_have_return)}
        if kind < 0.58:
            name = generator.choice([name, "new.txt", "sub/new.py", "n1", "n2", "n3", "n4"])
            body = text(generator)
            if may_have_return and generator.random() < 0.1:
                body = body.replace("\n", "\r\n")
            return name, "edit", {"path": self.path(name), "command": "create", "file_text": body if generator.random() < 0.95 else None}
        if kind < 0.72:
            return name, "edit", {"path": path, "command": "undo_edit"}
        if kind < 0.74:
            return name, "edit", {"path": path, "command": generator.choice(["view", "", "delete"])}
        if kind < 0.90:
            lines = len((content or "").splitlines())
            number = lambda: generator.choice([-1, 0, 1, 2, lines, lines + 1, lines + 5, generator.randrange(lines + 2)])
            view_range = generator.choice([None, None, None, [], [1], [1, 2, 3]] + [[number(), number()] for _ in range(4)] + [[1, number()] for _ in range(2)])
            if generator.random() < 0.4:
                start = generator.randrange(lines + 1) + 1
                view_range = [start, start + generator.randrange(10)]
            return name, "read", {"path": path, "impl_source": "oh_aci", "view_range": view_range}
        number = lambda: generator.choice([0, 0, 1, 2, 5, -1, -1, -2, generator.randrange(12)])
        if kind < 0.95:
            return name, "read", {"path": path, "impl_source": "default", "start": number(), "end": number()}
        return name, "write", {"path": path, "content": text(generator, generator.randrange(1, 5), end=False) + "x", "start": number(), "end": number()}

    def is_fault(self, name, kind, args):
        """Whether the package does here what isn't to be repeated."""
        content = self.content(name)
        if kind == "read" and args["impl_source"] == "default" and self.has_return(name):
            return True
        if kind == "read" and args["impl_source"] == "default" or kind == "write":
            # UTF-16 isn't read, and the mark of UTF-8 becomes a part of the text.
            path = os.path.join(self.root, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    mark = file.read(3)
                if mark[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or kind == "write" and mark == codecs.BOM_UTF8:
                    return True
        has_end = not content or content.endswith("\n")
        if kind == "edit" and args["command"] == "insert" and not has_end:
            return args["insert_line"] == content.count("\n") + 1
        if kind == "write" and (not has_end or self.has_return(name) or name == "" or name.endswith(".pdf")):
            return True
        # It looks into what isn't a regular file, or fails.
        return os.path.basename(name) == "broken" and kind != "read"

    def step(self):
        generator = self.generator
        if generator.random() < 0.06:
            name = generator.choice(self.names)
            path = os.path.join(self.root, name)
            if generator.random() < 0.3:
                if os.path.lexists(path):
                    os.unlink(path)
                return {"outside": {"path": name, "removed": True}}
            if os.path.isdir(os.path.dirname(path)):
                return {"outside": self.put(name, text(generator).encode())}
        name, kind, args = self.action()
        if self.is_guessed_wrong(name) or self.is_fault(name, kind, args):
            return None
        action = event_from_dict({"action": kind, "args": args})
        try:
            observation = event_to_dict(asyncio.run(getattr(ActionExecutor, kind)(self.server, action)))
        except Exception:
            return None
        if self.is_guessed_wrong(name):
            return None
        if kind == "write" and name not in self.names:
            self.names.append(name)
        if kind == "edit" and name not in self.names and self.content(name) is not None:
            self.names.append(name)
        said = observation["content"]
        if self.content(name) is not None and ("appears to be binary" in said or said == "ERROR_BINARY_FILE"):
            return None
        return {"action": {"action": kind, "args": args}, "observation": observation, "file": name, "text": self.content(name)}

    def run(self):
        result = {"files": self.initial(), "steps": []}
        for _ in range(self.generator.randrange(4, 14)):
            step = self.step()
            if step is None:
                break
            result["steps"].append(step)
        return json.dumps(result).replace(self.root, STAND_IN)


def diff(seed):
    generator = random.Random(seed)
    pool = [line(generator) for _ in range(generator.choice([2, 5, 20, 200]))]
    size = generator.choice([0, 1, 3, 10, 30, 199, 200, 201, 400, 900])
    old = [generator.choice(pool) if generator.random() < 0.9 else line(generator) for _ in range(generator.randrange(size + 1))]
    new = list(old)
    for _ in range(generator.choice([0, 1, 1, 2, 5, 20])):
        start = generator.randrange(len(new) + 1)
        end = start + generator.choice([0, 1, 1, 3, 10])
        change = generator.randrange(4)
        if change == 0:
            del new[start:end]
        elif change == 1:
            new[start:start] = [generator.choice(pool) for _ in range(end - start)]
        elif change == 2:
            new[start:end] = reversed(new[start:end])
        else:
            part = new[start:end]
            del new[start:end]
            place = generator.randrange(len(new) + 1)
            new[place:place] = part
    old, new = "\n".join(old), "\n".join(new)
    path = generator.choice(["/a/b.txt", "file", "with space ", ""])
    return json.dumps({"old": old, "new": new, "path": path, "diff": get_diff(old, new, path)})


with open(target, "w", encoding="utf-8") as output:
    if mode == "diffs":
        for seed in range(first_seed, first_seed + count):
            output.write(diff(seed) + "\n")
    else:
        from openhands.events.serialization import event_from_dict, event_to_dict
        from openhands.runtime.action_execution_server import ActionExecutor

        logging.disable(logging.CRITICAL)
        for seed in range(first_seed, first_seed + count):
            scenario = Scenario(seed)
            try:
                output.write(scenario.run() + "\n")
            finally:
                scenario.close()
