import ActionExecutionClient
import DockerEngine
import Foundation

/// Sees to it that the engine has an image.
struct ImageProvider {
    let engine: DockerEngineClient
    let status: RuntimeStatusHub
    /// When the registry is asked.
    var policy = DockerRuntime.ImagePullPolicy.whenMissing
    /// What the registry asks for; nil for what `docker login` has left.
    var credentials: RegistryCredentials?
    /// Where that is looked for.
    var environment = ProcessInfo.processInfo.environment

    /// Pulls the image unless the engine has it or the policy says otherwise, and tells of the progress.
    ///
    /// - Throws: ``DockerRuntimeError/imageUnavailable(image:reason:)``, or `DockerEngineError` when the engine fails.
    func ensure(_ image: String, platform: String? = nil) async throws {
        if policy != .always, try await isThere(image, platform) { return }
        guard policy != .never else {
            throw DockerRuntimeError.imageUnavailable(
                image: image,
                reason: "the engine doesn't have it, and may not pull"
            )
        }
        status.publish(RuntimeStatusUpdate(.building, message: "Pulling \(image)"))
        do {
            var progress = PullProgress()
            let messages = try await engine.pullImage(
                image,
                platform: platform,
                credentials: await credentials(for: image)
            )
            for try await message in messages {
                guard let sum = progress.receive(message) else { continue }
                status.publish(RuntimeStatusUpdate(.building, message: "Pulling \(image)", progress: sum))
            }
        } catch let error as DockerEngineError {
            switch error {
            case .unreachable, .transport: throw error
            case .operationFailed(let message, _), .api(_, let message, _):
                throw DockerRuntimeError.imageUnavailable(image: image, reason: message)
            default: throw DockerRuntimeError.imageUnavailable(image: image, reason: "\(error)")
            }
        }
    }

    /// Whether the engine has the image, and for the platform if one is asked for.
    private func isThere(_ image: String, _ platform: String?) async throws -> Bool {
        do {
            let inspection = try await engine.inspectImage(image)
            return platform.map { ImagePlatform($0).fits(inspection) } ?? true
        } catch let error as DockerEngineError where error.isNotFound {
            return false
        }
    }

    /// The credentials for the image's registry.
    ///
    /// That they can't be looked up is a warning: most images can be pulled without.
    private func credentials(for image: String) async throws -> RegistryCredentials? {
        if let credentials { return credentials }
        do {
            return try await RegistryCredentialStore(environment: environment).credentials(forImage: image)
        } catch let error as RegistryCredentialError {
            let message = "Pulling \(image) without credentials: \(error)"
            status.publish(RuntimeStatusUpdate(.building, level: .warning, message: message))
            return nil
        }
    }
}

/// How far a pull is, over all layers.
///
/// A value without I/O.
struct PullProgress {
    private var layers: [String: RuntimeStatusUpdate.Progress] = [:]
    private var last: RuntimeStatusUpdate.Progress?

    /// Takes a message; returns the bytes that are downloaded of all that are known of, when that has changed.
    ///
    /// Unpacking, which begins anew for each layer, doesn't count: what is counted never becomes less.
    mutating func receive(_ message: ImageProgress) -> RuntimeStatusUpdate.Progress? {
        guard let layer = message.id else { return nil }
        switch message.status {
        case "Downloading":
            guard let progress = message.progress, let total = progress.total, total > 0 else { return nil }
            layers[layer] = RuntimeStatusUpdate.Progress(completed: progress.current ?? 0, total: total)
        case "Download complete", "Pull complete":
            guard let total = layers[layer]?.total else { return nil }
            layers[layer]?.completed = total
        default:
            return nil
        }
        let sum = RuntimeStatusUpdate.Progress(
            completed: layers.values.reduce(0) { $0 + $1.completed },
            total: layers.values.reduce(0) { $0 + ($1.total ?? 0) }
        )
        guard sum != last else { return nil }
        last = sum
        return sum
    }
}

/// A platform as it is asked for: `linux/arm64`, `linux/arm/v7`, or the processor alone.
struct ImagePlatform: Sendable, Hashable {
    private let os: String?
    private let architecture: String
    private let variant: String?

    init(_ text: String) {
        let parts = text.lowercased().split(separator: "/").map(String.init)
        os = parts.count > 1 ? parts[0] : nil
        let name = parts.count > 1 ? parts[1] : parts.first ?? ""
        // The other names that containerd/platforms knows.
        architecture = ["x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"][name] ?? name
        variant = parts.count > 2 ? parts[2] : nil
    }

    /// Whether an image is for this platform; what isn't said of either is no difference.
    func fits(_ image: ImageInspection) -> Bool {
        func agree(_ wanted: String?, _ found: String?) -> Bool {
            guard let wanted, let found, !found.isEmpty else { return true }
            return wanted == found
        }
        return agree(os, image.os) && agree(architecture, image.architecture) && agree(variant, image.variant)
    }
}
