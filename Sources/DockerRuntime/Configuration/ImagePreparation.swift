extension DockerRuntime {
    /// What is done to an image before a sandbox runs it.
    public enum ImagePreparation: Sendable, Hashable {
        /// Nothing: the server is brought along in a volume, and the image stays as it is.
        case inject
        /// An image with the server is built on it, once for all sandboxes that ask for the same.
        case build(ImageBuild)
        /// Nothing: the image has a server of its own, which is started by a command.
        case useAsIs(StartCommand)
    }

    /// When an image is pulled from its registry.
    public enum ImagePullPolicy: Sendable, Hashable {
        /// When the engine doesn't have it, or not for the platform that is asked for.
        case whenMissing
        /// Before each start, so that a newer one of the same name is found; layers that the engine has aren't transferred.
        case always
        /// Never: an image that the engine doesn't have is an error.
        case never
    }

    /// What an image is built with.
    public struct ImageBuild: Sendable, Hashable {
        /// Shell commands that root runs at the end of the build, such as `pip install numpy`; the first that fails ends it.
        public var extraDependencies: String?
        /// Arguments of the build, as `NAME=value` or in the docker command's notation.
        ///
        /// Those are `--build-arg`, `--network`, `--add-host`, `--label`, `--no-cache` and `--pull`. Values show in the image's
        /// history: no place for secrets.
        public var arguments: [String]
        /// Whether to build also when the result is there already.
        public var isForced: Bool
        /// Where the images are: a name without tag, with or without a registry.
        public var repository: String

        /// The repository unless another is named.
        public static let standardRepository = "swift-docker-runtime/runtime"

        /// Makes a build that adds nothing but the server.
        public init(
            extraDependencies: String? = nil,
            arguments: [String] = [],
            isForced: Bool = false,
            repository: String = standardRepository
        ) {
            self.extraDependencies = extraDependencies
            self.arguments = arguments
            self.isForced = isForced
            self.repository = repository
        }
    }
}
