"""Drives a server by the client of openhands-ai 0.62.0, and tells what came back; scripts/check-openhands runs it.

usage: check_openhands.py SERVER BASE_IMAGE [--no-reference]

First the package's own DockerRuntime, unmodified, with a container in which SERVER, our executable, is where that
client looks for its own. Then, for comparison, the same checks against the package's server as a plain process.
"""

import asyncio
import base64
import contextlib
import dataclasses
import getpass
import importlib.metadata
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
import zipfile

os.environ.setdefault("LOG_LEVEL", "CRITICAL")
os.environ.setdefault("OPENHANDS_SUPPRESS_BANNER", "1")

import docker
import httpx
from openhands.core.config import OpenHandsConfig
from openhands.core.logger import openhands_logger
from openhands.events import EventSource, EventStream, EventStreamSubscriber
from openhands.events.action import AgentThinkAction, CmdRunAction, FileEditAction, FileReadAction, FileWriteAction
from openhands.events.action import IPythonRunCellAction
from openhands.events.event import FileReadSource
from openhands.events.observation import Observation
from openhands.events.tool import ToolCallMetadata
from openhands.llm.llm_registry import LLMRegistry
from openhands.runtime.impl.action_execution.action_execution_client import ActionExecutionClient
from openhands.runtime.impl.docker.docker_runtime import DockerRuntime
from openhands.runtime.plugins import AgentSkillsRequirement, JupyterRequirement
from openhands.storage.memory import InMemoryFileStore

VERSION = "0.62.0"
SILENCE = 2  # Seconds without output after which an observation comes back.
NO_OUTPUT = "[Code executed successfully with no output]"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


# Sandboxes


class Sandbox:
    """A runtime of the package with something to talk to."""

    title = ""
    # How often a cell is run until its result is there, and the wait before a command: the package's own server loses
    # results of cells, and the output of commands that come too soon after one another.
    cell_attempts = 1
    pause = 0
    workspace = "/workspace"

    def __init__(self):
        self.scratch = tempfile.mkdtemp(prefix="check-openhands-")
        self.runtime = None

    def make_config(self):
        config = OpenHandsConfig(
            workspace_mount_path_in_sandbox=self.workspace,
            git_user_name="Check Er",
            git_user_email="check@example.org",
            enable_browser=False,
        )
        config.sandbox.timeout = 60
        config.sandbox.runtime_startup_env_vars = {"CHECK_STARTUP": "a b", "NO_CHANGE_TIMEOUT_SECONDS": str(SILENCE)}
        return config

    def make_runtime(self, runtime_class, sid, **options):
        config = self.make_config()
        self.events = EventStream(sid, InMemoryFileStore())
        plugins = [AgentSkillsRequirement(), JupyterRequirement()]
        return runtime_class(config, self.events, LLMRegistry(config), sid=sid, plugins=plugins, **options)

    def connect(self):
        asyncio.run(self.runtime.connect())

    def remove(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    # What the checks are made with.

    def do(self, action):
        observation = self.runtime.run_action(action)
        expect(isinstance(observation, Observation), "no observation", observation)
        return observation

    def run(self, command, timeout=None, **arguments):
        action = CmdRunAction(command=command, **arguments)
        if timeout is not None:
            action.set_hard_timeout(timeout, blocking=True)
        time.sleep(self.pause)
        return self.do(action)

    def output(self, command, **arguments):
        observation = self.run(command, **arguments)
        expect(observation.exit_code == 0, f"exit code 0 from {command!r}", observation)
        return observation.content

    def cell(self, code, shown, timeout=None):
        for _ in range(self.cell_attempts):
            action = IPythonRunCellAction(code=code, include_extra=False)
            if timeout is not None:
                action.set_hard_timeout(timeout)
            observation = self.do(action)
            if shown in observation.content and (not shown or NO_OUTPUT not in observation.content):
                return observation
        raise Failed(f"expected {shown!r} in the output, got {observation}")

    def edit(self, command, path, **arguments):
        return self.do(FileEditAction(path=f"{self.workspace}/{path}", command=command, **arguments))

    def request(self, method, path, **arguments):
        return self.runtime._send_action_server_request(method, self.runtime.action_execution_server_url + path, timeout=20, **arguments)


class DockerSandbox(Sandbox):
    """The package's DockerRuntime, and a container of the image that has our server."""

    title = f"DockerRuntime of openhands-ai {VERSION}, unmodified, with this server in a container"
    user = ("openhands", "1000")

    def __init__(self, image):
        super().__init__()
        self.image = image
        # The package would stop all containers of all its sessions when this process is interrupted.
        DockerRuntime._shutdown_listener_id = uuid.uuid4()
        self.sid = uuid.uuid4().hex
        self.runtime = self.make_runtime(DockerRuntime, self.sid)

    def make_config(self):
        config = super().make_config()
        config.sandbox.runtime_container_image = self.image
        config.sandbox.runtime_binding_address = "127.0.0.1"
        return config

    def attached(self):
        return self.make_runtime(DockerRuntime, self.sid, attach_to_existing=True)

    def container(self):
        return docker.from_env().containers.get(self.runtime.container.id)

    def check_closed(self):
        container = self.container()
        expect(container.status == "exited", "the container to have exited", container.status)
        code = container.attrs["State"]["ExitCode"]
        expect(code == 0, "the server to end by itself when it is told to", f"exit code {code}")
        return "container exited with code 0"

    def remove(self):
        with contextlib.suppress(docker.errors.NotFound):
            docker.from_env().containers.get(self.runtime.container_name).remove(force=True, v=True)
        super().remove()


class ProcessRuntime(ActionExecutionClient):
    """The class that DockerRuntime is made of, without the container."""

    def __init__(self, *arguments, url, **options):
        self.url = url
        super().__init__(*arguments, **options)

    @property
    def action_execution_server_url(self):
        return self.url

    async def connect(self):
        deadline = time.monotonic() + 120
        while True:
            try:
                if httpx.get(self.url + "/alive").json() == {"status": "ok"}:
                    break
            except httpx.TransportError:
                pass
            expect(time.monotonic() < deadline, "the reference's server to answer", "nothing in 120 seconds")
            time.sleep(0.2)
        self.setup_initial_env()
        self._runtime_initialized = True


class ReferenceSandbox(Sandbox):
    """The package's server as a process in a directory of its own, with a tmux of its own."""

    title = f"the same client with the server of openhands-ai {VERSION}, as a process"
    cell_attempts = 50
    pause = 0.5

    def __init__(self):
        super().__init__()
        self.workspace = os.path.join(self.scratch, "workspace")
        os.makedirs(self.workspace)
        self.user = (getpass.getuser(), str(os.getuid()))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # A user that is no system user: the server then neither makes one nor starts its shell by su.
        self.environment = {
            "PATH": os.path.dirname(sys.executable) + ":/usr/local/bin:/usr/bin:/bin",
            "HOME": self.scratch,
            "USER": "checker",
            "LANG": "C.UTF-8",
            "TMUX_TMPDIR": self.scratch,
            "LOCAL_RUNTIME_MODE": "1",
            "OPENHANDS_REPO_PATH": self.scratch,
            "NO_CHANGE_TIMEOUT_SECONDS": str(SILENCE),
        }
        command = [sys.executable, "-m", "openhands.runtime.action_execution_server", str(port)]
        command += ["--working-dir", self.workspace, "--plugins", "agent_skills", "jupyter"]
        command += ["--username", "checker", "--user-id", str(os.getuid()), "--no-enable-browser"]
        with open(os.path.join(self.scratch, "log"), "wb") as log:
            self.process = subprocess.Popen(command, env=self.environment, cwd=self.scratch, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        self.runtime = self.make_runtime(ProcessRuntime, uuid.uuid4().hex, url=f"http://127.0.0.1:{port}")

    def check_closed(self):
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        return "client closed"

    def remove(self):
        for end in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, end)
                time.sleep(0.5)
        self.process.wait()
        subprocess.run(["tmux", "kill-server"], env=self.environment, capture_output=True, check=False)
        super().remove()


# Checks


class Failed(Exception):
    """What was expected, and what came."""


def expect(condition, what, got):
    if not condition:
        raise Failed(f"expected {what}, got {got}")


CHECKS = []


def check(title, reference=None):
    """Makes a function a check. `reference`: why the reference's own server doesn't pass it, if it doesn't."""

    def add(function):
        CHECKS.append((title, reference, function))
        return function

    return add


def told(observation):
    """An observation of a command in a few words."""
    suffix = observation.metadata.suffix.strip()
    return f"{observation.content!r}, exit code {observation.exit_code}, {suffix!r}"


@check("connect")
def _(box):
    box.connect()
    return "connected and set up"


@check("run: success")
def _(box):
    observation = box.run("echo hello")
    expect((observation.content, observation.exit_code) == ("hello", 0), "hello, 0", observation)
    return told(observation)


@check("run: failure, with what was written to standard error")
def _(box):
    observation = box.run("echo out; echo err >&2; (exit 3)")
    expect((observation.content, observation.exit_code) == ("out\nerr", 3), "out and err, 3", observation)
    return told(observation)


@check("run: a loop and a here-document over several lines")
def _(box):
    observation = box.run("for i in 1 2; do\n  echo $i\ndone && cat <<'EOF'\n$HOME stays\nEOF")
    expect(observation.content == "1\n2\n$HOME stays", "three lines", observation)
    return told(observation)


@check("run: directory, variable and function are kept")
def _(box):
    box.output("mkdir -p kept && cd kept && export KEPT=yes && f() { echo \"f $1\"; }")
    observation = box.run('pwd; echo $KEPT; f x; cd ..')
    expect(observation.content == f"{box.workspace}/kept\nyes\nf x", "what was set before", observation)
    expect(observation.metadata.working_dir == box.workspace, "the directory in the metadata", observation.metadata)
    return told(observation)


@check("run: any script of the world")
def _(box):
    observation = box.run("echo 'héllo ✓ 日本語 😀'")
    expect(observation.content == "héllo ✓ 日本語 😀", "the same text", observation)
    return told(observation)


@check("run: the user that was asked for")
def _(box):
    output = box.output("id -un; id -u")
    expect(output == "\n".join(box.user), " and ".join(box.user), output)
    expect(box.run("true").metadata.username == box.user[0], box.user[0], "another name in the metadata")
    return "as asked for, in the metadata too"


@check("run: hard timeout leaves the command running")
def _(box):
    observation = box.run("echo begun; sleep 60", timeout=1)
    expect(observation.exit_code == -1 and "timed out after 1" in observation.metadata.suffix, "a timeout", observation)
    return told(observation)


@check("run: C-c ends it")
def _(box):
    observation = box.run("C-c", is_input=True)
    expect(observation.exit_code == 130, "exit code 130", observation)
    return told(observation)


@check("run: no new output for a while")
def _(box):
    observation = box.run("echo begun; cat; echo finished")
    expect(observation.exit_code == -1 and "no new output" in observation.metadata.suffix, "a soft timeout", observation)
    return told(observation)


@check("run: another command is refused meanwhile")
def _(box):
    observation = box.run("echo other")
    expect("still running" in observation.metadata.suffix, "a refusal", observation)
    return told(observation)


@check("run: input, then C-d")
def _(box):
    observation = box.run("a line", is_input=True)
    expect("a line" in observation.content, "the line that cat repeats", observation)
    ended = box.run("C-d", is_input=True)
    expect(ended.exit_code == 0 and ended.content.endswith("finished"), "the end of the command", ended)
    return told(ended)


@check("run: an answer to a question")
def _(box):
    asked = box.run('read -p "name? " n && echo "got $n"', timeout=1)
    expect(asked.content == "name?" and asked.exit_code == -1, "the question", asked)
    observation = box.run("Ada", is_input=True)
    expect((observation.content, observation.exit_code) == ("got Ada", 0), "got Ada", observation)
    return told(observation)


@check("run: background")
def _(box):
    observation = box.run("sleep 100 & echo started")
    expect("started" in observation.content and observation.exit_code == 0, "started", observation)
    output = box.output("kill -0 $! && echo alive; kill $!; wait $! 2>/dev/null; true")
    expect("alive" in output, "the job to be alive", output)
    return re.sub(r"\] \d+", "] PID", observation.content)


@check("run: static, in a directory of its own")
def _(box):
    observation = box.run("pwd; echo ${KEPT:-unset}; KEPT=changed", is_static=True, cwd="/tmp")
    expect(observation.content == "/tmp\nunset", "/tmp and nothing of the session", observation)
    expect(box.output("pwd; echo $KEPT") == f"{box.workspace}\nyes", "the session as it was", "a change")
    return told(observation)


@check("run: large output keeps both ends", reference="loses the front of what its terminal has no room for")
def _(box):
    observation = box.run("seq -w 1 20000")
    lines = observation.content.split("\n")
    expect(lines[0] == "00001" and lines[-1] == "20000", "the first and the last line", (lines[0], lines[-1]))
    return f"exit code {observation.exit_code}, from {lines[0]} to {lines[-1]}"


@check("run: hidden")
def _(box):
    observation = box.run("echo hidden", hidden=True)
    expect(observation.hidden and observation.content == "hidden", "a hidden observation", observation)
    return told(observation)


@check("git identity")
def _(box):
    output = box.output("git config --global user.name; git config --global user.email")
    expect(output == "Check Er\ncheck@example.org", "what the configuration says", output)
    return repr(output)


@check("environment: variables from the start, in shell and IPython")
def _(box):
    output = box.output("echo \"$CHECK_STARTUP\"")
    expect(output == "a b", "a b", output)
    observation = box.cell("import os\nos.environ['CHECK_STARTUP']", "a b")
    return f"{output!r}, {observation.content!r}"


@check("environment: add_env_vars in the shell, new shells and IPython")
def _(box):
    value = "100%-added"  # The client quotes for no more than this.
    box.runtime.add_env_vars({"check_added": value})
    output = box.output('echo "$CHECK_ADDED"')
    expect(output == value, value, output)
    expect("CHECK_ADDED" in box.output("cat ~/.bashrc"), "the variable in .bashrc", "none")
    fresh = box.output('echo "$CHECK_ADDED"', is_static=True, cwd="/tmp")
    observation = box.cell("os.environ['CHECK_ADDED'] == " + repr(value), "True")
    return f"{output!r} here, {fresh!r} in a new shell, {observation.content!r} in IPython"


@check("write and read")
def _(box):
    path = f"{box.workspace}/text.txt"
    observation = box.do(FileWriteAction(path=path, content="one\ntwo\nthree"))
    expect(observation.observation == "write" and observation.path == path, "a write observation", observation)
    observation = box.do(FileReadAction(path=path))
    expect(observation.content == "one\ntwo\nthree\n", "the same lines", observation)
    return repr(observation.content)


@check("write and read: lines, relative path, new directory")
def _(box):
    box.do(FileWriteAction(path="text.txt", content="TWO", start=1, end=2))
    lines = box.do(FileReadAction(path="text.txt", start=1, end=3)).content
    expect(lines == "TWO\nthree\n", "two lines", lines)
    box.do(FileWriteAction(path="deep/er/new.txt", content="x"))
    content = box.do(FileReadAction(path=f"{box.workspace}/deep/er/new.txt")).content
    return f"{lines!r}, {content!r}"


@check("read: what is missing")
def _(box):
    observation = box.do(FileReadAction(path="nowhere.txt"))
    expect(observation.observation == "error" and "File not found" in observation.content, "an error", observation)
    return repr(observation.content)


@check("read: a picture")
def _(box):
    box.output(f"echo {PNG} | base64 -d > dot.png")
    observation = box.do(FileReadAction(path="dot.png"))
    expect(observation.content == f"data:image/png;base64,{PNG}", "a data URL", observation)
    return observation.content[:30] + "…"


@check("edit: create")
def _(box):
    observation = box.edit("create", "edit.txt", file_text="alpha\nbeta\ngamma\n")
    expect("created successfully" in observation.content, "a creation", observation)
    return repr((observation.content, observation.diff))


@check("edit: str_replace")
def _(box):
    observation = box.edit("str_replace", "edit.txt", old_str="beta", new_str="BETA")
    expect("     2\tBETA" in observation.content, "the changed line", observation)
    return repr((observation.content, observation.diff))


@check("edit: str_replace of what isn't there")
def _(box):
    observation = box.edit("str_replace", "edit.txt", old_str="nothing", new_str="x")
    expect(observation.content.startswith("ERROR:\n"), "an error", observation)
    return repr(observation.content)


@check("edit: insert")
def _(box):
    observation = box.edit("insert", "edit.txt", insert_line=1, new_str="inserted")
    expect("     2\tinserted" in observation.content, "the new line", observation)
    return repr((observation.content, observation.diff))


@check("edit: undo_edit")
def _(box):
    observation = box.edit("undo_edit", "edit.txt")
    expect("undone successfully" in observation.content, "the edit to be undone", observation)
    expect(box.output("cat edit.txt") == "alpha\nBETA\ngamma", "the text before it", "another")
    return repr((observation.content, observation.diff))


@check("edit: view of a file, a range, a directory")
def _(box):
    contents = []
    for path, view_range in (("edit.txt", None), ("edit.txt", [2, 3]), ("deep", None)):
        action = FileReadAction(path=f"{box.workspace}/{path}", impl_source=FileReadSource.OH_ACI, view_range=view_range)
        contents.append(box.do(action).content)
    expect("     2\tBETA" in contents[0] and "1\talpha" not in contents[1], "numbered lines", contents)
    expect("er/" in contents[2], "the directory's content", contents[2])
    return repr(contents)


@check("IPython: result, output, state")
def _(box):
    results = [box.cell("x = 41\nprint('out')", "out").content, box.cell("x + 1", "42").content]
    return repr(results)


@check("IPython: exception")
def _(box):
    observation = box.cell("1 / 0", "ZeroDivisionError: division by zero")
    return repr(observation.content)


@check("IPython: magic and command of the shell")
def _(box):
    return repr([box.cell("%pwd", box.workspace).content, box.cell("!echo from the shell", "from the shell").content])


@check("IPython: a picture")
def _(box):
    code = f"import base64\nfrom IPython.display import Image, display\ndisplay(Image(base64.b64decode('{PNG}')))"
    observation = box.cell(code, "Image")
    expect(observation.image_urls and observation.image_urls[0].startswith("data:image/png;base64,"), "a picture", observation)
    return f"{observation.content!r}, {len(observation.image_urls)} picture"


@check("IPython: directory follows the shell")
def _(box):
    box.output("cd deep")
    try:
        return repr(box.cell("import os\nos.getcwd()", f"{box.workspace}/deep").content)
    finally:
        box.output("cd ..")


@check("IPython: time limit, and the state after it")
def _(box):
    observation = box.cell("import time\nwhile True:\n    time.sleep(0.01)", "timed out", timeout=2)
    after = box.cell("x", "41")
    return f"{observation.content!r}, then {after.content!r}"


@check("copy_to: a file")
def _(box):
    source = os.path.join(box.scratch, "sent.bin")
    with open(source, "wb") as file:
        file.write(bytes(range(256)) * 1000)
    box.runtime.copy_to(source, f"{box.workspace}/received")
    sums = box.output("sha256sum received/sent.bin").split()[0]
    local = subprocess.run(["sha256sum", source], capture_output=True, text=True, check=True).stdout.split()[0]
    expect(sums == local, "the same bytes", sums)
    return "256000 bytes, the same SHA-256"


@check("copy_to: a folder")
def _(box):
    source = os.path.join(box.scratch, "folder")
    os.makedirs(os.path.join(source, "sub"))
    for name in ("a.txt", "sub/b é.txt"):
        with open(os.path.join(source, name), "w", encoding="utf-8") as file:
            file.write(name)
    box.runtime.copy_to(source, f"{box.workspace}/received", recursive=True)
    output = box.output("cd received/folder && find . -type f | sort && cat 'sub/b é.txt' && cd ../..")
    expect(output == "./a.txt\n./sub/b é.txt\nsub/b é.txt", "both files", output)
    return repr(output)


@check("copy_from: a folder")
def _(box):
    path = box.runtime.copy_from(f"{box.workspace}/received/folder")
    try:
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name).decode() for name in sorted(archive.namelist())}
    finally:
        os.remove(path)
    expect(files.get("a.txt") == "a.txt" and files.get("sub/b é.txt") == "sub/b é.txt", "both files", files)
    return repr(files)


@check("copy_from: a file", reference="answers with an empty zip")
def _(box):
    path = box.runtime.copy_from(f"{box.workspace}/received/folder/a.txt")
    try:
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name).decode() for name in archive.namelist()}
    finally:
        os.remove(path)
    expect(files == {"a.txt": "a.txt"}, "the file", files)
    return repr(files)


@check("list_files")
def _(box):
    listings = [box.runtime.list_files(f"{box.workspace}/received"), box.runtime.list_files("received/folder")]
    expect(listings == [["folder/", "sent.bin"], ["sub/", "a.txt"]], "folders, then files", listings)
    expect(box.runtime.list_files(f"{box.workspace}/nowhere") == [], "nothing of what is missing", "something")
    expect("received/" in box.runtime.list_files(), "the working directory", "another")
    return repr(listings)


@check("git: changes and a diff, as the package's interface asks for them")
def _(box):
    box.output("mkdir repo && cd repo && git init -q && echo one > a.txt && git add . && git commit -qm first"
               " && echo two > a.txt && echo new > b.txt && cd ..")
    changes = box.runtime.get_git_changes(f"{box.workspace}/repo")
    changes = sorted((change["status"], change["path"]) for change in changes or [])
    expect([path for _, path in changes] == ["a.txt", "b.txt"], "two changed files", changes)
    diff = box.runtime.get_git_diff("a.txt", f"{box.workspace}/repo")
    return repr((changes, diff))


@check("setup script of a repository")
def _(box):
    box.do(FileWriteAction(path=f"{box.workspace}/.openhands/setup.sh", content="export FROM_SETUP=yes"))
    box.runtime.maybe_run_setup_script()
    output = box.output("echo $FROM_SETUP")
    expect(output == "yes", "the variable that it sets", output)
    return repr(output)


@check("event stream: an action that is published gets its observation")
def _(box):
    found = []
    box.events.subscribe(EventStreamSubscriber.TEST, found.append, "check")
    action = CmdRunAction(command="echo published")
    action.set_hard_timeout(20)
    action.tool_call_metadata = ToolCallMetadata(function_name="execute_bash", tool_call_id="call_1",
                                                 model_response={"id": "1", "choices": [], "created": 0}, total_calls_in_response=1)
    box.events.add_event(action, EventSource.AGENT)
    deadline = time.monotonic() + 20
    while not (answers := [event for event in found if isinstance(event, Observation)]):
        expect(time.monotonic() < deadline, "an observation", "none in 20 seconds")
        time.sleep(0.01)
    answer = answers[0]
    expect(answer.content == "published" and answer.cause == action.id, "the answer to the action", answer)
    expect(answer.tool_call_metadata == action.tool_call_metadata, "the metadata of the tool call", answer)
    return f"{answer.content!r}, cause and metadata of the action"


@check("what no server is asked: thoughts")
def _(box):
    observation = box.do(AgentThinkAction(thought="hm"))
    expect(observation.observation == "think", "a thought", observation)
    return repr(observation.content)


@check("routes: connection token, MCP servers, key-less information")
def _(box):
    token = box.request("GET", "/vscode/connection_token").json()
    expect(token == {"token": None}, "no token", token)
    mcp = box.request("POST", "/update_mcp_server", json=[]).json()
    information = box.request("GET", "/server_info").json()
    expect(sorted(information) == ["idle_time", "resources", "uptime"], "the server's information", information)
    return f"{json.dumps(mcp)}, {sorted(information['resources'])}"


@check("attach to the running container", reference="is a process, to which nothing attaches")
def _(box):
    other = box.attached()
    asyncio.run(other.connect())
    observation = other.run_action(CmdRunAction(command="echo $KEPT"))
    expect(observation.content == "yes", "the session's variable", observation)
    other.close()
    expect(box.container().status == "running", "the container to live on", box.container().status)
    return repr(observation.content)


@check("close")
def _(box):
    box.runtime.close()
    return box.check_closed()


# The image


def ipython_files():
    """The files of IPython and all that it needs, from this Python: name in the image, and path here."""
    from packaging.requirements import Requirement

    environment = {"python_version": "3.11", "python_full_version": "3.11.2", "sys_platform": "linux", "extra": ""}
    names, seen = ["ipython"], set()
    while names:
        name = re.sub(r"[-_.]+", "-", names.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or []:
            if file.suffix != ".pyc" and ".." not in file.parts:
                yield str(file), str(distribution.locate_file(file))
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate(environment):
                names.append(requirement.name)


SHIM = """#!/bin/sh
# Stands where the client expects a package manager that starts its own server: starts this one with the same arguments.
while [ "$#" -gt 0 ]; do
    word=$1
    shift
    [ "$word" != openhands.runtime.action_execution_server ] || exec /openhands/action-execution-server "$@"
done
echo "no server was asked for" >&2
exit 64
"""


def build_image(client, server, base_image):
    """Adds to the base image what the client looks for; returns the image."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:

        def add(name, data, mode=0o644):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))

        dockerfile = f"FROM {base_image}\nCOPY openhands /openhands\nCOPY packages /usr/lib/python3/dist-packages\n"
        add("Dockerfile", dockerfile.encode())
        add("openhands/micromamba/bin/micromamba", SHIM.encode(), 0o755)
        add("openhands/code/.keep", b"")
        with open(server, "rb") as file:
            add("openhands/action-execution-server", file.read(), 0o755)
        for name, path in ipython_files():
            with open(path, "rb") as file:
                add(f"packages/{name}", file.read())
    context.seek(0)
    tag = f"swift-docker-runtime/openhands-check:{uuid.uuid4().hex}"
    image, _ = client.images.build(fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True)
    return image


# The report


@dataclasses.dataclass
class Result:
    title: str
    passed: bool
    text: str
    seconds: float
    # Why the reference isn't expected to pass.
    excuse: str | None = None


def perform(box, is_reference):
    """Makes all checks, telling each as it ends."""
    print(f"\n{box.title}:", flush=True)
    results = []
    for title, excuse, function in CHECKS:
        excuse = excuse if is_reference else None
        began = time.monotonic()
        try:
            text, passed = function(box), True
        except Exception as error:  # Whatever it is: it is told, and the other checks are made.
            text, passed = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}", False
        text = text.replace(box.workspace, "/workspace")
        result = Result(title, passed, text, time.monotonic() - began, excuse)
        word = "ok" if passed else "known" if excuse else "FAILED"
        reason = f" (the reference {excuse})" if excuse and not passed else ""
        print(f"{word:6} {title}{reason} [{result.seconds:.2f} s]: {shortened(text)}", flush=True)
        results.append(result)
        if title == "connect" and not passed:
            break
    return results


def shortened(text):
    text = text.replace("\n", "\\n")
    return text if len(text) <= 300 else f"{text[:200]} … {text[-90:]}"


def compare(here, reference):
    """Tells what differs, side by side."""
    print("\nWhat came back otherwise than from the reference:")
    pairs = [(ours, theirs) for ours, theirs in zip(here, reference) if ours.text != theirs.text]
    for ours, theirs in pairs:
        print(f"  {ours.title}\n    reference: {shortened(theirs.text)}\n    here:      {shortened(ours.text)}")
    if not pairs:
        print("  nothing")
    return len(pairs)


def count(name, results):
    passed = sum(result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    return f"{name}: {passed} of {len(CHECKS)} checks passed in {seconds:.1f} s"


def main():
    arguments = sys.argv[1:]
    with_reference = "--no-reference" not in arguments
    server, base_image = [word for word in arguments if word != "--no-reference"]
    installed = importlib.metadata.version("openhands-ai")
    if installed != VERSION:
        sys.exit(f"error: {sys.executable} has openhands-ai {installed}; the checks are for {VERSION}.")
    openhands_logger.setLevel("CRITICAL")
    here = reference = []
    with contextlib.ExitStack() as stack:
        # What was begun is undone when the script is told to end, too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        client = docker.from_env(timeout=300)
        image = build_image(client, server, base_image)
        stack.callback(client.images.remove, image.id, force=True)
        box = DockerSandbox(image.tags[0])
        stack.callback(box.remove)
        here = perform(box, False)
        if with_reference:
            box = ReferenceSandbox()
            stack.callback(box.remove)
            reference = perform(box, True)
    if reference:
        compare(here, reference)
    print()
    print(count("this server", here))
    unexpected = len(CHECKS) - sum(result.passed for result in here)
    if with_reference:
        print(count("the reference's own server", reference))
        unexpected += len(CHECKS) - sum(result.passed or bool(result.excuse) for result in reference)
    sys.exit(1 if unexpected else 0)


if __name__ == "__main__":
    main()
