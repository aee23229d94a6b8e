import CurlHTTP
import DockerEngine
import SocketTestServer
import Testing

@Suite("An image", .timeLimit(.minutes(3)))
struct ImageTests {
    @Test func livesFromImportToRemoval() async throws {
        try await withEngine { engine, scope in
            let missing = try await engine.imageExists("\(scope.name):latest")
            #expect(!missing)
            let reference = try await scope.image()
            let exists = try await engine.imageExists(reference)
            #expect(exists)
            let inspection = try await engine.inspectImage(reference)
            #expect(inspection.tags == [reference])
            #expect(inspection.configuration?.command == ["/bin/sh"])
            #expect(inspection.os == "linux")
            #expect(inspection.size > 500_000)

            try await engine.tagImage(reference, repository: scope.name, tag: "second")
            let listed = try await engine.listImages(filters: scope.filter)
            #expect(listed.map(\.id) == [inspection.id])
            #expect(Set(listed.first?.tags ?? []) == [reference, "\(scope.name):second"])
            #expect(listed.first?.labels?[EngineScope.labelName] == scope.id)

            let untagged = try await engine.removeImage("\(scope.name):second")
            #expect(untagged.map(\.untagged) == ["\(scope.name):second"])
            let container = try await scope.create(scope.request(reference, "true"))
            let inUse = try await engineError { try await engine.removeImage(reference) }
            #expect(inUse?.isConflict == true)
            try await engine.removeContainer(container)
            let removed = try await engine.removeImage(reference)
            #expect(removed.contains { $0.deleted == inspection.id })
            let gone = try await engineError { try await engine.inspectImage(reference) }
            #expect(gone?.isNotFound == true)
        }
    }

    @Test func isMadeFromAContainer() async throws {
        try await withEngine { engine, scope in
            let image = try await scope.image()
            let id = try await scope.run("echo kept > /tmp/file", image: image)
            _ = try await engine.waitContainer(id)
            let snapshot = try await engine.commitContainer(
                id,
                repository: scope.name,
                tag: "snapshot",
                comment: "test",
                changes: ["ENV A=b"]
            )
            scope.atEnd { try await engine.removeImage(snapshot, force: true) }
            let output = try await scope.output(of: "cat /tmp/file; echo $A", image: "\(scope.name):snapshot")
            #expect(output == "kept\nb\n")
        }
    }

    @Test func goesThroughAnArchive() async throws {
        try await withEngine { engine, scope in
            let reference = try await scope.image()
            let id = try await engine.inspectImage(reference).id
            let archive = try await engine.saveImage(reference).collect(upTo: 64 << 20)
            try await engine.removeImage(reference)
            let loaded = try await engine.loadImages(.bytes(archive))
            #expect(loaded == ["Loaded image: \(reference)"])
            let back = try await engine.inspectImage(reference).id
            #expect(back == id)
        }
    }

    @Test func isBuiltFromADockerfile() async throws {
        try await withEngine { engine, scope in
            let base = try await scope.image()
            var context = TarArchive()
            context.addFile(
                "sub/Dockerfile",
                bytes: Array(
                    "FROM \(base)\nARG WORD\nCOPY file /file\nRUN echo built $WORD && cat /file > /copy\n".utf8
                )
            )
            context.addFile("file", bytes: Array("text\n".utf8))
            var options = BuildOptions(tags: ["\(scope.name):built"])
            options.dockerfile = "sub/Dockerfile"
            options.arguments = ["WORD": "wörd"]
            options.labels = scope.label
            options.networkMode = "none"
            scope.atEnd { try await engine.removeImage("\(scope.name):built", force: true) }
            var output = ""
            var id: String?
            for try await progress in try await engine.buildImage(context.body, options: options) {
                output += progress.stream ?? ""
                id = progress.aux?.imageID ?? id
            }
            #expect(output.contains("built wörd"))
            let inspection = try await engine.inspectImage("\(scope.name):built")
            #expect(inspection.id == id)
            #expect(inspection.configuration?.labels?[EngineScope.labelName] == scope.id)

            var broken = TarArchive()
            broken.addFile("Dockerfile", bytes: Array("FROM \(base)\nRUN exit 9\n".utf8))
            var brokenOptions = BuildOptions(tags: ["\(scope.name):broken"])
            brokenOptions.networkMode = "none"
            let error = try await engineError {
                for try await _ in try await engine.buildImage(broken.body, options: brokenOptions) {}
            }
            guard case .operationFailed(let message, let call) = error else {
                Issue.record("\(error.map(String.init(describing:)) ?? "no error")")
                return
            }
            #expect(message.contains("9"))
            #expect(call == "POST /build")
        }
    }

    @Test func isPulledWithProgressAndCredentials() async throws {
        try await withEngine { engine, scope in
            var archive = EngineScope.rootArchive()
            // So that the layer is this test's own, and not one that the engine has already.
            archive.addFile("etc/unique", bytes: Array(scope.id.utf8))
            let registry = try await TestRegistry(layer: archive)
            defer { registry.server.stop() }
            let reference = "\(registry.address)/image:1"
            let credentials = RegistryCredentials(
                username: TestRegistry.user,
                password: TestRegistry.password,
                serverAddress: registry.address
            )
            scope.atEnd { try await engine.removeImage(reference, force: true) }
            var progress: [ImageProgress] = []
            for try await message in try await engine.pullImage(reference, credentials: credentials) {
                progress.append(message)
            }
            #expect(progress.contains { $0.status == "Pull complete" && $0.id != nil })
            let downloading = progress.compactMap(\.progress).filter { ($0.total ?? 0) > 0 }
            #expect(downloading.contains { ($0.current ?? 0) > 0 && ($0.current ?? 0) <= ($0.total ?? 0) })
            let inspection = try await engine.inspectImage(reference)
            #expect(inspection.configuration?.labels == ["from": "registry"])

            let unknown = try await engineError {
                for try await _ in try await engine.pullImage("\(registry.address)/image:2", credentials: credentials) {
                }
            }
            // The status is 404 only with newer engines.
            #expect(unknown?.description.contains("manifest unknown") == true)
            let wrong = RegistryCredentials(username: "x", password: "y", serverAddress: registry.address)
            let refused = try await engineError {
                for try await _ in try await engine.pullImage(reference, credentials: wrong) {}
            }
            #expect(refused?.status == 500)
        }
    }

    @Test func ofAnUnreachableRegistryIsAnErrorWithItsReason() async throws {
        try await withEngine { engine, _ in
            let (descriptor, port) = try Socket.boundToLoopback()
            defer { Socket.close(descriptor) }
            let error = try await engineError {
                for try await _ in try await engine.pullImage("127.0.0.1:\(port)/none") {}
            }
            #expect(error?.description.contains("connection refused") == true)
            #expect(error?.description.contains("POST /images/create") == true)
        }
    }

    @Test func credentialsStayOutOfDescriptions() {
        let credentials = RegistryCredentials(username: "u", password: "hunter2", identityToken: "hunter3")
        #expect(!"\(credentials)".contains("hunter"))
    }

    @Test func unreadableArchivesAreRefused() async throws {
        try await withEngine { engine, scope in
            let error = try await engineError {
                try await engine.importImage(
                    .bytes([UInt8](repeating: 1, count: 2000)),
                    repository: scope.name,
                    tag: "bad"
                )
            }
            #expect(error != nil)
            let exists = try await engine.imageExists("\(scope.name):bad")
            #expect(!exists)
        }
    }
}
