extension DockerRuntime {
    /// Whom git in the sandbox names as the author of commits.
    public struct GitIdentity: Sendable, Hashable {
        /// `user.name`.
        public var name: String
        /// `user.email`.
        public var email: String

        /// Makes an identity; without arguments the reference's.
        public init(name: String = "openhands", email: String = "openhands@all-hands.dev") {
            self.name = name
            self.email = email
        }
    }
}
