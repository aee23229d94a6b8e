"""Cells with IPython: its magics, its tracebacks, its forms of values."""


def make_ipython_shell(module):
    """A shell of the Python's IPython; fails where there is none."""
    import warnings

    from IPython.core import page
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Hook(DisplayHook):
        """Shows the last expression of a cell."""

        def quiet(self):
            try:
                return self.semicolon_at_end_of_expression(self.shell.cell)
            except Exception:
                return False

        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            show(format_dict)

        def finish_displayhook(self):
            pass

    class Publisher(DisplayPublisher):
        """Shows what a cell displays."""

        def publish(self, data, *arguments, **options):
            # Updates of what was shown would be many, and nothing that was told can be changed.
            if not options.get("update"):
                show(data)

        def clear_output(self, wait=False):
            pass

    class Shell(InteractiveShell):
        exit_now = False
        cell = ""

        def run(self, code):
            self.cell = code
            # Not in the history, so that cells have the number in tracebacks that agents are used to.
            self.run_cell(code, store_history=False)

        def ask_exit(self):
            self.exit_now = True

        def enable_gui(self, gui=None):
            pass

        def _showtraceback(self, etype, evalue, stb):
            show_text(self.InteractiveTB.stb2text(stb))

        def install_input_refusal(self):
            import builtins
            import getpass

            builtins.input = refuse_input("input")
            getpass.getpass = refuse_input("getpass")

    options = Config()
    # Cells are not the user's to find again, and a file of them would be written in their home.
    options.HistoryManager.enabled = False
    shell = Shell.instance(
        config=options, user_module=module, display_pub_class=Publisher, displayhook_class=Hook
    )
    shell.loop_runner = run_coroutine
    shell.run_line_magic("colors", "nocolor")
    # It is said after `sys.exit`, and not true here: that ends the cell, as asked.
    warnings.filterwarnings("ignore", "To exit: use")
    shell.set_hook("show_in_pager", page.as_hook(page.display_page), 90)
    sys.meta_path.insert(0, Figures("module://matplotlib_inline.backend_inline"))
    return shell
