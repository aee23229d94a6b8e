import EventStream
import Foundation
import Testing

@testable import ActionExecutionServer

/// What cells show.
@Suite(.timeLimit(.minutes(2)))
struct CellTests {
    @Test("Without IPython, cells show their last expression, keep their names and show their tracebacks")
    func plain() async throws {
        try await withCells(.plain) { fixture in
            try await fixture.expect("x = 20", "[Code executed successfully with no output]")
            try await fixture.expect("print('a')\nx + 1", "a\n21")
            try await fixture.expect("x + 1;", "[Code executed successfully with no output]")
            try await fixture.expect("'documentation'", "'documentation'")
            try await fixture.expect("_", "'documentation'")
            try await fixture.expect("display(x, 'y')", "20\n'y'")
            try await fixture.expect("import asyncio\nawait asyncio.sleep(0, 'awaited')", "'awaited'")
            try await fixture.expect("asyncio.run(asyncio.sleep(0, 'ran'))", "'ran'")
            try await fixture.expect(
                "from __future__ import annotations",
                "[Code executed successfully with no output]"
            )
            try await fixture.expect("def f(a: nothing):\n    return 1 / a\n\nf(1)", "1.0")
            let trace = try await fixture.output("# The line above\nf(0)")
            #expect(
                trace.hasPrefix(
                    "Traceback (most recent call last):\n  File \"<cell 11>\", line 2, in <module>\n    f(0)\n"
                )
            )
            #expect(trace.contains("File \"<cell 10>\", line 2, in f\n    return 1 / a\n"))
            #expect(trace.hasSuffix("\nZeroDivisionError: division by zero"))
            #expect(!trace.contains("kernel.py"))
            let syntax = try await fixture.output("x = (")
            #expect(syntax.hasPrefix("  File \"<cell 12>\", line 1\n    x = (\n"))
            #expect(syntax.contains("SyntaxError: '(' was never closed"))
            #expect(try await fixture.output("%pwd").hasSuffix("pip install ipython)"))
            try await fixture.expect("import sys; sys.exit('enough')", "SystemExit: enough")
            try await fixture.expect("x, __name__, sys.argv", "(20, '__main__', [''])")
        }
    }

    @Test("The extra lines say where the cell ended, and by which interpreter", arguments: TestPython.allCases)
    func extraLines(python: TestPython) async throws {
        try await withCells(python) { fixture in
            let content = try await fixture.run("1") { $0.includeExtra = true }.content
            let path = try python.directory() + "/python3"
            let lines =
                "\n[Jupyter current working directory: \(fixture.directory)]\n[Jupyter Python interpreter: \(path)]"
            #expect(content == "1" + lines)
        }
    }

    @Test("What is written by any way is in order", arguments: TestPython.allCases)
    func order(python: TestPython) async throws {
        try await withCells(python) { fixture in
            try await fixture.expect(
                """
                import os, subprocess, sys, threading
                print("1", end="")
                os.write(2, b"2")
                os.system("echo 3")
                print("4", file=sys.stderr, end="")
                subprocess.run("echo 5 >&2; echo 6", shell=True, check=True)
                thread = threading.Thread(target=print, args=("7",))
                thread.start(); thread.join()
                with open("/dev/stdout", "w") as file: file.write("8")
                if os.fork() == 0:
                    print("9")
                else:
                    os.wait()
                    10
                """,
                "123\n45\n6\n7\n89"
            )
            // The child of the fork didn't stay to take cells too.
            for number in 0..<10 { try await fixture.expect("print(\(number))", "\(number)") }
        }
    }

    @Test("A cell that asks for input is told why there is none", arguments: TestPython.allCases)
    func input(python: TestPython) async throws {
        try await withCells(python) { fixture in
            for code in ["input('name? ')", "import getpass; getpass.getpass()", "breakpoint()\n1"] {
                let content = try await fixture.output(code)
                #expect(content.contains("StdinNotImplementedError: "), "\(content)")
                #expect(content.contains("cells have no standard input: give the value in the code"))
            }
            try await fixture.expect("import sys; sys.stdin.read()", "''")
        }
    }

    @Test("Output without bounds is cut in the middle, and kept in a file")
    func flood() async throws {
        try await withCells(.plain) { fixture in
            let content = try await fixture.output("for number in range(200_000): print(number)\nprint('end')")
            #expect(content.unicodeScalars.count < 31_000)
            #expect(content.hasPrefix("0\n1\n2\n"))
            #expect(content.hasSuffix("\n199999\nend"))
            let path = try #require(content.firstMatch(of: /the whole output is in (\S+) \.\.\.\]/)).output.1
            #expect(try FileAccess.read(String(path), limit: 1 << 23).split(separator: 0x0a).count == 200_001)
        }
    }

    @Test(
        "What is written after a cell's end is told with the next cell, and isn't taken for its own",
        arguments: [
            "subprocess.Popen('until [ -e go ]; do sleep 0.01; done; echo done 0; echo late; touch written', shell=True)",
            """
            def write_later():
                while not os.path.exists('go'): time.sleep(0.01)
                print('done 0\\nlate')
                open('written', 'w').close()
            threading.Thread(target=write_later).start()
            """,
        ]
    )
    func lateOutput(starting: String) async throws {
        try await withCells(.plain) { fixture in
            _ = try await fixture.output("import os, subprocess, threading, time")
            _ = try await fixture.output(starting)
            try await fixture.expect("print('between')", "between")
            try writeFile(fixture.directory + "/go", [], mode: 0o600)
            try await eventually { access(fixture.directory + "/written", F_OK) == 0 }
            try await fixture.expect(
                "print('now')",
                """
                [Below is what was written since the last cell.]
                done 0
                late
                [Below is the output of this cell.]
                now
                """
            )
            try await fixture.expect("print('then')", "then")
        }
    }

    @Test("Streams that a cell closed are there again for the next one", arguments: TestPython.allCases)
    func closedStreams(python: TestPython) async throws {
        try await withCells(python) { fixture in
            try await fixture.expect("import os, sys\nos.close(1); os.close(2)\nprint('still')", "still")
            try await fixture.expect("print('a'); _ = os.system('echo b; echo c >&2')", "a\nb\nc")
            _ = try await fixture.output("sys.stdout.close()")
            try await fixture.expect("print('here')", "here")
            try await fixture.expect("sys.stdout.buffer.write(b'\\xff\\n'); print('\\ud800')", "\u{fffd}\n\u{fffd}")
        }
    }

    @Test("Figures are shown as PNG images, also without IPython, and programs that a cell starts aren't concerned")
    func figures() async throws {
        try await withTemporaryDirectory { packages in
            // Keeps IPython away, where Matplotlib is.
            try writeFile(packages + "/IPython.py", Array("raise ImportError".utf8), mode: 0o600)
            try await withCells(.ipython) {
                $0.environment["PYTHONPATH"] = packages
            } _: { fixture in
                let code = "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\nplt.show()\nprint('after')"
                let shown = try await fixture.run(code)
                #expect(shown.content == "<Figure size 640x480 with 1 Axes>\nafter")
                #expect(try (shown.imageURLs ?? []).map { try size(ofPNG: $0) } == [[547, 413]])
                let left = try await fixture.run("figure = plt.figure(); _ = plt.plot([3])")
                #expect(left.content == "<Figure size 640x480 with 1 Axes>")
                #expect(left.imageURLs?.count == 1)
                #expect(try await fixture.run("figure").imageURLs?.count == 1)
                try await fixture.expect("plt.get_fignums()", "[]")
                try await fixture.expect("import os; 'MPLBACKEND' in os.environ", "False")
            }
        }
    }

    @Test("Values that have images of themselves are shown with them", arguments: TestPython.allCases)
    func richValues(python: TestPython) async throws {
        try await withCells(python) { fixture in
            let observation = try await fixture.run(
                """
                class Picture:
                    def _repr_png_(self): return b"\\x89PNG\\r\\n"
                    def _repr_jpeg_(self): return b"\\xff\\xd8"
                    def __repr__(self): return "a picture"
                display(Picture())
                Picture()
                """
            )
            #expect(observation.content == "a picture\na picture")
            let urls = ["data:image/png;base64,iVBORw0K", "data:image/jpeg;base64,/9g="]
            #expect(observation.imageURLs == urls + urls)
            let large = try await fixture.run(
                """
                class Large:
                    def _repr_png_(self): return b"0" * (15 << 20)
                    def __repr__(self): return "large"
                display(Large(), Large())
                """
            )
            #expect(large.imageURLs?.count == 1)
            #expect(large.content == "large\nlarge\n[Images left out, since they are too large together: 1]")
        }
    }

    @Test("Cells go where the shell goes, and else stay where they went themselves")
    func directories() async throws {
        try await withCells(.plain) { fixture in
            let here = fixture.directory
            try await fixture.shell("mkdir 'ä b' gone")
            try await fixture.expect("import os; print(os.getcwd())", here)
            try await fixture.shell("cd 'ä b'")
            try await fixture.expect("print(os.getcwd())", here + "/ä b")
            try await fixture.expect("os.chdir('/'); print(os.getcwd())", "/")
            try await fixture.shell("true")
            try await fixture.expect("print(os.getcwd())", "/")
            try await fixture.shell("cd ../gone; rmdir ../gone")
            let content = try await fixture.run("print('ran')") { $0.includeExtra = true }.content
            #expect(content.hasPrefix("[The shell's directory can't be entered: [Errno 2] No such file or directory: "))
            #expect(content.contains("\nran\n[Jupyter current working directory: /]"))
        }
    }

    @Test("The interpreter is the one that the shell finds, with its search path")
    func virtualEnvironment() async throws {
        try await withCells(.plain) { fixture in
            try await fixture.shell("export PATH='\(try TestPython.ipython.directory())':$PATH")
            try await fixture.expect("get_ipython() is not None", "True")
            let path = try await fixture.output("!command -v python3")
            #expect(path == (try TestPython.ipython.directory()) + "/python3")
        }
    }

    @Test("Over HTTP, a cell's observation has the reference's form")
    func server() async throws {
        let path = try TestPython.plain.directory()
        try await withServer {
            $0.environment["PATH"] = path + ":/usr/bin:/bin"
        } _: { fixture in
            let client = try await fixture.connect()
            let action: JSONValue = ["action": ["action": "run_ipython", "args": ["code": "6 * 7"], "timeout": 60]]
            let response = try await client.request("POST", "/execute_action", body: action.description)
            #expect(response.status == 200)
            let json = try response.json
            #expect(json["observation"]?.stringValue == "run_ipython")
            #expect(
                json["content"]?.stringValue
                    == "42\n[Jupyter current working directory: \(fixture.directory)]"
                    + "\n[Jupyter Python interpreter: \(path)/python3]"
            )
            #expect(json["extras"] == ["code": "6 * 7", "image_urls": .null])
        }
    }
}
