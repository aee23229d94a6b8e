extension DockerRuntime {
    /// Who chooses the ports of this machine that a sandbox is reached by.
    public enum PortPolicy: Sendable, Hashable {
        /// The engine, among those that are free: nothing is to be locked, and nothing can be taken meanwhile.
        ///
        /// With the host's network, where the engine chooses nothing, it is ``PortRanges/standard``.
        case engine
        /// The runtime, from fixed ranges, as the reference does; the port in the container has the same number.
        case ranges(PortRanges)
    }

    /// From where ports are taken, and how runtimes of all processes keep out of each other's way.
    public struct PortRanges: Sendable, Hashable {
        /// For the execution server.
        public var server: ClosedRange<Int>
        /// For the editor in the browser.
        public var editor: ClosedRange<Int>
        /// For what the agent serves; one port from each.
        public var apps: [ClosedRange<Int>]
        /// Where the lock files are; nil for the directory that the reference uses too, in the system's temporary one.
        public var lockDirectory: String?

        /// Makes ranges.
        ///
        /// They must not overlap, or a runtime may find its own choice taken.
        public init(
            server: ClosedRange<Int>,
            editor: ClosedRange<Int>,
            apps: [ClosedRange<Int>],
            lockDirectory: String? = nil
        ) {
            self.server = server
            self.editor = editor
            self.apps = apps
            self.lockDirectory = lockDirectory
        }

        /// The reference's ranges (`openhands/runtime/impl/docker/docker_runtime.py`), for the system that this runs on.
        public static var standard: PortRanges { standard(isWindowsSubsystem: SystemKind.isWindowsSubsystem) }

        /// The lower ranges are Windows' choice: it hands out the ports from 49152 on to others.
        static func standard(isWindowsSubsystem: Bool) -> PortRanges {
            if isWindowsSubsystem {
                return PortRanges(
                    server: 30000...34999,
                    editor: 35000...39999,
                    apps: [40000...44999, 45000...49151]
                )
            }
            return PortRanges(server: 30000...39999, editor: 40000...49999, apps: [50000...54999, 55000...59999])
        }
    }
}
