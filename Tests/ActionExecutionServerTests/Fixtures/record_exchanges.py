"""Records exchanges with the real server: openhands-ai 0.62.0, run with a Python that has it; tmux is needed too.

usage: record_exchanges.py [SESSION]...     writes openhands-0.62/SESSION.jsonl beside this file; by default all sessions
       record_exchanges.py --serve          starts a server, says where, and ends it when told to by SIGTERM

The first line of a recording says how the server was started, each other line is a request and its response, in order.
What differs from machine to machine (working directory, user, host, process ids) is replaced by a fixed word.
"""

import base64
import collections
import getpass
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile

import httpx

KEY = "the-recorded-key"
NO_CHANGE_TIMEOUT = 2
# Before a command: the server loses the output of commands that come too soon after one another.
PAUSE = 0.7
RECORDINGS = 5
NO_OUTPUT = "[Code executed successfully with no output]"


# Requests


def action(name, kind, timeout=20, **arguments):
    """The body that the reference's client sends: its event, without what the server doesn't read."""
    event = {"action": kind, "args": arguments}
    if timeout is not None:
        event["timeout"] = timeout
    return post(name, "/execute_action", {"action": event})


def post(name, path, body=None, **request):
    if body is not None:
        request["json"] = body
    return {"name": name, "request": {"method": "POST", "path": path, **request}}


def get(name, path, **request):
    return {"name": name, "request": {"method": "GET", "path": path, **request}}


def run(name, command, timeout=20, **arguments):
    return action(name, "run", timeout, command=command, **arguments)


def cell(name, code, shown=None, timeout=20, **arguments):
    """A cell; `shown` is in its output, which the server loses at times when the kernel's reply overtakes it."""
    exchange = action(name, "run_ipython", timeout, code=code, include_extra=False, **arguments)
    return {**exchange, "shown": shown}


def read(name, path, start=0, end=-1, **arguments):
    return action(name, "read", path=path, start=start, end=end, **arguments)


def view(name, path, view_range=None):
    return action(name, "read", path=path, start=0, end=-1, impl_source="oh_aci", view_range=view_range)


def write(name, path, content, start=0, end=-1):
    return action(name, "write", path=path, content=content, start=start, end=end)


def edit(name, command, path, **arguments):
    return action(name, "edit", command=command, path=path, impl_source="oh_aci", **arguments)


def listing(name, **body):
    return post(name, "/list_files", body)


def upload(name, path, filename, content):
    boundary = "0123456789abcdef"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
    data = head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return post(name, path, headers=headers, base64=base64.b64encode(data).decode())


def zipped(**entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in entries.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/"), (2026, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


# Sessions


def shell_session():
    yield run("success", "echo hello")
    yield run("failure, both outputs", 'echo "héllo ✓"; echo oops >&2; false')
    yield run("exit code of a subshell", "(exit 42)")
    yield run("unknown command", "no-such-command-anywhere")
    yield run("directory is kept", "mkdir -p sub && cd sub")
    yield run("directory was kept", "pwd")
    yield run("directory back", "cd ..")
    yield run("variable is kept", "export GREETING=hi")
    yield run("variable was kept", 'echo "$GREETING"')
    yield run("function is kept", "f() { echo \"f $1\"; return 3; }")
    yield run("function was kept", "f x")
    yield run("alias is kept", "alias greet='echo aliased'")
    yield run("alias was kept", "greet")
    yield run("heredoc", "cat <<'EOF'\none $HOME\ntwo\nEOF")
    yield run("continued line", "echo a \\\n  b")
    yield run("loop over lines", "for i in 1 2 3; do\n  echo $i\ndone")
    yield run("several commands on several lines", "echo a\necho b")
    yield run("syntax error", "echo (")
    yield run("no newline at the end", "printf abc")
    yield run("empty lines around", "printf '\\n\\n  x  \\n\\n'")
    yield run("carriage return", "printf '10%%\\r50%%\\r100%%\\n'")
    yield run("colours", "printf '\\033[31mred\\033[0m plain\\n'")
    yield run("tabs", "printf 'a\\tb\\n'")
    yield run("backspace", "printf 'abc\\b\\bX\\n'")
    yield run("wide characters", "echo '日本語 😀'")
    yield run("invalid UTF-8", "printf 'a\\377b\\n'")
    yield run("zero bytes", "printf 'a\\0b\\n'")
    yield run("long line", "printf '%0300d\\n' 7")
    yield run("large output", "seq 1 9000")
    yield run("hidden", "echo hidden", hidden=True)
    yield run("without a timeout", "echo now", timeout=None)
    yield run("empty command with nothing running", "")
    yield run("input with nothing running", "hello", is_input=True)
    yield run("C-c with nothing running", "C-c", is_input=True)
    yield run("silence", "echo started; sleep 60")
    yield run("another command while one runs", "echo other")
    yield run("more input while one runs", "", is_input=False)
    yield run("C-c", "C-c", is_input=True)
    yield run("after C-c", "echo $?")
    yield run("hard timeout", "echo begun; sleep 60", timeout=1, blocking=True)
    yield run("C-c after a hard timeout", "C-c", is_input=True)
    yield run("asks", 'read -p "name? " n && echo "got $n"', timeout=1, blocking=True)
    yield run("answer", "Ada", is_input=True)
    yield run("program that reads", "cat", timeout=1, blocking=True)
    yield run("line for it", "a line", is_input=True, timeout=1, blocking=True)
    yield run("C-d", "C-d", is_input=True)
    yield run("stopped by C-z: start", "sleep 60", timeout=1, blocking=True)
    yield run("C-z", "C-z", is_input=True)
    yield run("continue what was stopped", "fg", timeout=1, blocking=True)
    yield run("end what was stopped", "C-c", is_input=True)
    yield run("background", "sleep 60 &")
    yield run("end the background job", "kill $!; wait $! 2>/dev/null; echo $?")
    yield run("static", "echo static; pwd", is_static=True, cwd="/workspace/sub")
    yield run("static leaves the session alone", "pwd")
    yield run("unfinished quote", "echo 'a")
    yield run("C-c after the unfinished quote", "C-c", is_input=True)
    # The server knows no more what runs after this one.
    yield run("only a comment", "# nothing to do")


def files_session():
    yield run("prepare files", "mkdir -p d/e && printf 'one\\ntwo\\nthree\\n' > three.txt && printf 'no end' > noend.txt"
              " && : > empty.txt && printf 'a\\r\\nb\\r\\n' > crlf.txt && printf 'caf\\351\\n' > latin.txt"
              " && printf '\\0\\1\\2\\3' > binary.bin && printf '\\357\\273\\277bom\\n' > bom.txt")
    yield run("prepare pictures", "for x in png jpg jpeg bmp gif pdf mp4 webm ogg; do printf \"$x\" > picture.$x; done")
    yield read("read a file", "/workspace/three.txt")
    yield read("read from a line", "/workspace/three.txt", 1)
    yield read("read a range of lines", "/workspace/three.txt", 1, 2)
    yield read("read to the last line", "/workspace/three.txt", 0, 2)
    yield read("read from behind the end", "/workspace/three.txt", 7)
    yield read("read behind the end", "/workspace/three.txt", 7, 9)
    yield read("read up to behind the end", "/workspace/three.txt", 1, 9)
    yield read("read a relative path", "three.txt")
    yield read("read without a line end", "/workspace/noend.txt")
    yield read("read an empty file", "/workspace/empty.txt")
    yield read("read Windows line ends", "/workspace/crlf.txt")
    yield read("read a byte order mark", "/workspace/bom.txt")
    yield read("read what isn't UTF-8", "/workspace/latin.txt")
    yield read("read binary data", "/workspace/binary.bin")
    yield read("read a directory", "/workspace/d")
    yield read("read what is missing", "/workspace/missing.txt")
    yield read("read what is missing, relative", "missing.txt")
    for extension in ["png", "jpg", "jpeg", "bmp", "gif", "pdf", "mp4", "webm", "ogg"]:
        yield read(f"read {extension}", f"/workspace/picture.{extension}")
    yield write("write a new file", "/workspace/new.txt", "alpha\nbeta")
    yield read("read the new file", "/workspace/new.txt")
    yield run("mode of the new file", "stat -c %a new.txt")
    yield write("write with a line end", "/workspace/new.txt", "alpha\nbeta\n")
    yield run("bytes of what was written with a line end", "od -c new.txt")
    yield write("write over a range", "/workspace/three.txt", "TWO", 1, 2)
    yield read("read what was written over a range", "/workspace/three.txt")
    yield write("write nothing", "/workspace/nothing.txt", "")
    yield run("bytes of nothing", "od -c nothing.txt")
    yield write("write in a new directory", "/workspace/x/y/z.txt", "deep")
    yield write("write a relative path", "rel.txt", "here")
    yield read("read the relative path", "/workspace/rel.txt")
    yield write("write to a directory", "/workspace/d", "no")
    yield run("a file that may be executed", "printf 'x\\n' > tool && chmod 755 tool")
    yield write("write to it", "/workspace/tool", "y")
    yield run("its mode is kept", "stat -c %a tool")

    yield edit("create", "create", "/workspace/edit.txt", file_text="alpha\nbeta\ngamma\nbeta\n")
    yield edit("create what exists", "create", "/workspace/edit.txt", file_text="x")
    yield edit("create in a missing directory", "create", "/workspace/p/q/r.txt", file_text="x\n")
    yield edit("create without text", "create", "/workspace/notext.txt")
    yield edit("create with empty text", "create", "/workspace/emptytext.txt", file_text="")
    yield edit("create at a relative path", "create", "relative.txt", file_text="x")
    yield edit("replace", "str_replace", "/workspace/edit.txt", old_str="alpha", new_str="ALPHA")
    yield edit("replace over lines", "str_replace", "/workspace/edit.txt", old_str="ALPHA\nbeta", new_str="one\ntwo\nthree")
    yield edit("replace what is there twice", "str_replace", "/workspace/edit.txt", old_str="t", new_str="T")
    yield edit("replace what isn't there", "str_replace", "/workspace/edit.txt", old_str="nowhere", new_str="x")
    yield edit("replace by the same", "str_replace", "/workspace/edit.txt", old_str="gamma", new_str="gamma")
    yield edit("replace by nothing", "str_replace", "/workspace/edit.txt", old_str="gamma\n")
    yield edit("replace without old text", "str_replace", "/workspace/edit.txt", new_str="x")
    yield edit("replace empty text", "str_replace", "/workspace/edit.txt", old_str="", new_str="x")
    yield edit("replace in a missing file", "str_replace", "/workspace/missing.txt", old_str="a", new_str="b")
    yield edit("replace in a directory", "str_replace", "/workspace/d", old_str="a", new_str="b")
    yield edit("replace in a relative path", "str_replace", "edit.txt", old_str="a", new_str="b")
    yield edit("replace with blanks around", "str_replace", "/workspace/edit.txt", old_str="  one  ", new_str="1")
    yield edit("insert at the start", "insert", "/workspace/edit.txt", insert_line=0, new_str="first")
    yield edit("insert in the middle", "insert", "/workspace/edit.txt", insert_line=2, new_str="m1\nm2")
    yield run("lines of the edited file", "wc -l < edit.txt; cat edit.txt")
    yield edit("insert at the end", "insert", "/workspace/edit.txt", insert_line=7, new_str="last")
    yield edit("insert behind the end", "insert", "/workspace/edit.txt", insert_line=99, new_str="x")
    yield edit("insert before the start", "insert", "/workspace/edit.txt", insert_line=-1, new_str="x")
    yield edit("insert without a line", "insert", "/workspace/edit.txt", new_str="x")
    yield edit("insert without text", "insert", "/workspace/edit.txt", insert_line=1)
    yield edit("insert at a line given as text", "insert", "/workspace/edit.txt", insert_line="1", new_str="texted")
    yield edit("insert at what is no line", "insert", "/workspace/edit.txt", insert_line="one", new_str="x")
    yield edit("undo", "undo_edit", "/workspace/edit.txt")
    yield edit("undo once more", "undo_edit", "/workspace/edit.txt")
    yield run("what undoing left", "cat edit.txt")
    yield edit("undo a file that was never edited", "undo_edit", "/workspace/noend.txt")
    yield edit("undo a creation", "undo_edit", "/workspace/p/q/r.txt")
    yield edit("view by an edit", "view", "/workspace/edit.txt")
    yield edit("unknown command of the editor", "rename", "/workspace/edit.txt")
    yield edit("edit without a line end", "str_replace", "/workspace/noend.txt", old_str="no", new_str="NO")
    yield run("bytes without a line end", "od -c noend.txt")
    yield edit("edit Windows line ends", "str_replace", "/workspace/crlf.txt", old_str="a", new_str="A")
    yield run("bytes of Windows line ends", "od -c crlf.txt")
    yield edit("edit Latin-1", "str_replace", "/workspace/latin.txt", old_str="caf", new_str="CAF")
    yield run("bytes of Latin-1", "od -c latin.txt")
    yield edit("edit binary data", "str_replace", "/workspace/binary.bin", old_str="a", new_str="b")
    yield run("a file with tabs", "printf 'a\\tb\\n\\tc\\n' > tabs.txt")
    yield edit("edit tabs", "str_replace", "/workspace/tabs.txt", old_str="a\tb", new_str="a\tB")
    yield run("bytes of tabs", "od -c tabs.txt")
    yield run("a longer file", "seq -f 'line %g' 1 40 > long.txt")
    yield edit("edit within a longer file", "str_replace", "/workspace/long.txt", old_str="line 20\n", new_str="line twenty\n")
    yield edit("insert within a longer file", "insert", "/workspace/long.txt", insert_line=30, new_str="between")

    yield view("view a file", "/workspace/edit.txt")
    yield view("view a range", "/workspace/long.txt", [2, 4])
    yield view("view to the end", "/workspace/long.txt", [39, -1])
    yield view("view one line", "/workspace/long.txt", [1, 1])
    yield view("view a range that ends first", "/workspace/long.txt", [5, 3])
    yield view("view from behind the end", "/workspace/long.txt", [99, 100])
    yield view("view to behind the end", "/workspace/long.txt", [40, 100])
    yield view("view from line 0", "/workspace/long.txt", [0, 3])
    yield view("view a range of one", "/workspace/long.txt", [3])
    yield view("view an empty file", "/workspace/empty.txt")
    yield view("view without a line end", "/workspace/noend.txt")
    yield view("view Latin-1", "/workspace/latin.txt")
    yield view("view binary data", "/workspace/binary.bin")
    yield view("view a missing file", "/workspace/missing.txt")
    yield view("view a relative path", "edit.txt")
    yield run("a directory to view", "mkdir -p v/.hidden v/sub/deeper && touch v/.dot v/B v/a v/sub/f v/sub/deeper/g && ln -s a v/link")
    yield view("view a directory", "/workspace/v")
    yield view("view a range of a directory", "/workspace/v", [1, 2])
    yield view("view an empty directory", "/workspace/d/e")

    yield listing("list by a path", path="/workspace/v")
    yield listing("list by a relative path", path="v/sub")
    yield listing("list a file", path="/workspace/edit.txt")
    yield listing("list what is missing", path="/workspace/nowhere")
    yield listing("list an empty directory", path="/workspace/d/e")
    yield run("names to sort", "mkdir one && touch Two .four")
    yield listing("list the working directory")
    yield listing("list null", path=None)
    yield post("list with a malformed body", "/list_files", text="{")
    yield post("list with a list", "/list_files", [])
    yield post("list a number", "/list_files", {"path": 5})

    yield upload("upload a file", "/upload_file?destination=/workspace/up&recursive=false", "a.txt", b"text\n")
    yield read("read the uploaded file", "/workspace/up/a.txt")
    yield upload("upload over it", "/upload_file?destination=/workspace/up&recursive=false", "a.txt", b"other\n")
    yield read("read it again", "/workspace/up/a.txt")
    yield upload("upload an empty file", "/upload_file?destination=/workspace/up", "empty.txt", b"")
    yield upload("upload a folder", "/upload_file?destination=/workspace/tree&recursive=true", "t.zip", zipped(f__x="1\n", f__g__y="2\n"))
    yield run("the uploaded folder", "cd tree && find . | sort && cat f/g/y && cd ..")
    yield upload("upload a zip without asking to unpack it", "/upload_file?destination=/workspace/zip", "t.zip", zipped(x="1\n"))
    yield run("the uploaded zip", "ls zip")
    yield upload("upload a folder that is no zip", "/upload_file?destination=/workspace/tree&recursive=true", "a.txt", b"x")
    yield upload("upload a broken zip", "/upload_file?destination=/workspace/tree&recursive=true", "b.zip", b"PK not a zip")
    yield upload("upload to a relative path", "/upload_file?destination=up", "a.txt", b"x")
    yield upload("upload to a file", "/upload_file?destination=/workspace/Two", "a.txt", b"x")
    yield upload("upload with a malformed flag", "/upload_file?destination=/workspace/up&recursive=perhaps", "a.txt", b"x")
    yield post("upload without a file", "/upload_file?destination=/workspace/up", text="")
    yield get("download a folder", "/download_files?path=/workspace/tree")
    yield get("download an empty folder", "/download_files?path=/workspace/one")
    yield get("download a file", "/download_files?path=/workspace/up/a.txt")
    yield get("download what is missing", "/download_files?path=/workspace/nowhere")
    yield get("download a relative path", "/download_files?path=up")
    yield get("download without a path", "/download_files")


def python_session():
    yield cell("expression", "1 + 1", shown="2")
    yield cell("print", "print('hello')", shown="hello")
    yield cell("print and expression", "print('a')\n'b'", shown="'b'")
    yield cell("nothing", "x = 41")
    yield cell("state was kept", "x + 1", shown="42")
    yield cell("empty cell", "")
    yield cell("only a comment", "# nothing")
    yield cell("semicolon", "x;")
    yield cell("None isn't shown", "None")
    yield cell("long expression", "list(range(30))", shown="29")
    yield cell("dictionary", "{'a': 1, 'b': [1, 2]}", shown="'a'")
    yield cell("unicode", "'é✓ 日本'", shown="é")
    yield cell("exception", "1 / 0", shown="division")
    yield cell("exception in a function", "def f(n):\n    return 1 / n\n\nf(0)", shown="division")
    yield cell("exception after output", "print('before')\nraise ValueError('bad value')", shown="bad value")
    yield cell("chained exception", "try:\n    {}['k']\nexcept KeyError as e:\n    raise RuntimeError('outer') from e", shown="outer")
    yield cell("syntax error", "def f(:\n    pass", shown="invalid")
    yield cell("unknown name", "no_such_name", shown="not defined")
    yield cell("missing module", "import no_such_module", shown="No module")
    yield cell("standard error", "import sys\nprint('out')\nprint('err', file=sys.stderr)", shown="err")
    yield cell("display", "from IPython.display import display\ndisplay({'a': 1})", shown="'a'")
    yield cell("input is refused", "input('name? ')", shown="Stdin")
    yield cell("exit", "import sys\nsys.exit(3)", shown="SystemExit")
    yield cell("state after exit", "x", shown="41")
    yield cell("command of the shell", "!echo from the shell", shown="from the shell")
    yield cell("magic", "%pwd", shown="workspace")
    yield cell("unknown magic", "%nosuchmagic", shown="not found")
    yield cell("help", "len?")
    yield cell("last value", "_", shown="workspace")
    yield cell("function and class", "class A:\n    def __repr__(self):\n        return 'an A'\n\nA()", shown="an A")
    yield cell("asynchronous", "import asyncio\nawait asyncio.sleep(0, 'awaited')", shown="awaited")
    yield cell("colours are removed", "print('\\x1b[31mred\\x1b[0m')", shown="red")
    yield cell("trailing blanks are removed", "print('a  \\n\\n')", shown="a")
    yield cell("large output", "print('\\n'.join(str(i) for i in range(2000)))", shown="1999")
    yield cell("subprocess", "import subprocess\nsubprocess.run(['echo', 'sub'], check=True, capture_output=True).stdout", shown="sub")
    yield run("shell changes its directory", "mkdir -p there && cd there")
    yield cell("directory follows the shell", "import os\nos.getcwd()", shown="there")
    yield {**action("extra lines", "run_ipython", code="'x'", include_extra=True), "shown": "'x'"}
    yield cell("time limit", "import time\nwhile True:\n    time.sleep(0.01)", timeout=2)
    yield cell("after the time limit", "x", shown="41")
    yield cell("kernel_init_code", "'y'", shown="'y'", kernel_init_code="z = 5")
    yield cell("kernel_init_code was not run", "z", shown="not defined")


def protocol_session():
    key = {"X-Session-API-Key": KEY}

    def keyed(name, body=None, **request):
        return post(name, "/execute_action", body, headers={**key, **request.pop("headers", {})}, **request)

    def act(title, kind, **arguments):
        return keyed(title, {"action": {"action": kind, "args": arguments, "timeout": 10}})

    yield get("alive", "/alive")
    yield get("server info", "/server_info")
    yield post("no key", "/execute_action", {"action": {"action": "run", "args": {"command": "echo no"}}})
    yield post("wrong key", "/execute_action", {"action": {"action": "run", "args": {"command": "echo no"}}}, headers={"X-Session-API-Key": "other"})
    yield get("no key for the token", "/vscode/connection_token")
    yield get("no key for a download", "/download_files?path=/workspace")
    yield get("no key for an unknown route", "/nowhere")
    yield act("right key", "run", command="echo yes")
    yield keyed("malformed JSON", text='{"action": ')
    yield keyed("no JSON", text="hello", headers={"content-type": "text/plain"})
    yield keyed("empty body", text="")
    yield keyed("a list", [])
    yield keyed("no action", {})
    yield keyed("an action that is a text", {"action": "run"})
    yield keyed("an action without a kind", {"action": {"args": {"command": "echo"}}})
    yield keyed("a kind that is a number", {"action": {"action": 5, "args": {}}})
    yield keyed("an action without arguments", {"action": {"action": "run"}})
    yield act("without a command", "run")
    yield act("an unknown argument", "run", command="echo x", colour="red")
    yield act("an argument of the wrong type", "run", command=5)
    yield act("an unknown kind", "fly")
    yield act("think", "think", thought="hm")
    yield act("null", "null")
    yield act("message", "message", content="hello")
    yield act("finish", "finish")
    yield act("browse", "browse", url="http://127.0.0.1:9")
    yield act("browse_interactive", "browse_interactive", browser_actions="noop()")
    yield act("call_tool_mcp", "call_tool_mcp", name="tool", arguments={})
    yield act("run_ipython without the plugin", "run_ipython", code="1")
    yield act("edit by a model", "edit", path="/workspace/a.txt", content="x", start=1, end=-1, impl_source="llm_based_edit")
    yield keyed("an observation", {"action": {"observation": "run", "content": "x", "extras": {"command": "x"}}})
    yield keyed("more than the action", {"action": {"action": "run", "args": {"command": "echo more"}, "timeout": 10}, "more": 1})
    yield get("execute by GET", "/execute_action", headers=key)
    yield post("alive by POST", "/alive", {})
    yield get("unknown route", "/nowhere", headers=key)
    yield get("token", "/vscode/connection_token", headers=key)
    yield post("no MCP servers", "/update_mcp_server", [], headers=key)
    yield post("MCP servers that are no list", "/update_mcp_server", {}, headers=key)
    yield post("an MCP server that is none", "/update_mcp_server", [{"colour": "red"}], headers=key)
    server = {"name": "none", "command": "no-such-command", "args": [], "env": {}}
    yield post("MCP servers", "/update_mcp_server", [server], headers=key)
    yield post("malformed MCP servers", "/update_mcp_server", text="[", headers=key)


SESSIONS = {
    "shell": ({"no_change_timeout": NO_CHANGE_TIMEOUT}, shell_session),
    "files": ({}, files_session),
    "python": ({"plugins": ["jupyter"]}, python_session),
    "protocol": ({"key": KEY}, protocol_session),
}


# The server


class Server:
    """The reference's server as a process, in a directory of its own, with a tmux of its own."""

    def __init__(self, settings):
        self.root = tempfile.mkdtemp(prefix="recorded-")
        self.workspace = os.path.join(self.root, "workspace")
        os.makedirs(self.workspace)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        # A user that is no system user: the server then neither makes one nor starts its shell by su.
        environment = {
            "PATH": os.path.dirname(sys.executable) + ":/usr/local/bin:/usr/bin:/bin",
            "HOME": self.root,
            "USER": "recorder",
            "LANG": "C.UTF-8",
            "TMUX_TMPDIR": self.root,
            "LOCAL_RUNTIME_MODE": "1",
            "OPENHANDS_REPO_PATH": self.root,
        }
        if "no_change_timeout" in settings:
            environment["NO_CHANGE_TIMEOUT_SECONDS"] = str(settings["no_change_timeout"])
        if "key" in settings:
            environment["SESSION_API_KEY"] = settings["key"]
        command = [sys.executable, "-m", "openhands.runtime.action_execution_server", str(self.port)]
        command += ["--working-dir", self.workspace, "--username", "recorder", "--user-id", str(os.getuid()), "--no-enable-browser"]
        if "plugins" in settings:
            command += ["--plugins", *settings["plugins"]]
        self.environment = environment
        self.log = open(os.path.join(self.root, "log"), "wb")
        self.process = subprocess.Popen(command, env=environment, cwd=self.root, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, start_new_session=True)
        # A connection for each request: the server closes those on which something unforeseen happened.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, limits=limits)

    def wait(self):
        deadline = time.monotonic() + 120
        while True:
            try:
                if self.client.get("/alive").json() == {"status": "ok"}:
                    return
            except httpx.TransportError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log.name, encoding="utf-8", errors="replace") as log:
                    sys.exit("The server didn't start:\n" + log.read()[-4000:])
            time.sleep(0.2)

    def close(self):
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        for end in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, end)
                time.sleep(0.5)
            except ProcessLookupError:
                break
        subprocess.run(["tmux", "kill-server"], env=self.environment, capture_output=True, check=False)
        self.log.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def exchange(self, request):
        headers = dict(request.get("headers", {}))
        content = None
        if "json" in request:
            content = self.local(json.dumps(request["json"], ensure_ascii=False, separators=(",", ":"))).encode()
            headers.setdefault("content-type", "application/json")
        elif "text" in request:
            content = request["text"].encode()
            headers.setdefault("content-type", "application/json")
        elif "base64" in request:
            content = base64.b64decode(request["base64"])
        response = self.client.request(request["method"], self.local(request["path"]), headers=headers, content=content)
        return self.recorded(response)

    def local(self, text):
        return text.replace("/workspace", self.workspace)

    def recorded(self, response):
        kept = ("content-type", "content-disposition", "allow")
        result = {"status": response.status_code,
                  "headers": {name: response.headers[name] for name in kept if name in response.headers}}
        kind = response.headers.get("content-type", "")
        if kind == "application/zip":
            with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
                result["zip"] = {name: archive.read(name).decode() for name in sorted(archive.namelist())}
        elif kind == "application/json":
            result["json"] = self.portable(response.json())
        else:
            result["text"] = self.portable(response.text)
        return result

    def portable(self, value):
        """The value without what another machine, or another run, would have otherwise."""
        if isinstance(value, dict):
            value = {name: self.portable(member) for name, member in value.items()}
            if isinstance(metadata := value.get("metadata"), dict):
                self.make_portable(metadata)
            for measured in ("uptime", "idle_time", "resources"):
                if measured in value:
                    value[measured] = self.zeroed(value[measured])
            return value
        if isinstance(value, list):
            return [self.portable(member) for member in value]
        if isinstance(value, str):
            value = value.replace(self.workspace, "/workspace").replace(sys.executable, "/usr/bin/python3")
            return re.sub(r"\[(\d+)\] \d+", r"[\1] PID", value.replace(sys.prefix, "/usr"))
        return value

    def zeroed(self, value):
        return {name: self.zeroed(member) for name, member in value.items()} if isinstance(value, dict) else 0

    @staticmethod
    def make_portable(metadata):
        if metadata.get("username") == getpass.getuser():
            metadata["username"] = "user"
        if metadata.get("hostname") == socket.gethostname().split(".")[0]:
            metadata["hostname"] = "host"
        if re.search(r"/python[0-9.]*$", metadata.get("py_interpreter_path") or ""):
            metadata["py_interpreter_path"] = "/usr/bin/python3"
        if metadata.get("pid", -1) > 0:
            metadata["pid"] = 1


def record(name):
    settings, session = SESSIONS[name]
    lines = [{"server": settings}]
    server = Server(settings)
    try:
        server.wait()
        for exchange in session():
            began = time.monotonic()
            shown = exchange.pop("shown", None) or ""
            if exchange["request"].get("json", {}) and is_run(exchange["request"]["json"]):
                time.sleep(PAUSE)
            for _ in range(50):
                exchange["response"] = server.exchange(exchange["request"])
                content = exchange["response"]["json"]["content"] if shown else ""
                if shown in content and not (shown and content.startswith(NO_OUTPUT)):
                    break
            else:
                sys.exit(f"{exchange['name']}: {shown!r} was never shown")
            print(f"{time.monotonic() - began:6.2f} s  {exchange['response']['status']}  {exchange['name']}", flush=True)
            lines.append(exchange)
    finally:
        server.close()
    names = [line["name"] for line in lines[1:]]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        sys.exit(f"Names must be unique: {', '.join(sorted(twice))}")
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def is_run(body):
    return isinstance(body, dict) and isinstance(body.get("action"), dict) and body["action"].get("action") == "run"


def record_reliably(name):
    """Records several times and keeps what most recordings have: the server's races leave traces in some."""
    recordings = [record(name).splitlines(keepends=True) for _ in range(RECORDINGS)]
    lines = []
    for versions in zip(*recordings, strict=True):
        line, count = collections.Counter(versions).most_common(1)[0]
        if count < RECORDINGS:
            print(f"{count} of {RECORDINGS} are alike: {line[:60]}")
        if count <= RECORDINGS // 2:
            sys.exit("No answer is that of most recordings:\n" + "".join(versions))
        lines.append(line)
    directory = os.path.join(os.path.dirname(os.path.abspath(__file__)), "openhands-0.62")
    with open(os.path.join(directory, name + ".jsonl"), "w", encoding="utf-8") as file:
        file.writelines(lines)


def serve():
    server = Server({"no_change_timeout": NO_CHANGE_TIMEOUT})
    try:
        server.wait()
        print(f"ready http://127.0.0.1:{server.port} {server.workspace} .", flush=True)
        while True:
            signal.pause()
    finally:
        server.close()


if __name__ == "__main__":
    # What was started is ended when this is told to end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    if sys.argv[1:] == ["--serve"]:
        serve()
    for name in sys.argv[1:] or SESSIONS:
        record_reliably(name)
