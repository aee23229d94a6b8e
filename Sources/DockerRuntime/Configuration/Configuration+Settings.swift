public import Foundation

extension DockerRuntime.Configuration {
    /// The image that the reference builds on when none is named.
    static let referenceImage = "nikolaik/python-nodejs:python3.12-nodejs22"

    /// Before variables of this process that sandboxes get, without it.
    static let variablePrefix = "SANDBOX_ENV_"

    /// Makes a configuration from environment variables by the reference's names, such as `SANDBOX_VOLUMES`.
    ///
    /// What isn't set has the default of this package; `docs/configuration.md` lists the names.
    ///
    /// - Throws: ``ConfigurationError``, which names the variable.
    public init(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) {
        try self.init(Settings(environment: environment))
    }

    /// Makes a configuration from a JSON file with the reference's sections `core` and `sandbox`, and from environment
    /// variables, which win.
    ///
    /// Other sections, and fields of `core` that concern no sandbox, are left alone.
    ///
    /// - Throws: ``ConfigurationError``, which names the field or variable.
    public init(
        contentsOfFile path: String,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) {
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw .unreadableFile(path: path, reason: error.localizedDescription)
        }
        try self.init(Settings(json: bytes, file: path, environment: environment))
    }

    /// Makes a configuration from settings.
    ///
    /// - Parameter directory: what relative paths of the legacy workspace settings start from.
    init(
        _ settings: Settings,
        directory: String = FileManager.default.currentDirectoryPath
    ) throws(ConfigurationError) {
        self.init(image: Self.referenceImage)
        // The reference always has them; who configures by its names expects them.
        publishesAppPorts = true
        try readImage(settings)
        try readProcess(settings)
        try readNetwork(settings)
        try readFiles(settings, directory)
        try readDevices(settings)
        if let setting = settings.setting(.sandbox, "timeout") { defaultTimeout = try setting.seconds() }
        if let setting = settings.setting(.sandbox, "remote_runtime_init_timeout") {
            startTimeout = try setting.seconds()
        }
        closing.keepsContainer = try settings.setting(.sandbox, "keep_runtime_alive")?.bool() ?? false
        closing.stopsKeptContainer = try settings.setting(.sandbox, "pause_closed_runtimes")?.bool() ?? false
        closing.removesAllContainers = try settings.setting(.sandbox, "rm_all_containers")?.bool() ?? false
        if let setting = settings.setting(.sandbox, "docker_runtime_kwargs") {
            try DockerKeywords(setting).apply(to: &self)
        }
    }

    private mutating func readImage(_ settings: Settings) throws(ConfigurationError) {
        let base = settings.setting(.sandbox, "base_container_image")
        if let base { image = try base.string() }
        platform = try settings.setting(.sandbox, "platform")?.string()
        var build = DockerRuntime.ImageBuild()
        build.extraDependencies = try settings.setting(.sandbox, "runtime_extra_deps")?.string()
        build.arguments = try settings.setting(.sandbox, "runtime_extra_build_args")?.strings() ?? []
        build.isForced = try settings.setting(.sandbox, "force_rebuild_runtime")?.bool() ?? false
        if let repository = settings.variable("OH_RUNTIME_RUNTIME_IMAGE_REPO") {
            build.repository = try repository.string()
        }
        // An image that is named as the finished one is never built on.
        if let finished = settings.setting(.sandbox, "runtime_container_image") {
            image = try finished.string()
        } else if build.extraDependencies != nil || !build.arguments.isEmpty || build.isForced {
            imagePreparation = .build(build)
        }
    }

    private mutating func readProcess(_ settings: Settings) throws(ConfigurationError) {
        if let setting = settings.setting(.core, "workspace_mount_path_in_sandbox") {
            workingDirectory = try setting.string()
            guard workingDirectory.hasPrefix("/") else { throw setting.invalid("an absolute path in the container") }
        }
        user = try containerUser(settings)
        environment = try settings.setting(.sandbox, "runtime_startup_env_vars")?.variables() ?? [:]
        for (name, value) in settings.environment where name.hasPrefix(Self.variablePrefix) {
            let sandboxName = String(name.dropFirst(Self.variablePrefix.count))
            guard EnvironmentVariable.isName(sandboxName) else {
                throw .invalidValue(
                    setting: name,
                    value: "a variable of no usable name",
                    allowed: "letters, digits and _ after \(Self.variablePrefix), no digit first"
                )
            }
            initialEnvironment[sandboxName] = value
        }
        if try settings.setting(.sandbox, "enable_auto_lint")?.bool() == true {
            initialEnvironment["ENABLE_AUTO_LINT"] = "true"
        }
        if var identity = gitIdentity {
            if let setting = settings.setting(.core, "git_user_name") { identity.name = try setting.string() }
            if let setting = settings.setting(.core, "git_user_email") { identity.email = try setting.string() }
            gitIdentity = identity
        }
        // A name that other programs use too, with values of their own: what isn't yes is no, as in the reference.
        if let debug = settings.setting(.core, "debug") { isDebug = (try? debug.bool()) ?? false }
        if try settings.variable("DEBUG_RUNTIME")?.bool() == true {
            containerLogHandler = ContainerLogLine.printToStandardError
        }
    }

    /// The user by the reference's settings, the first that is given of `RUNTIME_UID`, `RUNTIME_USERNAME`, `run_as_openhands` and
    /// `user_id`; nil when none is.
    private func containerUser(_ settings: Settings) throws(ConfigurationError) -> String? {
        let allowed = "a user's number, 0 or above"
        if let setting = settings.variable("RUNTIME_UID") {
            return String(try setting.integer(in: 0...Int(Int32.max), allowed))
        }
        if let setting = settings.variable("RUNTIME_USERNAME") { return try setting.string() }
        if let setting = settings.setting(.core, "run_as_openhands") {
            return try setting.bool() ? "1000:1000" : "0:0"
        }
        if let setting = settings.setting(.sandbox, "user_id") {
            return String(try setting.integer(in: 0...Int(Int32.max), allowed))
        }
        return nil
    }

    private mutating func readNetwork(_ settings: Settings) throws(ConfigurationError) {
        usesHostNetwork = try settings.setting(.sandbox, "use_host_network")?.bool() ?? false
        additionalNetworks = try settings.setting(.sandbox, "additional_networks")?.strings() ?? []
        if let setting = settings.setting(.sandbox, "runtime_binding_address") {
            bindingAddress = try setting.string()
            guard SandboxAddress.isAddress(bindingAddress) else { throw setting.invalid("an IP address") }
        }
        if let setting = settings.setting(.sandbox, "vscode_port") {
            editorPort = try setting.port()
            plugins.insert(.vscode)
        }
        if let setting = settings.setting(.sandbox, "local_runtime_url") {
            runtimeURL = try setting.string()
            guard SandboxAddress.host(ofURL: runtimeURL) != nil else {
                throw setting.invalid("http://HOST, without port and path")
            }
        }
        if let setting = settings.variable("DOCKER_HOST_ADDR") {
            let host = try setting.string()
            guard SandboxAddress.host(ofURL: "http://\(host)") == host else {
                throw setting.invalid("a host's name or address, without port")
            }
            hostAddress = host
            runtimeURL = "http://\(host)"
        }
    }

    private mutating func readFiles(_ settings: Settings, _ directory: String) throws(ConfigurationError) {
        overlayDirectory = try settings.variable("SANDBOX_VOLUME_OVERLAYS")?.string()
        if let setting = settings.setting(.sandbox, "volumes") {
            mounts = try MountNotation.mounts(try setting.string())
            // A mount there is the workspace.
            if mounts.contains(where: { $0.normalizedTarget == "/workspace" }) { workingDirectory = "/workspace" }
        } else if let path = try LegacyWorkspace(settings).path(in: directory) {
            mounts = [DockerRuntime.SandboxMount(.path(path), at: workingDirectory)]
            try mounts[0].validate()
        }
    }

    private mutating func readDevices(_ settings: Settings) throws(ConfigurationError) {
        guard try settings.setting(.sandbox, "enable_gpu")?.bool() == true else { return }
        gpus = .all
        guard let setting = settings.setting(.sandbox, "cuda_visible_devices") else { return }
        let ids = try setting.string().split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard ids.allSatisfy({ !$0.isEmpty }) else { throw setting.invalid("numbers or UUIDs of GPUs, such as 0,1") }
        gpus = .devices(ids)
    }
}

/// The reference's deprecated settings for one mounted directory.
private struct LegacyWorkspace {
    private let base: String?
    private let mountPath: String?
    private let rewrite: Settings.Setting?

    init(_ settings: Settings) throws(ConfigurationError) {
        base = try settings.setting(.core, "workspace_base")?.string()
        mountPath = try settings.setting(.core, "workspace_mount_path")?.string()
        rewrite = settings.setting(.core, "workspace_mount_rewrite")
    }

    /// The directory of the host to mount, absolute; nil for none.
    func path(in directory: String) throws(ConfigurationError) -> String? {
        guard base != nil || mountPath != nil else { return nil }
        func absolute(_ path: String) -> String {
            URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: directory, isDirectory: true)).standardized.path
        }
        let base = base.map(absolute)
        guard let rewrite else { return (mountPath ?? base).map(absolute) }
        // For engines that see this machine's files elsewhere, such as one outside of the container that this runs in.
        let parts = try rewrite.string().split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { throw rewrite.invalid("FROM:TO, two beginnings of paths") }
        return absolute((base ?? directory).replacing(parts[0], with: parts[1]))
    }
}
