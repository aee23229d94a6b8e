import EventStream

/// A value of a setting, in whatever notation it was written.
typealias SettingValue = JSONValue

/// Settings by the reference's names, from a file and from environment variables.
///
/// A value without I/O. A variable wins over the file; an empty one counts as not set, as in the reference
/// (`openhands/core/config/utils.py`).
struct Settings {
    /// The sections of a configuration that concern a sandbox.
    enum Section: String {
        /// The application's own, whose variables have no prefix.
        case core
        /// The sandbox's, whose variables begin with `SANDBOX_`.
        case sandbox

        func variable(_ name: String) -> String {
            (self == .sandbox ? "SANDBOX_" : "") + name.uppercased()
        }
    }

    /// A setting that was given: what it is called where it was, and its value.
    struct Setting {
        var name: String
        var value: SettingValue
        /// Whether it is the text of a variable, which stands for other types too.
        var isText: Bool

        func invalid(_ allowed: String, isSecret: Bool = false) -> ConfigurationError {
            let text = isSecret ? "not shown" : value.stringValue.map { "\"\($0)\"" } ?? "\(value)"
            let shown = text.count > 200 ? text.prefix(200) + "…" : text[...]
            return .invalidValue(setting: name, value: String(shown), allowed: allowed)
        }
    }

    let environment: [String: String]
    private let sections: [Section: JSONObject]
    private let file: String

    /// Settings from variables alone.
    init(environment: [String: String]) {
        self.environment = environment
        sections = [:]
        file = ""
    }

    /// Settings from a file's bytes and from variables.
    ///
    /// - Parameter file: names the file in errors.
    /// - Throws: ``ConfigurationError``: it isn't JSON, a section isn't an object, or `sandbox` has unknown fields.
    init(json: [UInt8], file: String, environment: [String: String]) throws(ConfigurationError) {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: json)
        } catch {
            throw .unreadableFile(path: file, reason: "\(error)")
        }
        guard case .object(let root) = document else {
            throw .unreadableFile(path: file, reason: "it is not an object with sections such as sandbox")
        }
        var sections: [Section: JSONObject] = [:]
        for section in [Section.core, .sandbox] {
            guard let value = root[section.rawValue] else { continue }
            guard case .object(let object) = value else {
                throw .unreadableFile(path: file, reason: "its section \(section.rawValue) is not an object")
            }
            sections[section] = object
        }
        let unknown = Set(sections[.sandbox]?.keys ?? []).subtracting(SettingNames.sandbox)
        guard unknown.isEmpty else {
            throw .unknownFields(unknown.sorted(), file: file, known: SettingNames.sandbox.sorted())
        }
        self.environment = environment
        self.sections = sections
        self.file = file
    }

    /// A setting; nil when it isn't given.
    func setting(_ section: Section, _ name: String) -> Setting? {
        let variable = section.variable(name)
        if let text = environment[variable], !text.isEmpty {
            return Setting(name: variable, value: .string(text), isText: true)
        }
        guard let value = sections[section]?[name], !value.isNull else { return nil }
        return Setting(name: "\(section.rawValue).\(name) in \(file)", value: value, isText: false)
    }

    /// A variable that belongs to no section.
    func variable(_ name: String) -> Setting? {
        environment[name].flatMap {
            $0.isEmpty ? nil : Setting(name: name, value: .string($0), isText: true)
        }
    }
}

/// The names of settings.
enum SettingNames {
    /// All fields of the reference's `SandboxConfig` (`openhands/core/config/sandbox_config.py`).
    static let sandbox: Set<String> = read.union(otherRuntimes)

    /// Those that mean something here.
    static let read: Set<String> = [
        "additional_networks", "base_container_image", "cuda_visible_devices", "docker_runtime_kwargs",
        "enable_auto_lint", "enable_gpu", "force_rebuild_runtime", "keep_runtime_alive", "local_runtime_url",
        "pause_closed_runtimes", "platform", "remote_runtime_init_timeout", "rm_all_containers",
        "runtime_binding_address", "runtime_container_image", "runtime_extra_build_args", "runtime_extra_deps",
        "runtime_startup_env_vars", "timeout", "use_host_network", "user_id", "volumes", "vscode_port",
    ]

    /// Those for other runtimes, or for the application: they are known, and change nothing.
    static let otherRuntimes: Set<String> = [
        "api_key", "browsergym_eval_env", "close_delay", "initialize_plugins", "remote_runtime_api_timeout",
        "remote_runtime_api_url", "remote_runtime_class", "remote_runtime_enable_retries",
        "remote_runtime_resource_factor", "selected_repo", "trusted_dirs",
    ]
}
