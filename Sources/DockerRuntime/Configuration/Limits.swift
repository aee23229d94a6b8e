extension DockerRuntime {
    /// What a container may use.
    public struct Limits: Sendable, Hashable {
        /// Bytes of memory, swap included; a process that wants more is killed.
        ///
        /// Nil for no limit.
        public var memory: Int?
        /// Bytes of memory and swap together, where swap is wanted; -1 for any amount of swap.
        ///
        /// Nil for no swap.
        public var memoryAndSwap: Int?
        /// Processes and threads at a time.
        ///
        /// Nil for no limit.
        public var processes: Int?
        /// Processors, in parts too.
        ///
        /// Nil for all.
        public var processors: Double?
        /// Bytes of the container's log that the engine keeps.
        public var log: Int

        /// Makes limits with the defaults: 4 GiB of memory, 4096 processes, all processors, 10 MiB of log.
        public init() {
            memory = 4 << 30
            memoryAndSwap = nil
            processes = 4096
            processors = nil
            log = 10 << 20
        }
    }
}
