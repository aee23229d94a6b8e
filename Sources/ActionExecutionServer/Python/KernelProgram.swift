/// The Python program that runs cells.
///
/// It isn't in a file, which a cell could change or remove, and not in the argument list, where everybody would see it in
/// the table of processes: it is the first thing that an interpreter reads from its channel.
enum KernelProgram {
    /// The interpreter's arguments after its name.
    static let arguments = ["-c", "requests = open(3, 'rb'); exec(requests.read(int(requests.readline())))"]

    /// What is sent first: a loader with its length, and the files that it loads.
    static let start: [UInt8] = {
        let files = [
            ("kernel.py", PackageResources.kernel_py), ("plain.py", PackageResources.plain_py),
            ("ipython.py", PackageResources.ipython_py),
        ]
        // Tracebacks show the lines of a file from here, when a cell calls one of its functions.
        let loader = """
            import linecache
            namespace = {"__name__": "kernel"}
            for name, size in (\(files.map { "('<\($0)>', \($1.count))," }.joined())):
                source = requests.read(size).decode()
                linecache.cache[name] = (size, None, source.splitlines(True), name)
                exec(compile(source, name, "exec"), namespace)
            namespace["serve"](requests)

            """
        return Array("\(loader.utf8.count)\n\(loader)".utf8) + files.flatMap(\.1)
    }()

    /// A request to run a cell.
    ///
    /// - Parameter directory: where to go first; nil to stay.
    static func request(code: String, directory: String?) -> [UInt8] {
        let payload = Array((directory ?? "").utf8) + [0] + Array(code.utf8)
        return Array("cell \(payload.count)\n".utf8) + payload
    }
}
