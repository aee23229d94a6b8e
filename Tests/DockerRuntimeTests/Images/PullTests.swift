import ActionExecutionClient
import DockerEngine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DockerRuntime

/// Images that the real engine pulls from a real registry, which asks for a password.
@Suite(.timeLimit(.minutes(3)))
struct PullTests {
    /// A registry on the loopback address, from which engines take plain HTTP, with a user `user`.
    private struct Registry: Sendable {
        static let credentials = RegistryCredentials(username: "user", password: "pass:word")
        /// Their bcrypt digest, as htpasswd(1) makes it.
        private static let users = "user:$2b$04$5UE6lr7CsmdRJ1XhA/0c2OvMAv0eDJsNO3Cstlxj44oOx6.FBHOGC\n"

        let engine: DockerEngineClient
        let directory: URL
        let port: Int

        var address: String { "127.0.0.1:\(port)" }
        var image: String { "\(address)/sandbox/image:1" }

        /// Runs a registry for as long as the body.
        static func run(_ body: (Registry) async throws -> Void) async throws {
            let program = try TestEnvironment.registry()
            let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
            defer { engine.close() }
            try await withTemporaryDirectory { directory in
                try Data(users.utf8).write(to: directory.appending(path: "users"))
                let port = try PortListener.freePort()
                let configuration = """
                    version: 0.1
                    storage: {filesystem: {rootdirectory: \(directory.appending(path: "data").path)}}
                    http: {addr: "127.0.0.1:\(port)"}
                    auth: {htpasswd: {realm: test, path: \(directory.appending(path: "users").path)}}

                    """
                try Data(configuration.utf8).write(to: directory.appending(path: "registry.yml"))
                let process = try ChildProcess(
                    program,
                    ["serve", directory.appending(path: "registry.yml").path],
                    output: directory.appending(path: "log")
                )
                let registry = Registry(engine: engine, directory: directory, port: port)
                let result: Result<Void, any Error>
                do {
                    try await process.waits(for: "listening on")
                    try #require(process.text.contains("listening on"), "the registry ended: \(process.text)")
                    result = .success(try await body(registry))
                } catch {
                    result = .failure(error)
                }
                process.signal(SIGTERM)
                _ = await process.exitStatus()
                await Task { await registry.forget() }.value
                try result.get()
            }
        }

        /// Removes what the engine has from the registry.
        ///
        /// By names: the image that has one may be there by others too.
        private func forget() async {
            let images = try? await engine.listImages(filters: ["reference": ["\(address)/sandbox/image"]])
            for name in images?.flatMap({ ($0.tags ?? []) + ($0.digests ?? []) }) ?? [] where name.hasPrefix(address) {
                do {
                    try await engine.removeImage(name, force: true)
                } catch let error as DockerEngineError where error.isNotFound {
                    // It went with another name.
                } catch {
                    Issue.record(error, "the image \(name) is left behind")
                }
            }
        }

        /// Puts an image into the registry, which the engine forgets.
        ///
        /// - Returns: its id.
        @discardableResult
        func publish(_ content: String) async throws -> String {
            var context = TarArchive()
            context.addFile("Dockerfile", bytes: Array("FROM \(TestEnvironment.imageWithoutBash)\nCOPY file /\n".utf8))
            // Its own, so that no engine has the layer; large enough that the engine tells how far it is.
            var generator = SystemRandomNumberGenerator()
            let noise = (0..<200_000).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
            context.addFile("file", bytes: Array(content.utf8) + noise)
            for try await _ in try await engine.buildImage(context.body, options: BuildOptions(tags: [image])) {}
            let id = try await engine.inspectImage(image).id
            let pushed = try await engine.pushImage(
                "\(address)/sandbox/image",
                tag: "1",
                credentials: Self.credentials
            )
            for try await _ in pushed {}
            try await engine.removeImage(image, force: true)
            return id
        }

        /// A provider that finds a password where `docker login` leaves it.
        func provider(
            password: String?,
            policy: DockerRuntime.ImagePullPolicy = .whenMissing,
            _ status: @escaping RuntimeStatusCallback = { _ in }
        ) throws -> ImageProvider {
            let home = directory.appending(path: "docker")
            try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
            let auth = password.map { Data("user:\($0)".utf8).base64EncodedString() }
            try Data(#"{"auths":{\#(auth.map { #""\#(address)":{"auth":"\#($0)"}"# } ?? "")}}"#.utf8)
                .write(to: home.appending(path: "config.json"))
            var provider = ImageProvider(engine: engine, status: RuntimeStatusHub(callback: status))
            provider.policy = policy
            provider.environment = ["DOCKER_CONFIG": home.path]
            return provider
        }
    }

    @Test(
        "An image is pulled with what docker login has left, telling how far it is; once, unless it is always asked for"
    )
    func pull() async throws {
        try await Registry.run { registry in
            let first = try await registry.publish("first")
            let updates = Mutex<[RuntimeStatusUpdate]>([])
            let provider = try registry.provider(password: "pass:word") { update in
                updates.withLock { $0.append(update) }
            }
            try await provider.ensure(registry.image)
            #expect(try await registry.engine.inspectImage(registry.image).id == first)
            let told = updates.withLock { $0 }
            #expect(told.allSatisfy { $0.status == .building && $0.message == "Pulling \(registry.image)" })
            let progress = told.compactMap(\.progress)
            #expect(progress.last.map { $0.completed == $0.total && $0.completed > 1_000_000 } == true)
            #expect(progress.map(\.completed) == progress.map(\.completed).sorted())

            // A newer one of the name, while the engine has the older.
            let second = try await registry.publish("second")
            try await registry.engine.tagImage(
                TestEnvironment.imageWithoutBash,
                repository: "\(registry.address)/sandbox/image",
                tag: "1"
            )
            try await provider.ensure(registry.image)
            #expect(try await registry.engine.inspectImage(registry.image).id != second)
            try await registry.provider(password: "pass:word", policy: .always).ensure(registry.image)
            #expect(try await registry.engine.inspectImage(registry.image).id == second)

            // An image that the engine has for another platform isn't the one that is asked for.
            await #expect(throws: DockerRuntimeError.self) {
                try await registry.provider(password: nil).ensure(registry.image, platform: "linux/s390x")
            }
        }
    }

    @Test("Without the password, with a wrong one, or where nothing may be pulled, the error says what to do")
    func refused() async throws {
        try await Registry.run { registry in
            try await registry.publish("image")
            for password in [nil, "wrong"] {
                let error = await #expect(throws: DockerRuntimeError.self) {
                    try await registry.provider(password: password).ensure(registry.image)
                }
                guard case .imageUnavailable(registry.image, let reason)? = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
                #expect(reason.contains("basic auth") || reason.contains("unauthorized"), "\(reason)")
                #expect(error?.description.contains("docker login") == true)
                #expect(error?.description.contains("wrong") == false)
            }
            await #expect(throws: DockerRuntimeError.self) {
                try await registry.provider(password: "pass:word", policy: .never).ensure(registry.image)
            }
            #expect(try await !registry.engine.imageExists(registry.image))
            var explicit = try registry.provider(password: nil)
            explicit.credentials = Registry.credentials
            try await explicit.ensure(registry.image)
            #expect(try await registry.engine.imageExists(registry.image))
        }
    }

    @Test("A helper that isn't there is a warning, and the pull is tried without credentials")
    func missingHelper() async throws {
        try await Registry.run { registry in
            let updates = Mutex<[RuntimeStatusUpdate]>([])
            let provider = try registry.provider(password: nil) { update in updates.withLock { $0.append(update) } }
            let file = registry.directory.appending(path: "docker/config.json")
            try Data(#"{"credsStore":"not-there"}"#.utf8).write(to: file)
            await #expect(throws: DockerRuntimeError.self) { try await provider.ensure(registry.image) }
            let warning = updates.withLock { $0.first { $0.level == .warning } }
            #expect(warning?.message.contains("docker-credential-not-there") == true)
        }
    }
}
