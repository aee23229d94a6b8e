"""The process that runs cells: what it is told, and what it tells.

Requests come and messages go over descriptor 3, which no other program inherits: lines of a word and a length, each
followed by so many bytes. All that a cell writes goes into one pipe, by whatever way, so that it stays in order.

Runs with any Python from 3.6 on. The files of this program share one namespace, which isn't that of the cells.
"""

import codecs
import io
import os
import signal
import sys
import types

CHANNEL = 3
# Bytes of a data URL; the server takes no message that is much larger.
IMAGE_LIMIT = 32 << 20
process = os.getpid()
# The pipe, also when a cell closes or redirects descriptors 1 and 2.
pipe = os.dup(1)
os.set_inheritable(CHANNEL, False)


def tell(word, payload=b""):
    """Sends a message, unless this is a process that a cell forked."""
    if os.getpid() != process:
        return
    message = memoryview(b"%s %d\n%s" % (word.encode(), len(payload), payload))
    while message:
        message = message[os.write(CHANNEL, message):]


# Half a character must not keep a cell from printing the rest.
codecs.register_error("kernel", lambda error: ("\ufffd".encode() * (error.end - error.start), error.end))


class Output(io.TextIOWrapper):
    """Standard output or error: each piece is written at once, since other programs write to the same pipe."""

    def __init__(self, name):
        raw = io.FileIO(pipe, "w", closefd=False)
        raw.name = name
        super().__init__(io.BufferedWriter(raw), encoding="utf-8", errors="kernel")

    def write(self, text):
        count = super().write(text)
        self.flush()
        return count


def show_text(text):
    """Shows what isn't printed but displayed, wherever print goes just now."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    Output("<display>").write(text + "\n")


def show(bundle):
    """Shows a value in the richest forms of it that an observation can hold; the bundle has them by MIME type."""
    text = bundle.get("text/plain")
    if text is None:
        text = next((bundle[kind] for kind in sorted(bundle) if kind.startswith("text/")), None)
    if text is not None:
        show_text(text if isinstance(text, str) else "".join(text))
    for kind in ("image/png", "image/jpeg"):
        if bundle.get(kind):
            show_image(kind, bundle[kind])


def show_image(kind, image):
    """Shows an image, given as bytes or in Base64."""
    import binascii

    encoded = image.encode() if isinstance(image, str) else binascii.b2a_base64(image, newline=False)
    url = b"data:%s;base64,%s" % (kind.encode(), encoded.replace(b"\n", b""))
    if len(url) <= IMAGE_LIMIT:
        tell("image", url)
    else:
        show_text("[An image that is too large was left out: %d bytes]" % len(url))


class StdinNotImplementedError(NotImplementedError):
    """A cell asked for input."""

    # Tracebacks name the module of what isn't built in.
    __module__ = "builtins"


def refuse_input(name):
    """A function that stands for one which would wait for input that nobody can give."""

    def refuse(*arguments, **options):
        raise StdinNotImplementedError(
            name + " was called, but cells have no standard input: give the value in the code, "
            "or run a program that asks in the shell"
        )

    return refuse


def prepare_streams():
    """Sees to it that output reaches the pipe, whatever the last cell closed."""
    for descriptor in (1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(pipe, descriptor)
    for name in ("stdout", "stderr"):
        if getattr(getattr(sys, name), "closed", False):
            setattr(sys, name, Output("<" + name + ">"))


class Figures:
    """Makes Matplotlib show figures as images once it is imported.

    Not by MPLBACKEND, which the programs that a cell starts would find too.
    """

    def __init__(self, backend):
        self.backend = backend

    def find_spec(self, name, path=None, target=None):
        if name != "matplotlib":
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                load = spec.loader.exec_module

                def exec_module(module):
                    load(module)
                    module.rcParams["backend"] = self.backend

                spec.loader.exec_module = exec_module
                return spec
        return None


def run_coroutine(coroutine, state={}):
    """Runs a cell that awaits, in an event loop that is kept for the next one."""
    import asyncio

    loop = state.get("loop")
    if loop is None or loop.is_closed():
        loop = state["loop"] = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    task = loop.create_task(coroutine)
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        # Else it would go on when the next cell runs the loop.
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        raise


def enter(directory):
    """Goes where the shell went."""
    try:
        os.chdir(directory)
    except OSError as error:
        show_text("[The shell's directory can't be entered: " + str(error) + "]")


def run(shell, directory, code):
    """Runs a cell and tells when it is done."""
    prepare_streams()
    if directory:
        enter(directory)
    try:
        try:
            # As in a fresh interpreter, whatever the last cell installed.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            shell.run(code)
        finally:
            signal.signal(signal.SIGINT, lambda number, frame: None)
    except BaseException as error:
        # Only what came when the cell was done already, such as an interrupt.
        signal.signal(signal.SIGINT, lambda number, frame: None)
        show_text(type(error).__name__ + ": " + str(error))
    if os.getpid() != process:
        # A cell forked, and the child came to the cell's end.
        os._exit(0)
    if shell.exit_now:
        sys.exit(0)
    prepare_streams()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    try:
        directory = os.getcwdb()
    except OSError:
        directory = b""
    tell("done", directory)


def serve(requests):
    """Runs one cell after another until the server closes the channel."""
    sys.stdout, sys.stderr = Output("<stdout>"), Output("<stderr>")
    try:
        import faulthandler

        faulthandler.enable(file=pipe)
    except Exception:
        pass
    # What a module of that name holds is the cells' alone.
    module = sys.modules["__main__"] = types.ModuleType("__main__", "The namespace of the cells")
    module.__builtins__ = sys.modules["builtins"]
    sys.argv = [""]
    try:
        shell = make_ipython_shell(module)
    except Exception:
        shell = PlainShell(module)
    shell.install_input_refusal()
    tell("ready", sys.executable.encode("utf-8", "surrogateescape"))
    while True:
        try:
            header = requests.readline().split()
        except Exception as error:
            # Thrown by a signal handler that a cell left.
            show_text(type(error).__name__ + ": " + str(error))
            continue
        if not header:
            break
        directory, _, code = requests.read(int(header[1])).partition(b"\0")
        run(shell, directory, code.decode("utf-8", "replace"))
