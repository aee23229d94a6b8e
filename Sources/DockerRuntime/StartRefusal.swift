import DockerEngine

/// What an engine's refusal means for whoever configured the sandbox.
enum StartRefusal {
    /// What engines say when no driver, or none that works, gives containers GPUs, in lower case
    /// (`moby/daemon/devices.go`, and NVIDIA's hook).
    private static let ofGPUs = ["could not select device driver", "nvidia-container-cli", "could not select gpu"]

    /// Names what was wrong with the start of a container; the engine's own error when it is none of ours.
    static func meaning(of error: DockerEngineError, ports: SandboxPorts, networks: [String]) -> any Error {
        guard case .api(_, let message, _) = error else { return error }
        // Docker 20.10 looks for a network only when the container that was put into it is started.
        if error.isNotFound, let network = networks.first(where: { message.contains("network \($0) not found") }) {
            return DockerRuntimeError.networkNotFound(name: network)
        }
        if PortConflict.isTold(by: message) {
            let hosts = ports.all.compactMap(\.host)
            // Engines name the port, as in "Bind for 127.0.0.1:30001 failed: port is already allocated".
            let named = hosts.filter { PortConflict.names($0, in: message) }
            return DockerRuntimeError.portTaken(ports: named.isEmpty ? hosts : named, reason: message)
        }
        let words = message.lowercased()
        if ofGPUs.contains(where: words.contains) { return DockerRuntimeError.gpuUnavailable(reason: message) }
        return error
    }

    /// Names what was wrong with a container that the engine didn't make.
    static func meaning(of error: DockerEngineError, name: String, socket: SocketDirectory?) -> any Error {
        guard case .api(_, let message, _) = error else { return error }
        if let socket, message.contains(socket.sharedPath) {
            return SocketUnavailable(reason: "the engine doesn't share this machine's file system: \(message)")
        }
        if error.isConflict { return DockerRuntimeError.nameInUse(name: name) }
        if message.contains("bind source path does not exist") {
            return DockerRuntimeError.mountSourceMissing(reason: message)
        }
        return error
    }
}
