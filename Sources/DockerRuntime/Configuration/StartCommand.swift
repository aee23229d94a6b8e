extension DockerRuntime {
    /// How the server that an image has is started.
    ///
    /// The server takes the arguments of the reference's (`openhands/runtime/utils/command.py`): the port, the working
    /// directory, plugins, and the user to be.
    public struct StartCommand: Sendable, Hashable {
        /// The words before those arguments.
        public var words: [String]
        /// The directory in which it is started.
        public var workingDirectory: String
        /// Whether the server opens a browser for the agent, which takes time and memory.
        public var hasBrowser: Bool

        /// Makes a command.
        public init(words: [String], workingDirectory: String = "/", hasBrowser: Bool = false) {
            self.words = words
            self.workingDirectory = workingDirectory
            self.hasBrowser = hasBrowser
        }

        /// That of the reference's images.
        public static let openHands = openHands()

        /// That of the reference's images, with a module of one's own as the server.
        public static func openHands(
            mainModule: String = "openhands.runtime.action_execution_server",
            hasBrowser: Bool = false
        ) -> StartCommand {
            StartCommand(
                words: [
                    "/openhands/micromamba/bin/micromamba", "run", "-n", "openhands", "poetry", "run", "python", "-u",
                    "-m",
                    mainModule,
                ],
                workingDirectory: "/openhands/code/",
                hasBrowser: hasBrowser
            )
        }
    }
}
