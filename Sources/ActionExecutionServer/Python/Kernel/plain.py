"""Cells without IPython, as alike as the standard library makes them."""

import __future__
import ast
import builtins
import linecache
import traceback


class PlainShell:
    """Runs cells in one namespace: the last expression is shown, and errors end the cell only."""

    def __init__(self, module):
        self.namespace = module.__dict__
        self.cells = 0
        self.flags = 0
        self.exit_now = False
        sys.displayhook = self.show_result
        builtins.display = self.display
        builtins.exit = builtins.quit = self.exit
        module_finder = PlainFigures()
        sys.meta_path.insert(0, Figures(module_finder.name))
        sys.meta_path.insert(0, module_finder)

    def install_input_refusal(self):
        builtins.input = refuse_input("input")
        import getpass

        getpass.getpass = refuse_input("getpass")

    def exit(self, code=None):
        """Ends the interpreter: the next cell runs in a new one."""
        self.exit_now = True
        raise SystemExit(code)

    def run(self, code):
        self.cells += 1
        code += "\n"
        name = "<cell %d>" % self.cells
        # For tracebacks, which show the lines; without a time, so that they aren't looked for on disk.
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        try:
            for part in self.parts(code, name):
                self.execute(part)
            figures_at_end()
        except SystemExit as error:
            if not self.exit_now:
                print("SystemExit: " + str(error), file=sys.stderr)
        except BaseException:
            self.show_error(name)

    def parts(self, code, name):
        """The cell compiled: its statements, and its last expression if that is to be shown."""
        flags = self.flags | getattr(ast, "PyCF_ALLOW_TOP_LEVEL_AWAIT", 0)
        tree = compile(code, name, "exec", flags | ast.PyCF_ONLY_AST, True)
        last = tree.body[-1] if tree.body else None
        shown = None
        if isinstance(last, ast.Expr) and not ends_with_semicolon(code, last):
            tree.body.pop()
            shown = ast.Expression(last.value)
        if ast.get_docstring(tree, False) is not None:
            # It would become the namespace's.
            del tree.body[0]
        parts = [compile(tree, name, "exec", flags, True)]
        for feature in __future__.all_feature_names:
            self.flags |= parts[0].co_flags & getattr(__future__, feature).compiler_flag
        if shown is not None:
            parts.append(compile(shown, name, "eval", flags | self.flags, True))
        return parts

    def execute(self, part):
        value = eval(part, self.namespace)
        if part.co_flags & 0x80:  # CO_COROUTINE
            value = run_coroutine(value)
        # Statements have None, which isn't shown.
        sys.displayhook(value)

    def show_result(self, value):
        if value is not None:
            builtins._ = value
            show(representations(value))

    def display(self, *values, **options):
        """Shows values as IPython's function of that name does."""
        for value in values:
            show(value if options.get("raw") else representations(value))

    def show_error(self, name):
        kind, error, trace = sys.exc_info()
        if sys.excepthook is not sys.__excepthook__:
            return sys.excepthook(kind, error, trace)
        start = trace
        # The frames before the cell's are ours. A cell that can't be compiled has none.
        while start is not None and not start.tb_frame.f_code.co_filename.startswith("<cell "):
            start = start.tb_next
        if start is None and not isinstance(error, SyntaxError):
            start = trace
        text = "".join(traceback.format_exception(kind, error, start))
        if isinstance(error, SyntaxError) and error.filename == name and is_magic(error.text or ""):
            text += "(Magics, !commands and ? need IPython, which this Python doesn't have: pip install ipython)"
        show_text(text.rstrip("\n"))


def is_magic(line):
    """Whether a line is what only IPython understands."""
    line = line.strip()
    return line[:1] in ("%", "!", "?") or line.endswith("?")


def ends_with_semicolon(code, last):
    """Whether an expression is followed by a semicolon, which keeps it from being shown."""
    line = getattr(last, "end_lineno", None)
    if line is None:
        return False
    rest = code.splitlines()[line - 1].encode()[last.end_col_offset:]
    return rest.lstrip().startswith(b";")


def representations(value):
    """The forms of a value by MIME type, from the methods that notebooks know."""
    bundle = {}
    method = getattr(type(value), "_repr_mimebundle_", None)
    if method is not None:
        made = method(value)
        bundle.update(made[0] if isinstance(made, tuple) else made or {})
    for kind, name in (("image/png", "_repr_png_"), ("image/jpeg", "_repr_jpeg_")):
        method = getattr(type(value), name, None)
        made = method(value) if method is not None else None
        if made is not None:
            bundle[kind] = made[0] if isinstance(made, tuple) else made
    figures = sys.modules.get("matplotlib.figure")
    if figures is not None and isinstance(value, figures.Figure):
        bundle["image/png"] = figure_image(value)
    bundle.setdefault("text/plain", repr(value))
    return bundle


class PlainFigures:
    """A Matplotlib backend as a module that isn't in any file."""

    name = "module://action_execution_figures"

    def find_spec(self, name, path=None, target=None):
        if "module://" + name != self.name:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        from matplotlib.backend_bases import FigureManagerBase
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        module.FigureCanvas = FigureCanvasAgg
        module.FigureManager = FigureManagerBase
        module.show = show_figures


def figure_image(figure):
    image = io.BytesIO()
    figure.savefig(image, format="png", bbox_inches="tight")
    return image.getvalue()


def show_figures(*arguments, **options):
    """Shows all open figures and closes them."""
    from matplotlib._pylab_helpers import Gcf

    figures = [manager.canvas.figure for manager in Gcf.get_all_fig_managers()]
    try:
        for figure in figures:
            show(representations(figure))
    finally:
        Gcf.destroy_all()


def figures_at_end():
    """Shows what a cell drew, if it left the backend to us."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and sys.modules["matplotlib"].rcParams["backend"] == PlainFigures.name:
        show_figures()
