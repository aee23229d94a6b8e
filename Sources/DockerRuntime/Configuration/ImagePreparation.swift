extension DockerRuntime {
    /// What is done to an image before a sandbox runs it.
    public enum ImagePreparation: Sendable, Hashable {
        /// Nothing: the server is brought along in a volume, and the image stays as it is.
        case inject
        /// An image is built on it, once for all sandboxes that ask for the same.
        case build(ImageBuild)
    }

    /// What an image is built with.
    public struct ImageBuild: Sendable, Hashable {
        /// Shell commands that run at the end of the build, such as `pip install numpy`.
        public var extraDependencies: String?
        /// Arguments of the build, as `NAME=value`.
        public var arguments: [String]
        /// Whether to build also when the result is there already.
        public var isForced: Bool

        /// Makes a build that adds nothing.
        public init(extraDependencies: String? = nil, arguments: [String] = [], isForced: Bool = false) {
            self.extraDependencies = extraDependencies
            self.arguments = arguments
            self.isForced = isForced
        }
    }
}
