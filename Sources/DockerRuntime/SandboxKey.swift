import ActionExecutionClient
import EventStream
import Foundation

/// What requests to a sandbox's server must carry.
struct SandboxKey: Sendable, Hashable {
    /// The key.
    var value: String
    /// From what it can be had again, with this user's secret; nil when it can't.
    ///
    /// It is no secret, and goes with the container.
    var origin: String?

    /// Makes a key for a new container.
    ///
    /// A container that is kept must be reached by later processes too, so its key is derived from a secret of this user.
    ///
    /// - Throws: ``DockerRuntimeError/secretUnavailable(path:reason:)``.
    init(for configuration: DockerRuntime.Configuration) throws {
        if let given = configuration.sessionAPIKey {
            value = given
        } else if configuration.closing.keepsContainer {
            self = SandboxKey(origin: randomHexadecimal(byteCount: 16), secret: try UserSecret().bytes)
        } else {
            value = randomHexadecimal(byteCount: 32)
        }
    }

    /// Derives the key again.
    init(origin: String, secret: [UInt8]) {
        value = SHA256.hexadecimal(HMAC.sha256(Array("sandbox key \(origin)".utf8), key: secret))
        self.origin = origin
    }
}

/// A keyed digest (RFC 2104).
enum HMAC {
    private static let blockSize = 64

    /// The digest of a message with SHA-256, 32 bytes.
    static func sha256(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var block = key.count > blockSize ? key.withUnsafeBytes(SHA256.digest) : key
        block += Array(repeating: 0, count: blockSize - block.count)
        let inner = (block.map { $0 ^ 0x36 } + message).withUnsafeBytes(SHA256.digest)
        return (block.map { $0 ^ 0x5c } + inner).withUnsafeBytes(SHA256.digest)
    }
}

/// Random bytes that this user's processes share, in a file that nobody else can read.
struct UserSecret {
    /// The bytes, 32 of them.
    let bytes: [UInt8]

    private static let size = 32

    /// Reads the secret, and makes it when there is none yet.
    ///
    /// - Parameter directory: where it is; nil for `swift-docker-runtime` below `XDG_STATE_HOME` or `~/.local/state`
    ///   (<https://specifications.freedesktop.org/basedir-spec/latest/>).
    /// - Throws: ``DockerRuntimeError/secretUnavailable(path:reason:)``.
    init(directory: String? = nil) throws(DockerRuntimeError) {
        let directory = directory ?? Self.standardDirectory
        let path = "\(directory)/secret"
        if FileManager.default.fileExists(atPath: path) {
            bytes = try Self.read(path)
            return
        }
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            // Whole before it has its name, which the first of several processes gives it.
            let draft = "\(path)-\(randomHexadecimal(byteCount: 8))"
            defer { unlink(draft) }
            var generator = SystemRandomNumberGenerator()
            let fresh = (0..<Self.size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            guard
                FileManager.default.createFile(
                    atPath: draft,
                    contents: Data(fresh),
                    attributes: [.posixPermissions: 0o600]
                ),
                link(draft, path) == 0 || errno == EEXIST
            else { throw DockerRuntimeError.secretUnavailable(path: path, reason: String(cString: strerror(errno))) }
        } catch let error as DockerRuntimeError {
            throw error
        } catch {
            throw .secretUnavailable(path: path, reason: error.localizedDescription)
        }
        bytes = try Self.read(path)
    }

    private static func read(_ path: String) throws(DockerRuntimeError) -> [UInt8] {
        let content: Data
        do {
            content = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw .secretUnavailable(path: path, reason: error.localizedDescription)
        }
        guard content.count == size else {
            throw .secretUnavailable(path: path, reason: "it has \(content.count) bytes, not \(size)")
        }
        return [UInt8](content)
    }

    private static var standardDirectory: String {
        let environment = ProcessInfo.processInfo.environment
        let state =
            environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? "\(NSHomeDirectory())/.local/state"
        return "\(state)/swift-docker-runtime"
    }
}
