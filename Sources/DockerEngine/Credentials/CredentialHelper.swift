internal import CurlHTTP
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A program that keeps credentials, such as the system's key chain behind `docker-credential-osxkeychain`.
///
/// It is asked with the word `get` and the registry on its standard input, and answers in JSON
/// (<https://github.com/docker/docker-credential-helpers>).
struct CredentialHelper {
    /// The program's name without what all such names begin with.
    let name: String
    let environment: [String: String]

    /// The greatest size in bytes of an answer that is read.
    private static let maximumAnswerSize = 1 << 20

    private var program: String { "docker-credential-\(name)" }

    /// The credentials for a registry; nil when the helper has none.
    ///
    /// - Throws: ``RegistryCredentialError``, `CancellationError`.
    func credentials(for key: String) async throws -> RegistryCredentials? {
        guard !name.contains("/"), let path = ChildProgram.path(of: program, environment: environment) else {
            throw RegistryCredentialError.helperMissing(program: program)
        }
        let (answer, ending) = try await run(path, input: Array("\(key)\n".utf8))
        guard ending == .exited(status: 0) else {
            let words = String(decoding: answer, as: UTF8.self)
            // The protocol's words for "there are none".
            if words.contains("credentials not found") { return nil }
            throw RegistryCredentialError.helperFailed(program: program, registry: key, reason: "\(words)(\(ending))")
        }
        struct Answer: Decodable {
            var username: String
            var secret: String

            private enum CodingKeys: String, CodingKey {
                case username = "Username"
                case secret = "Secret"
            }
        }
        guard let answer = try? EngineJSON.decode(Answer.self, from: answer, call: program) else {
            // What came is not told: it may be secret.
            throw RegistryCredentialError.helperFailed(program: program, registry: key, reason: "no JSON with a secret")
        }
        // The protocol's name for a secret that is a token.
        guard answer.username != "<token>" else {
            return RegistryCredentials(serverAddress: key, identityToken: answer.secret)
        }
        return RegistryCredentials(username: answer.username, password: answer.secret, serverAddress: key)
    }

    /// Runs the program to its end; when the task is cancelled, ends it.
    private func run(_ path: String, input: [UInt8]) async throws -> (output: [UInt8], ChildProgram.Ending) {
        func failure(_ error: SystemCallError) -> RegistryCredentialError {
            .helperFailed(program: program, registry: "", reason: "\(error)")
        }
        let child: ChildProgram
        let reader: Pipe
        do {
            let question = try Pipe()
            reader = try Pipe()
            // Before anybody reads: it fits into the pipe, and nobody can be gone.
            question.write(input)
            question.closeWriting()
            child = try ChildProgram(
                path: path,
                arguments: ["get"],
                environment: environment,
                input: question.reading,
                output: reader.writing
            )
        } catch {
            throw failure(error)
        }
        reader.closeWriting()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let status = DetachedThread.start {
                    let output = reader.readAll(upTo: Self.maximumAnswerSize)
                    continuation.resume(returning: (output, child.collect()))
                }
                // No thread to be had: then this one waits.
                if status != 0 {
                    child.end()
                    continuation.resume(returning: ([], child.collect()))
                }
            }
        } onCancel: {
            child.end()
        }
        try Task.checkCancellation()
        return result
    }
}

/// A pipe, whose ends are closed with it.
private final class Pipe: Sendable {
    let reading: Int32
    let writing: Int32
    private let isWritable = Mutex(true)

    init() throws(SystemCallError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemCallError(number: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(reading)
        closeWriting()
    }

    func closeWriting() {
        isWritable.withLock { isWritable in
            if isWritable { close(writing) }
            isWritable = false
        }
    }

    func write(_ bytes: [UInt8]) {
        #if canImport(Darwin)
        _ = Darwin.write(writing, bytes, bytes.count)
        #elseif canImport(Glibc)
        _ = Glibc.write(writing, bytes, bytes.count)
        #else
        _ = Musl.write(writing, bytes, bytes.count)
        #endif
    }

    /// Reads to the end; what is too much is thrown away.
    func readAll(upTo limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(reading, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            if bytes.count < limit { bytes += buffer[..<count] }
        }
    }
}
