import EventStream

/// What an image is built from, and what it is called for that.
///
/// A value without I/O. There are two images. The first has what the commands of the build install; its tag is a hash of all
/// that can change its content. The second is the first with the server's program, and its tag has a hash of that too: with
/// another version of the program, nothing is installed again.
struct ImageRecipe: Sendable, Hashable {
    /// Raised when the same recipe comes to mean another content: images that were built before are left alone.
    static let version = 1

    /// The base image's name.
    let base: String
    /// The base image's id, which tells one version from the next of the same name.
    let baseID: String
    /// The user whom the base image's processes run as; empty for root.
    let baseUser: String
    /// The platform that is asked for; nil for the engine's own.
    let platform: String?
    /// The commands.
    let extraDependencies: String?
    /// The options of the build.
    let arguments: BuildArguments
    /// The repository that the images are in.
    let repository: String
    /// The hash of the server's program.
    let serverHash: String

    // MARK: Names

    /// The tag of the image without the server: the first 16 digits of a SHA-256 digest.
    ///
    /// Hashed are lines of a field's name, the length of its value in bytes, and its value: what the base is by content,
    /// and what is done to it. Options that change how it is done (cache, pull) are not.
    var lockTag: String {
        var text = ""
        func add(_ name: String, _ value: String) { text += "\(name) \(value.utf8.count) \(value)\n" }
        add("base", baseID)
        add("platform", platform ?? "")
        add("dependencies", extraDependencies ?? "")
        for (name, value) in arguments.values.sorted(by: { $0.key < $1.key }) { add("argument", "\(name)=\(value)") }
        for (name, value) in arguments.labels.sorted(by: { $0.key < $1.key }) { add("label", "\(name)=\(value)") }
        for host in arguments.hosts.sorted() { add("host", host) }
        add("network", arguments.network ?? "")
        return "v\(Self.version)_\(SHA256.hexadecimal(SHA256.digest(text).prefix(8)))"
    }

    /// The tag of the finished image.
    var sourceTag: String { "\(lockTag)_\(serverHash)" }

    /// A tag by the base image's name, for people: it goes to the image that was built last on it.
    ///
    /// A tag has 128 characters at most (`distribution/reference`).
    var versionedTag: String {
        let name = base.lowercased().map { character in
            switch character {
            case "/": "_s_"
            case ":": "_t_"
            case "@": "_d_"
            default: String(character)
            }
        }.joined()
        return "v\(Self.version)_\(name.suffix(96))"
    }

    /// The image with what the commands install.
    var lockImage: String { "\(repository):\(lockTag)" }

    /// The finished image.
    var image: String { "\(repository):\(sourceTag)" }

    // MARK: Dockerfiles

    /// The Dockerfile of the image without the server.
    var dependenciesDockerfile: String {
        var lines = ["FROM \(base)"]
        lines += arguments.values.keys.sorted().map { "ARG \($0)" }
        if let extraDependencies {
            // The form with JSON takes commands of several lines, which the engine's own builder has no other form for.
            let command = JSONValue.array(["/bin/sh", "-ec", .string(extraDependencies)])
            let isRoot = ["", "0", "root"].contains(baseUser.prefix { $0 != ":" })
            if !isRoot { lines.append("USER 0") }
            lines.append("RUN \(command)")
            if !isRoot { lines.append("USER \(baseUser)") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The Dockerfile of the finished image, whose context has the server's program.
    var serverDockerfile: String {
        let program = ServerVolume.programName
        return "FROM \(lockImage)\nCOPY \(program) \(SandboxContainer.serverDirectory)/\(program)\n"
    }
}
