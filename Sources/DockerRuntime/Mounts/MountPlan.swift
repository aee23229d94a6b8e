import DockerEngine
import Foundation

/// How a sandbox's mounts are put to the engine.
struct MountPlan: Sendable, Hashable {
    /// What the engine mounts, in its long notation, and in its short one what the long one can't say.
    private(set) var mounts: [Mount] = []
    private(set) var binds: [String] = []
    /// Directories of this machine that must exist before the container is made.
    private(set) var directories: [String] = []

    /// What a plan depends on.
    struct Context {
        /// Names the directories for the changes in overlays.
        var containerName: String
        /// Where those are.
        var overlayDirectory: String?
        /// Whether the engine's socket may be mounted.
        var allowsEngineSocket = false
        /// Sockets that give power over the machine.
        var engineSockets: [String] = MountPlan.usualEngineSockets
        /// What the runtime itself mounts.
        var ownTargets = [SandboxContainer.serverDirectory, SocketDirectory.target]
        /// Whether paths of the engine's machine are this machine's.
        var isLocal = true
    }

    /// Sockets by which whoever connects to one gets root on its machine, where they usually are.
    static let usualEngineSockets = [
        "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
        "/run/crio/crio.sock",
    ]

    /// Plans mounts.
    ///
    /// - Throws: ``ConfigurationError/invalidMount(mount:reason:)``.
    init(_ requested: [DockerRuntime.SandboxMount], _ context: Context) throws(ConfigurationError) {
        var targets = Set(context.ownTargets)
        for (index, mount) in requested.enumerated() {
            try mount.validate()
            let target = mount.normalizedTarget
            if context.ownTargets.contains(where: { Self.path(target, isBelow: $0) }) {
                throw .invalidMount(mount: "\(mount)", reason: "the execution server is there")
            }
            guard targets.insert(target).inserted else {
                throw .invalidMount(mount: "\(mount)", reason: "another mount has the target \(target) too")
            }
            switch mount.source {
            case .path(let path), .overlay(let path):
                if !context.allowsEngineSocket, let socket = Self.engineSocket(at: path, context) {
                    throw .invalidMount(
                        mount: "\(mount)",
                        reason: "it would give the sandbox \(socket), and with it the whole machine; "
                            + "set allowsEngineSocket if that is what you want"
                    )
                }
            case .volume: break
            }
            switch mount.source {
            case .path(let path):
                if let label = mount.relabeling {
                    binds.append("\(path):\(target):\(mount.isReadOnly ? "ro," : "")\(label.rawValue)")
                } else {
                    mounts.append(Mount(kind: .bind, source: path, target: target, isReadOnly: mount.isReadOnly))
                }
            case .volume(let name):
                mounts.append(Mount(kind: .volume, source: name, target: target, isReadOnly: mount.isReadOnly))
            case .overlay(let path):
                try addOverlay(of: path, at: target, index: index, mount, context)
            }
        }
    }

    /// An anonymous volume that the engine mounts as an overlay: of the reference's form, so that it finds the same changes.
    private mutating func addOverlay(
        of path: String,
        at target: String,
        index: Int,
        _ mount: DockerRuntime.SandboxMount,
        _ context: Context
    ) throws(ConfigurationError) {
        guard let base = context.overlayDirectory else {
            throw .invalidMount(
                mount: "\(mount)",
                reason: "there is no directory for its changes; set SANDBOX_VOLUME_OVERLAYS (overlayDirectory) to one"
            )
        }
        guard base.hasPrefix("/") else {
            throw .invalidMount(mount: "\(mount)", reason: "SANDBOX_VOLUME_OVERLAYS is \(base); write it from / on")
        }
        guard context.isLocal else {
            throw .invalidMount(
                mount: "\(mount)",
                reason: "the engine is on another machine, where the directory for its changes can't be made"
            )
        }
        for path in [path, base] where path.contains(where: { ",:\\".contains($0) }) {
            throw .invalidMount(mount: "\(mount)", reason: "\(path) has a comma, colon or backslash in it")
        }
        let directory = "\(base)/\(context.containerName)/\(index)"
        let (upper, work) = ("\(directory)/upper", "\(directory)/work")
        directories += [upper, work]
        let options = [
            "type": "overlay", "device": "overlay", "o": "lowerdir=\(path),upperdir=\(upper),workdir=\(work)",
        ]
        mounts.append(
            Mount(
                kind: .volume,
                target: target,
                isReadOnly: mount.isReadOnly,
                volumeOptions: VolumeOptions(
                    labels: [Labels.owner: Owner.name, Labels.role: Labels.overlayRole],
                    driver: VolumeDriver(name: "local", options: options)
                )
            )
        )
    }

    /// Makes the directories that the mounts need.
    ///
    /// They stay when the sandbox goes: what it changed is in them.
    ///
    /// - Throws: ``ConfigurationError/invalidMount(mount:reason:)``.
    func makeDirectories() throws(ConfigurationError) {
        for directory in directories {
            do {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            } catch {
                throw .invalidMount(
                    mount: directory,
                    reason: "the directory can't be made: \(error.localizedDescription)"
                )
            }
        }
    }

    // MARK: Paths

    /// The engine's socket that a path of the host is, contains, or leads to.
    private static func engineSocket(at path: String, _ context: Context) -> String? {
        var paths = [standardized(path)]
        var sockets = context.engineSockets.map(standardized)
        if context.isLocal {
            paths.append(resolved(path))
            sockets += context.engineSockets.map(resolved)
        }
        return sockets.first { socket in paths.contains { Self.path(socket, isBelow: $0) } }
    }

    private static func standardized(_ path: String) -> String {
        URL(fileURLWithPath: path).standardized.path
    }

    /// The path without symbolic links; what doesn't exist stays as it is, below what does.
    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    /// Whether a path is another or lies below it.
    private static func path(_ path: String, isBelow other: String) -> Bool {
        path == other || path.hasPrefix(other == "/" ? "/" : other + "/")
    }
}
