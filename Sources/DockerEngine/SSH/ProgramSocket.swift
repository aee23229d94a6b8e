internal import CurlHTTP
internal import Synchronization

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A Unix socket of this process, each connection to which is the input and output of a program.
///
/// A program ends when its connection is closed, and its connection is closed when it ends. ``close()`` ends all.
final class ProgramSocket: Sendable {
    private struct State {
        var programs: [Int: ChildProgram] = [:]
        var next = 0
        var isClosed = false
        var failure: String?
    }

    /// The socket's path.
    let path: String
    private let program: String
    private let arguments: [String]
    private let environment: [String: String]
    private let directory: PrivateDirectory
    private let listener: Int32
    private let state = Mutex(State())

    private static let maximumErrorSize = 2000

    /// Starts to listen.
    init(program: String, arguments: [String], environment: [String: String]) throws(SystemCallError) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        directory = try PrivateDirectory()
        path = "\(directory.path)/socket"
        listener = try UnixSocket.listen(at: path)
        let status = DetachedThread.start { [self] in
            while let connection = UnixSocket.accept(listener), serve(connection) {}
            close(listener)
        }
        guard status == 0 else {
            UnixSocket.close(listener)
            throw SystemCallError(number: status)
        }
    }

    /// Ends all connections and takes no more.
    ///
    /// The socket and its directory go with the last of them.
    func close() {
        let programs = state.withLock { state -> [ChildProgram] in
            guard !state.isClosed else { return [] }
            state.isClosed = true
            return Array(state.programs.values)
        }
        for program in programs { program.end() }
        // The thread that takes connections is told by one.
        UnixSocket.touch(path)
    }

    /// What the last program that failed had to say.
    var failure: String? { state.withLock { $0.failure } }

    /// - Returns: false when the socket is closed, and no more connections are to be taken.
    private func serve(_ connection: Int32) -> Bool {
        let errors = state.withLock { state -> (number: Int, file: String)? in
            guard !state.isClosed else { return nil }
            state.next += 1
            return (state.next, "\(directory.path)/errors-\(state.next)")
        }
        guard let (number, file) = errors else {
            close(connection)
            return false
        }
        let child: ChildProgram
        do {
            child = try ChildProgram(
                path: program,
                arguments: arguments,
                environment: environment,
                input: connection,
                output: connection,
                errors: file
            )
        } catch {
            state.withLock { $0.failure = "\(program) can't be run: \(error)" }
            close(connection)
            return true
        }
        let isClosed = state.withLock { state in
            state.programs[number] = child
            return state.isClosed
        }
        if isClosed { child.end() }
        let status = DetachedThread.start { [self] in collect(child, number, file, connection) }
        if status != 0 {
            child.end()
            collect(child, number, file, connection)
        }
        return true
    }

    /// The connection stays open here until it is known why the program ended: whoever sees it closed finds the reason.
    private func collect(_ child: ChildProgram, _ number: Int, _ file: String, _ connection: Int32) {
        let ending = child.collect()
        let words = FileManager.default.contents(atPath: file) ?? Data()
        try? FileManager.default.removeItem(atPath: file)
        state.withLock { state in
            state.programs[number] = nil
            guard ending != .exited(status: 0), !state.isClosed else { return }
            let text = String(decoding: words.suffix(Self.maximumErrorSize), as: UTF8.self).split(separator: "\n")
                .map { $0.filter { $0 != "\r" } }.joined(separator: "; ")
            state.failure = text.isEmpty ? "it ended without a word (\(ending))" : text
        }
        close(connection)
    }

    private func close(_ descriptor: Int32) {
        UnixSocket.close(descriptor)
    }
}

/// The calls that a listening Unix socket needs.
private enum UnixSocket {
    static func listen(at path: String) throws(SystemCallError) -> Int32 {
        let descriptor = make()
        guard descriptor >= 0 else { throw SystemCallError(number: errno) }
        guard withAddress(path, { bind(descriptor, $0, $1) }) == 0, Self.listen(descriptor) == 0 else {
            let number = errno
            close(descriptor)
            throw SystemCallError(number: number)
        }
        return descriptor
    }

    /// The next connection; nil when there can't be any more.
    static func accept(_ listener: Int32) -> Int32? {
        while true {
            #if canImport(Darwin)
            let descriptor = Darwin.accept(listener, nil, nil)
            #elseif canImport(Glibc)
            let descriptor = Glibc.accept(listener, nil, nil)
            #else
            let descriptor = Musl.accept(listener, nil, nil)
            #endif
            if descriptor >= 0 {
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                return descriptor
            }
            guard [EINTR, ECONNABORTED].contains(errno) else { return nil }
        }
    }

    /// Connects, and closes the connection.
    static func touch(_ path: String) {
        let descriptor = make()
        guard descriptor >= 0 else { return }
        _ = withAddress(path) { connect(descriptor, $0, $1) }
        close(descriptor)
    }

    static func close(_ descriptor: Int32) {
        #if canImport(Darwin)
        _ = Darwin.close(descriptor)
        #elseif canImport(Glibc)
        _ = Glibc.close(descriptor)
        #else
        _ = Musl.close(descriptor)
        #endif
    }

    private static func make() -> Int32 {
        #if canImport(Glibc)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return descriptor
    }

    private static func listen(_ descriptor: Int32) -> Int32 {
        #if canImport(Darwin)
        Darwin.listen(descriptor, 64)
        #elseif canImport(Glibc)
        Glibc.listen(descriptor, 64)
        #else
        Musl.listen(descriptor, 64)
        #endif
    }

    /// Lends the address of a path; -1 with `ENAMETOOLONG` when it is too long for one.
    private static func withAddress(
        _ path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
