extension DockerRuntime {
    /// What happens to containers when a runtime is closed.
    public struct Closing: Sendable, Hashable {
        /// Whether the container stays: the reference's `keep_runtime_alive`.
        public var keepsContainer: Bool
        /// Whether a container that stays is stopped: the reference's `pause_closed_runtimes`.
        public var stopsKeptContainer: Bool
        /// Whether all sandboxes of this process are removed: the reference's `rm_all_containers`.
        ///
        /// Others' are left alone, whatever their names.
        public var removesAllContainers: Bool

        /// Makes the default: the container is removed, and no other.
        public init(
            keepsContainer: Bool = false,
            stopsKeptContainer: Bool = false,
            removesAllContainers: Bool = false
        ) {
            self.keepsContainer = keepsContainer
            self.stopsKeptContainer = stopsKeptContainer
            self.removesAllContainers = removesAllContainers
        }
    }
}
