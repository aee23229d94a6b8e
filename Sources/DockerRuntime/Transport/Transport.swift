extension DockerRuntime {
    /// How a runtime talks to the server in its container.
    public enum Transport: Sendable, Hashable {
        /// Over a Unix socket where the engine turns out to share this machine's file system, else over TCP, with a
        /// status that says why.
        ///
        /// Over TCP at once when the configuration is about ports: ``Configuration/runtimeURL``,
        /// ``Configuration/bindingAddress`` or ``Configuration/portPolicy``; or when other processes are to reach the container
        /// later: it is kept, or ``Configuration/sessionAPIKey`` is given.
        case automatic
        /// Over a Unix socket in a directory that only this user can enter: no port is published for the server.
        case unixSocket
        /// Over a published port.
        case tcp
    }
}
