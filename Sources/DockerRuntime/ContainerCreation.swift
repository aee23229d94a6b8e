import ActionExecutionClient
import DockerEngine

/// Makes a sandbox's container, and all that it must have before it is started.
struct ContainerCreation {
    let sandbox: SandboxContainer
    let engine: DockerEngineClient
    let status: RuntimeStatusHub

    /// The id of a new container.
    ///
    /// The engine finishes what it began, so the call isn't cut short by cancellation: what was made must be known,
    /// to be removed.
    ///
    /// - Throws: ``DockerRuntimeError``, `DockerEngineError`.
    func create() async throws -> String {
        do {
            return try await createOnce()
        } catch DockerRuntimeError.nameInUse(let name) {
            guard try await OrphanSweep(engine: engine).removePredecessor(named: name, of: sandbox.sessionID) else {
                throw DockerRuntimeError.nameInUse(name: name)
            }
            return try await createOnce()
        }
    }

    private func createOnce() async throws -> String {
        let creating = Task { [sandbox, engine] in
            try await engine.createContainer(sandbox.request, named: sandbox.name).id
        }
        do {
            return try await creating.value
        } catch DockerEngineError.transport(let call, let underlying) {
            // The container may have been made all the same.
            await discardUnanswered()
            throw DockerEngineError.transport(call: call, underlying: underlying)
        } catch let error as DockerEngineError {
            throw StartRefusal.meaning(of: error, name: sandbox.name, socket: sandbox.socket)
        }
    }

    /// Puts a container that doesn't run yet into its networks, and sees to it that the server and its directory are there.
    ///
    /// - Throws: ``DockerRuntimeError``, `DockerEngineError`.
    func prepare(_ container: String) async throws {
        for network in sandbox.configuration.additionalNetworks {
            do {
                try await engine.connectNetwork(network, container: container)
            } catch let error as DockerEngineError where error.isNotFound {
                throw DockerRuntimeError.networkNotFound(name: network)
            }
        }
        try await makeWorkingDirectory(in: container)
        if case .useAsIs = sandbox.configuration.imagePreparation {
            let archive = OwnServerProcess.archive(key: sandbox.sessionAPIKey)
            try await engine.putArchive(archive.body, into: "/", of: container)
        }
        try await sandbox.serverVolume?.complete(
            in: container,
            at: SandboxContainer.serverDirectory,
            image: sandbox.configuration.image,
            on: engine
        )
    }

    /// Makes the working directory for a user by number, who may not be allowed to.
    private func makeWorkingDirectory(in container: String) async throws {
        let directory = sandbox.configuration.workingDirectory
        guard let user = ContainerUser(sandbox.configuration.user), user.id != 0 else { return }
        do {
            _ = try await engine.pathStatus(of: directory, in: container)
        } catch let error as DockerEngineError where error.isNotFound {
            var archive = TarArchive()
            archive.addDirectory(directory, userID: user.id, groupID: user.group)
            try await engine.putArchive(archive.body, into: "/", of: container)
        }
    }

    /// Removes what was made when it won't be used.
    func discard(_ container: String) async {
        do {
            try await engine.removeOwnContainer(container)
        } catch {
            status.publish(.notRemoved(name: sandbox.name, error))
        }
    }

    private func discardUnanswered() async {
        let labels = [Labels.owner: Owner.name, Labels.session: sandbox.sessionID]
        let containers = try? await engine.listContainers(all: true, filters: .labels(labels))
        for container in containers ?? [] where container.names == [sandbox.name] {
            await discard(container.id)
        }
    }
}

/// A user by number.
struct ContainerUser: Sendable, Hashable {
    var id: Int
    /// The group; as engines have it, root's when none is given and the image doesn't know the user.
    var group: Int

    /// Reads `uid` or `uid:gid`; nil for all else, names among them.
    init?(_ text: String?) {
        guard let parts = text?.split(separator: ":", omittingEmptySubsequences: false), (1...2).contains(parts.count),
            let id = Int(parts[0]), let group = parts.count == 2 ? Int(parts[1]) : 0
        else { return nil }
        (self.id, self.group) = (id, group)
    }
}
