"""Records what the reference's server answers to cells: openhands-ai 0.62.0 with jupyter-kernel-gateway, IPython and Matplotlib.

usage: record_cells.py OUTPUT

Each line has a cell, the content of its observation and the sizes of its images. Where this project's answer is another
one on purpose, `ours` has that, and `why` the reason. What depends on the machine is replaced by CELL (the name of a cell
in warnings), DIRECTORY and PYTHON.

The reference's client takes a cell's reply for the end of its output, though the two come over different sockets, so that
it loses output as often as not. Here the reply is held back until the kernel says that it is idle, which comes after the
output: what is recorded is what the reference means to answer.
"""

import asyncio
import base64
import json
import logging
import os
import re
import struct
import subprocess
import sys
import tempfile
import types

os.environ["LOCAL_RUNTIME_MODE"] = "1"
os.environ["OPENHANDS_REPO_PATH"] = os.getcwd()
os.environ["PATH"] = os.path.dirname(sys.executable) + ":" + os.environ["PATH"]

from openhands.events.action import IPythonRunCellAction
from openhands.runtime.action_execution_server import ActionExecutor
from openhands.runtime.plugins.jupyter import JupyterPlugin, execute_server

logging.disable(logging.CRITICAL)

ORDER = "standard output and error keep their order, as on a terminal"
LINES = "what is displayed ends its line"
SEMICOLON = "a semicolon keeps a value from being shown, also outside the history"
PAGER = "what IPython would page is shown"
SCREEN = "a carriage return goes back to the line's beginning, as on a terminal"
TIMEOUT = "what a cell wrote before its time was over is kept, and where it was"
LOOP = "no event loop runs while a cell does, so that asyncio.run works"
DIRECTORY = "the directory is the interpreter's own"

CELLS = [
    {"code": "1 + 1", "extra": True},
    {"code": "print('a')\n2"},
    {"code": "x = 1"},
    {"code": "x += 1\nx"},
    {
        "code": "import sys\nprint('o')\nprint('e', file=sys.stderr)\nprint('o2')",
        "ours": "o\ne\no2",
        "why": ORDER,
    },
    {"code": "display(1); display(2)\n3", "ours": "1\n2\n3", "why": LINES},
    {"code": "1/0"},
    {"code": "def f():\n    return 1/0\n\nf()"},
    {"code": "print("},
    {"code": "'abc';", "ours": "[Code executed successfully with no output]", "why": SEMICOLON},
    {"code": "None"},
    {"code": "%pwd"},
    {"code": "!echo hi; echo err >&2"},
    {"code": "%%bash\necho from bash"},
    {"code": "!false\n_exit_code"},
    {"code": "y = !echo a b\ny"},
    {
        "code": "len?",
        "ours": "Signature: len(obj, /)\nDocstring: Return the number of items in a container.\n"
        "Type:      builtin_function_or_method",
        "why": PAGER,
    },
    {"code": "import warnings\nwarnings.warn('careful')"},
    {"code": "import asyncio\nawait asyncio.sleep(0.01)\n7"},
    {"code": "async def g():\n    1/0\n\nawait g()"},
    {"code": "raise SystemExit(3)"},
    {"code": "import sys\nsys.exit('bye')"},
    {"code": "[i for i in range(40)]"},
    {"code": "{'a': 1, 'b': [1, 2, 3]}"},
    {"code": "'line1\\nline2'"},
    {"code": "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\nplt.show()", "timeout": 60},
    {"code": "_ = plt.plot([3])"},
    {
        "code": "_ = plt.plot([1, 2])\nplt.show()\nprint('after')",
        "ours": "<Figure size 640x480 with 1 Axes>\nafter",
        "why": LINES,
    },
    {"code": "from IPython.display import HTML\nHTML('<b>x</b>')"},
    {"code": "import os, subprocess\nprint('1')\nos.system('echo 2')\nprint('3')\n_ = subprocess.run(['echo', '4'])"},
    {"code": "print('x', end='')\n5"},
    {"code": "print('x', end='')\n1/0"},
    {"code": "print('a\\tb\\x1b[31mred\\x1b[0m')"},
    {"code": "print(' 10%\\r100%')", "ours": "100%", "why": SCREEN},
    {"code": "raise ValueError('a\\nb')"},
    {"code": "%nosuch"},
    {"code": "nosuch"},
    {"code": "print('  kept  \\n\\n')"},
    {"code": "print()"},
    {"code": ""},
    {"code": "# comment"},
    {"code": "__name__"},
    {"code": "class A:\n    def __repr__(self):\n        raise ValueError('no')\n\nA()"},
    {"code": "exec('1/0')"},
    {"code": "raise KeyboardInterrupt"},
    {"code": "print('\\udc80 \U0001f600 \u00e4')"},
    {
        "code": "import time\nprint('before')\ntime.sleep(100)",
        "timeout": 2,
        "ours": "before\n" + "-" * 75 + "\n"
        "KeyboardInterrupt                         Traceback (most recent call last)\nCell In[1], line 3\n"
        "      1 import time\n      2 print('before')\n----> 3 time.sleep(100)\n\nKeyboardInterrupt: \n"
        "[Execution timed out (2.0 seconds).]",
        "why": TIMEOUT,
    },
    {"code": "x"},
    {
        "code": "os.chdir('/')",
        "extra": True,
        "ours": "[Code executed successfully with no output]\n[Jupyter current working directory: /]\n"
        "[Jupyter Python interpreter: PYTHON]",
        "why": DIRECTORY,
    },
    {"code": "asyncio.run(asyncio.sleep(0, 'ran'))", "ours": "'ran'", "why": LOOP},
]


class OrderedSocket:
    """Hands a cell's reply on once the kernel is idle."""

    def __init__(self, socket):
        self.socket = socket
        self.reply = None
        self.idle = None

    def __getattr__(self, name):
        return getattr(self.socket, name)

    async def read_message(self):
        while True:
            text = await self.socket.read_message()
            if text is None:
                return None
            message = json.loads(text)
            cell = message["parent_header"].get("msg_id")
            if message["msg_type"] == "execute_reply":
                self.reply = (cell, text)
            elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                self.idle = cell
            else:
                return text
            if self.reply is not None and self.reply[0] == self.idle:
                (_, text), self.reply = self.reply, None
                return text


def size(url):
    kind, _, encoded = url.partition(",")
    assert kind == "data:image/png;base64", kind
    return list(struct.unpack(">II", base64.b64decode(encoded)[16:24]))


async def record(path):
    connect = execute_server.websocket_connect

    async def connect_in_order(request):
        return OrderedSocket(await connect(request))

    execute_server.websocket_connect = connect_in_order
    directory = os.path.realpath(tempfile.mkdtemp())
    executor = ActionExecutor.__new__(ActionExecutor)
    executor.plugins = {}
    executor.bash_session = types.SimpleNamespace(cwd=directory)
    plugin = JupyterPlugin()
    await plugin.initialize("root")
    executor.plugins["jupyter"] = plugin
    # The first cell of a fresh kernel can run into a limit of the gateway's own.
    await executor.run_ipython(IPythonRunCellAction(code="None"))
    with open(path, "w") as output:
        for cell in CELLS:
            action = IPythonRunCellAction(code=cell["code"], include_extra=cell.get("extra", False))
            action.set_hard_timeout(float(cell.get("timeout", 30)))
            observation = await executor.run_ipython(action)
            if "timed out" in observation.content:
                # A kernel that is being interrupted drops the next cell.
                await asyncio.sleep(2)
            content = re.sub(r"/tmp/ipykernel_\d+/\d+\.py", "CELL", observation.content)
            content = content.replace(directory, "DIRECTORY").replace(plugin.python_interpreter_path, "PYTHON")
            line = dict(cell, content=content, images=[size(url) for url in observation.image_urls or []])
            output.write(json.dumps(line) + "\n")
    # The gateway, which ends its kernel.
    subprocess.run(["pkill", "-f", f"KernelGatewayApp.port={plugin.kernel_gateway_port}$"])


if __name__ == "__main__":
    asyncio.new_event_loop().run_until_complete(record(sys.argv[1]))
    os._exit(0)
