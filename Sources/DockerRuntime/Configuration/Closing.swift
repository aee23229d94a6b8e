extension DockerRuntime {
    /// What happens to containers when a runtime is closed; see `docs/lifecycle.md`.
    public struct Closing: Sendable, Hashable {
        /// Whether the container stays, to be connected to again: the reference's `keep_runtime_alive`.
        ///
        /// A runtime with this setting takes over the container that an earlier one of its session has left.
        public var keepsContainer: Bool
        /// Whether a container that stays is stopped: the reference's `pause_closed_runtimes`.
        public var stopsKeptContainer: Bool
        /// Whether all sandboxes of this process are removed: the reference's `rm_all_containers`.
        ///
        /// Others' are left alone, whatever their names, and so are those that are kept.
        public var removesAllContainers: Bool
        /// Seconds that a container gets to come to its end when it is stopped; then it is killed.
        public var stopTime: Double

        /// Makes the default: the container is removed, and no other.
        public init(
            keepsContainer: Bool = false,
            stopsKeptContainer: Bool = false,
            removesAllContainers: Bool = false,
            stopTime: Double = 10
        ) {
            self.keepsContainer = keepsContainer
            self.stopsKeptContainer = stopsKeptContainer
            self.removesAllContainers = removesAllContainers
            self.stopTime = stopTime
        }
    }
}
