import CurlHTTP
import DockerEngine
import Foundation
import Synchronization
import Testing

/// What a test makes in the engine, labelled, and removed last-in first-out however the test ends.
final class EngineScope: Sendable {
    static let labelName = "swift-docker-runtime.test"
    static let busybox = ProcessInfo.processInfo.environment["BUSYBOX"] ?? "/bin/busybox"

    let engine: DockerEngineClient
    let id = String(UInt64.random(in: 0 ... .max), radix: 36)
    private let cleanups = Mutex<[@Sendable () async throws -> Void]>([])

    init(engine: DockerEngineClient) {
        self.engine = engine
    }

    var label: [String: String] { [Self.labelName: id] }
    var filter: EngineFilters { .labels(label) }
    var name: String { "swift-docker-runtime-test-\(id)" }

    func atEnd(_ cleanup: @escaping @Sendable () async throws -> Void) {
        cleanups.withLock { $0.append(cleanup) }
    }

    func cleanUp() async {
        while let cleanup = cleanups.withLock({ $0.popLast() }) {
            do {
                try await cleanup()
            } catch let error as DockerEngineError where error.isNotFound {
                // The test has removed it itself.
            } catch {
                Issue.record(error, "something that the test made is left behind")
            }
        }
    }

    /// The root of a file system with busybox and links to it for the usual commands.
    static func rootArchive() -> TarArchive {
        var archive = TarArchive()
        for folder in ["bin", "tmp", "etc", "proc", "dev", "sys"] { archive.addDirectory(folder) }
        archive.addFile("bin/busybox", from: busybox, mode: 0o755)
        for command in ["sh", "sleep", "cat", "ls", "stat", "wc", "id", "true", "echo", "env", "seq", "sha256sum"] {
            archive.addSymbolicLink("bin/\(command)", to: "busybox")
        }
        archive.addFile("etc/passwd", bytes: Array("root:x:0:0:root:/:/bin/sh\n".utf8))
        return archive
    }

    /// A small image of this test's own; returns its reference.
    func image() async throws -> String {
        try #require(
            FileManager.default.fileExists(atPath: Self.busybox),
            "test images need a static busybox at /bin/busybox, or its path in BUSYBOX; scripts/test sees to that"
        )
        let reference = "\(name):latest"
        _ = try await engine.importImage(
            Self.rootArchive().body,
            repository: name,
            tag: "latest",
            changes: ["LABEL \(Self.labelName)=\(id)", #"CMD ["/bin/sh"]"#]
        )
        atEnd { [engine] in try await engine.removeImage(reference, force: true) }
        return reference
    }

    /// A request for a container that carries the label and ends at once when asked to.
    func request(_ image: String, _ command: String) -> ContainerRequest {
        var request = ContainerRequest(image: image, command: ["/bin/sh", "-c", command])
        request.configuration.labels = label
        request.host.initProcess = true
        request.host.networkMode = "none"
        return request
    }

    func create(_ request: ContainerRequest, suffix: String = "") async throws -> String {
        let created = try await engine.createContainer(request, named: name + suffix)
        atEnd { [engine] in try await engine.removeContainer(created.id, force: true, removesVolumes: true) }
        return created.id
    }

    /// A started container; by default of an image made for it.
    func run(_ command: String, image: String? = nil, suffix: String = "") async throws -> String {
        let image = if let image { image } else { try await self.image() }
        let id = try await create(request(image, command), suffix: suffix)
        try await engine.startContainer(id)
        return id
    }

    /// Runs a command to its end and returns what it wrote.
    func output(of command: String, image: String, suffix: String = "-output") async throws -> String {
        let id = try await run(command, image: image, suffix: suffix)
        _ = try await engine.waitContainer(id)
        return String(decoding: try await engine.containerLogs(id).collect(upTo: 1 << 20).stdout, as: UTF8.self)
    }
}

/// Runs a test against the real engine.
func withEngine(_ body: (DockerEngineClient, EngineScope) async throws -> Void) async throws {
    let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
    defer { engine.close() }
    let scope = EngineScope(engine: engine)
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(engine, scope))
    } catch {
        result = .failure(error)
    }
    // A task of its own, since a test over its time limit is cancelled and must clean up all the same.
    await Task { await scope.cleanUp() }.value
    try result.get()
}

/// The error that an operation throws, if it is one of the engine.
func engineError<Result>(from operation: () async throws -> Result) async throws -> DockerEngineError? {
    do {
        _ = try await operation()
        return nil
    } catch let error as DockerEngineError {
        return error
    }
}

extension HTTPResponse.Body {
    func text() async throws -> String {
        String(decoding: try await collect(upTo: 64 << 20), as: UTF8.self)
    }
}
