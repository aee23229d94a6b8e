extension DockerRuntime {
    /// A directory or file of the host, or a volume of the engine, that the sandbox sees.
    public struct SandboxMount: Sendable, Hashable {
        /// What is mounted.
        public enum Source: Sendable, Hashable {
            /// A path of the machine that the engine runs on; it must exist.
            case path(String)
            /// A volume of the engine, by name; the engine makes it when it is missing, and it stays.
            case volume(String)
            /// A directory of the host that the sandbox sees and seems to change, while each sandbox's changes go to a
            /// directory of its own below ``Configuration/overlayDirectory``.
            case overlay(String)
        }

        /// The label that SELinux wants on what a container uses.
        public enum Relabeling: String, Sendable, Hashable {
            /// For all containers: `z`.
            case shared = "z"
            /// For this container alone: `Z`.
            case own = "Z"
        }

        /// What is mounted.
        public var source: Source
        /// The absolute path in the container.
        public var target: String
        /// Whether the sandbox can't change it.
        public var isReadOnly: Bool
        /// Whether the engine relabels the source; only for paths.
        public var relabeling: Relabeling?

        /// Makes a mount.
        public init(_ source: Source, at target: String, isReadOnly: Bool = false, relabeling: Relabeling? = nil) {
            self.source = source
            self.target = target
            self.isReadOnly = isReadOnly
            self.relabeling = relabeling
        }
    }
}

extension DockerRuntime.SandboxMount: CustomStringConvertible {
    /// The mount in the notation of `SANDBOX_VOLUMES`.
    public var description: String {
        let (source, overlay) =
            switch self.source {
            case .path(let path): (path, nil as String?)
            case .volume(let name): ("volume:\(name)", nil)
            case .overlay(let path): (path, "overlay")
            }
        let mode = overlay ?? relabeling?.rawValue ?? (isReadOnly ? "ro" : nil)
        return "\(source):\(target)" + (mode.map { ":\($0)" } ?? "")
    }
}
