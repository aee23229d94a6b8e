import DockerEngine
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// What is read by the reference's names, from variables and from files.
@Suite
struct SettingsTests {
    private func configuration(_ environment: [String: String]) throws -> DockerRuntime.Configuration {
        try DockerRuntime.Configuration(environment: environment)
    }

    /// Reads a file with this content.
    private func configuration(
        file: String,
        environment: [String: String] = [:]
    ) async throws -> DockerRuntime.Configuration {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "config.json").path
            try Data(file.utf8).write(to: URL(fileURLWithPath: path))
            return try DockerRuntime.Configuration(contentsOfFile: path, environment: environment)
        }
    }

    @Test("Without settings, the defaults hold: safe ones, and the reference's image and app ports")
    func defaults() throws {
        let configuration = try configuration([:])
        #expect(configuration.image == "nikolaik/python-nodejs:python3.12-nodejs22")
        #expect(configuration.imagePreparation == .inject)
        #expect(configuration.bindingAddress == "127.0.0.1")
        #expect(configuration.portPolicy == .engine)
        #expect(configuration.publishesAppPorts)
        #expect(configuration.limits == DockerRuntime.Limits())
        #expect(configuration.capabilities == DockerRuntime.Configuration.shellCapabilities)
        #expect(configuration.defaultTimeout == 120)
        #expect(configuration.mounts == [])
        #expect(configuration.closing == DockerRuntime.Closing())
        #expect(
            configuration.gitIdentity == DockerRuntime.GitIdentity(name: "openhands", email: "openhands@all-hands.dev")
        )
        #expect(configuration.containerLogHandler == nil)
        #expect(configuration.user == nil)
        #expect(configuration.gpus == nil)
    }

    @Test("An empty variable counts as not set")
    func empty() throws {
        let names = SettingNames.read.map { "SANDBOX_\($0.uppercased())" }
        let empty = Dictionary(names.map { ($0, "") }) { first, _ in first }
        #expect(try configuration(empty).image == configuration([:]).image)
    }

    @Test("Image settings: the base image, or the finished one, which wins and is not built on")
    func images() throws {
        #expect(try configuration(["SANDBOX_BASE_CONTAINER_IMAGE": "debian:12"]).image == "debian:12")
        let finished = try configuration([
            "SANDBOX_BASE_CONTAINER_IMAGE": "debian:12", "SANDBOX_RUNTIME_CONTAINER_IMAGE": "mine:1",
            "SANDBOX_RUNTIME_EXTRA_DEPS": "pip install numpy",
        ])
        #expect(finished.image == "mine:1")
        #expect(finished.imagePreparation == .inject)
        #expect(try configuration(["SANDBOX_PLATFORM": "linux/arm64"]).platform == "linux/arm64")
    }

    @Test("Build settings make a build of the base image")
    func builds() throws {
        let configuration = try configuration([
            "SANDBOX_RUNTIME_EXTRA_DEPS": "pip install numpy",
            "SANDBOX_RUNTIME_EXTRA_BUILD_ARGS": "['--network=host', '--add-host=a:127.0.0.1']",
            "SANDBOX_FORCE_REBUILD_RUNTIME": "true",
        ])
        let build = DockerRuntime.ImageBuild(
            extraDependencies: "pip install numpy",
            arguments: ["--network=host", "--add-host=a:127.0.0.1"],
            isForced: true
        )
        #expect(configuration.imagePreparation == .build(build))
        try configuration.validate()
        let elsewhere = try self.configuration([
            "SANDBOX_RUNTIME_EXTRA_DEPS": "true", "OH_RUNTIME_RUNTIME_IMAGE_REPO": "example.com/me/runtime",
        ])
        let expected = DockerRuntime.ImageBuild(extraDependencies: "true", repository: "example.com/me/runtime")
        #expect(elsewhere.imagePreparation == .build(expected))
        // Alone it says where builds go, not that there is to be one.
        #expect(try self.configuration(["OH_RUNTIME_RUNTIME_IMAGE_REPO": "me/runtime"]).imagePreparation == .inject)
        let unknown = try self.configuration(["SANDBOX_RUNTIME_EXTRA_BUILD_ARGS": "['--squash']"])
        #expect(throws: ConfigurationError.self) { try unknown.validate() }
    }

    @Test("Network settings: the host's network, binding address, further networks, where ports are reached")
    func network() throws {
        let configuration = try configuration([
            "SANDBOX_USE_HOST_NETWORK": "TRUE", "SANDBOX_RUNTIME_BINDING_ADDRESS": "0.0.0.0",
            "SANDBOX_ADDITIONAL_NETWORKS": #"["one", "two"]"#, "SANDBOX_VSCODE_PORT": "41234",
            "SANDBOX_LOCAL_RUNTIME_URL": "http://host.docker.internal",
        ])
        #expect(configuration.usesHostNetwork)
        #expect(configuration.bindingAddress == "0.0.0.0")
        #expect(configuration.additionalNetworks == ["one", "two"])
        #expect(configuration.editorPort == 41234)
        #expect(configuration.plugins == [.vscode])
        #expect(configuration.runtimeURL == "http://host.docker.internal")
        #expect(configuration.hostAddress == nil)
    }

    @Test("DOCKER_HOST_ADDR wins over the runtime's URL, as in the reference")
    func hostAddress() throws {
        let configuration = try configuration([
            "DOCKER_HOST_ADDR": "192.0.2.7", "SANDBOX_LOCAL_RUNTIME_URL": "http://other",
        ])
        #expect(configuration.runtimeURL == "http://192.0.2.7")
        #expect(configuration.hostAddress == "192.0.2.7")
    }

    @Test("Variables for the sandbox: at its start, and the initial ones by their prefix")
    func variables() throws {
        let configuration = try configuration([
            "SANDBOX_RUNTIME_STARTUP_ENV_VARS": "{'A': 'it\\'s', 'b': ''}", "SANDBOX_ENV_TOKEN": "secret",
            "SANDBOX_ENV_EMPTY": "", "SANDBOX_ENABLE_AUTO_LINT": "true",
        ])
        #expect(configuration.environment == ["A": "it's", "b": ""])
        #expect(configuration.initialEnvironment == ["TOKEN": "secret", "EMPTY": "", "ENABLE_AUTO_LINT": "true"])
    }

    @Test("Times, debug output and git's identity")
    func others() throws {
        let configuration = try configuration([
            "SANDBOX_TIMEOUT": "30", "SANDBOX_REMOTE_RUNTIME_INIT_TIMEOUT": "7.5", "DEBUG": "1", "DEBUG_RUNTIME": "yes",
            "GIT_USER_NAME": "Ada", "GIT_USER_EMAIL": "ada@example.com",
        ])
        #expect(configuration.defaultTimeout == 30)
        #expect(configuration.startTimeout == 7.5)
        #expect(configuration.isDebug)
        #expect(configuration.containerLogHandler != nil)
        #expect(configuration.gitIdentity == DockerRuntime.GitIdentity(name: "Ada", email: "ada@example.com"))
        // Others use the name too.
        #expect(try self.configuration(["DEBUG": "express:*"]).isDebug == false)
    }

    @Test(
        "The user comes from the first that is given of RUNTIME_UID, RUNTIME_USERNAME, RUN_AS_OPENHANDS, SANDBOX_USER_ID",
        arguments: [
            (["RUNTIME_UID": "7", "RUNTIME_USERNAME": "a", "RUN_AS_OPENHANDS": "false", "SANDBOX_USER_ID": "9"], "7"),
            (["RUNTIME_USERNAME": "a", "RUN_AS_OPENHANDS": "false", "SANDBOX_USER_ID": "9"], "a"),
            (["RUN_AS_OPENHANDS": "false", "SANDBOX_USER_ID": "9"], "0:0"),
            (["RUN_AS_OPENHANDS": "true"], "1000:1000"),
            (["SANDBOX_USER_ID": "9"], "9"),
        ] as [([String: String], String)]
    )
    func user(_ environment: [String: String], _ user: String) throws {
        #expect(try configuration(environment).user == user)
    }

    @Test("GPUs: all, or those that are named; the names alone ask for none")
    func gpus() throws {
        #expect(try configuration(["SANDBOX_ENABLE_GPU": "true"]).gpus == .all)
        let some = try configuration(["SANDBOX_ENABLE_GPU": "true", "SANDBOX_CUDA_VISIBLE_DEVICES": "0, 2"])
        #expect(some.gpus == .devices(["0", "2"]))
        #expect(try configuration(["SANDBOX_CUDA_VISIBLE_DEVICES": "0"]).gpus == nil)
        #expect(DockerRuntime.GPUDevices.all.request == DeviceRequest(count: -1, capabilities: [["gpu"]]))
        #expect(
            DockerRuntime.GPUDevices.devices(["0", "2"]).request
                == DeviceRequest(deviceIDs: ["0", "2"], capabilities: [["gpu"]])
        )
    }

    @Test("What happens at the end: kept, stopped, all removed")
    func closing() throws {
        let configuration = try configuration([
            "SANDBOX_KEEP_RUNTIME_ALIVE": "1", "SANDBOX_PAUSE_CLOSED_RUNTIMES": "true",
            "SANDBOX_RM_ALL_CONTAINERS": "true",
        ])
        #expect(
            configuration.closing
                == DockerRuntime.Closing(keepsContainer: true, stopsKeptContainer: true, removesAllContainers: true)
        )
    }

    // MARK: Mounts

    @Test("Volumes are mounted, and win over the legacy workspace")
    func volumes() throws {
        let configuration = try configuration([
            "SANDBOX_VOLUMES": "/src:/workspace:rw,cache:/cache:ro", "WORKSPACE_BASE": "/elsewhere",
            "WORKSPACE_MOUNT_PATH_IN_SANDBOX": "/else", "SANDBOX_VOLUME_OVERLAYS": "/overlays",
        ])
        #expect(
            configuration.mounts == [
                DockerRuntime.SandboxMount(.path("/src"), at: "/workspace"),
                DockerRuntime.SandboxMount(.volume("cache"), at: "/cache", isReadOnly: true),
            ]
        )
        #expect(configuration.workingDirectory == "/workspace")
        #expect(configuration.overlayDirectory == "/overlays")
    }

    @Test(
        "The legacy workspace: its base, or its mount path, made absolute, rewritten where asked",
        arguments: [
            (["WORKSPACE_BASE": "project"], "/here/project"),
            (["WORKSPACE_BASE": "/a/../b"], "/b"),
            (["WORKSPACE_BASE": "/a", "WORKSPACE_MOUNT_PATH": "/c"], "/c"),
            (["WORKSPACE_MOUNT_PATH": "x/y"], "/here/x/y"),
            (["WORKSPACE_BASE": "/opt/app/work", "WORKSPACE_MOUNT_REWRITE": "/opt/app:/host"], "/host/work"),
        ] as [([String: String], String)]
    )
    func legacyWorkspace(_ environment: [String: String], _ path: String) throws {
        var environment = environment
        environment["WORKSPACE_MOUNT_PATH_IN_SANDBOX"] = "/code"
        let configuration = try DockerRuntime.Configuration(Settings(environment: environment), directory: "/here")
        #expect(configuration.mounts == [DockerRuntime.SandboxMount(.path(path), at: "/code")])
        #expect(configuration.workingDirectory == "/code")
    }

    // MARK: Files

    @Test("A file has the reference's sections; a variable wins over it; what concerns no sandbox is left alone")
    func file() async throws {
        let configuration = try await configuration(
            file: """
                {
                  "core": {"git_user_name": "Ada", "debug": true, "max_iterations": 5, "run_as_openhands": false},
                  "llm": {"model": "any"},
                  "sandbox": {
                    "timeout": 20, "base_container_image": "debian:12", "use_host_network": false, "platform": null,
                    "additional_networks": ["one"], "runtime_startup_env_vars": {"A": "1"}, "vscode_port": 41000,
                    "close_delay": 1, "docker_runtime_kwargs": {"mem_limit": "1g"}
                  }
                }
                """,
            environment: ["SANDBOX_TIMEOUT": "40"]
        )
        #expect(configuration.defaultTimeout == 40)
        #expect(configuration.image == "debian:12")
        #expect(configuration.additionalNetworks == ["one"])
        #expect(configuration.environment == ["A": "1"])
        #expect(configuration.editorPort == 41000)
        #expect(configuration.gitIdentity?.name == "Ada")
        #expect(configuration.isDebug)
        #expect(configuration.user == "0:0")
        #expect(configuration.platform == nil)
        #expect(configuration.limits.memory == 1 << 30)
    }

    @Test("All fields of the reference's sandbox section are known, and an unknown one is named")
    func unknownFields() async throws {
        let error = try await #require(throws: ConfigurationError.self) {
            try await configuration(file: #"{"sandbox": {"timeuot": 1, "volume": "x", "timeout": 2}}"#)
        }
        guard case .unknownFields(let fields, _, let known) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(fields == ["timeuot", "volume"])
        #expect(known.count == 34)
        #expect("\(error)".contains("timeuot, volume"))
    }

    @Test(
        "A file that can't be used says why",
        arguments: [
            ("{", "invalid JSON at byte 1"), ("[]", "not an object"), (#"{"sandbox": []}"#, "section sandbox"),
        ]
    )
    func badFile(_ text: String, _ reason: String) async throws {
        let error = try await #require(throws: ConfigurationError.self) { try await configuration(file: text) }
        #expect("\(error)".contains(reason))
    }

    @Test("A file that isn't there is named")
    func missingFile() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try DockerRuntime.Configuration(contentsOfFile: "/nowhere/config.json", environment: [:])
        }
        #expect("\(error)".contains("/nowhere/config.json"))
    }

    // MARK: Bad values

    @Test(
        "A bad value is named with its variable, and with what is allowed",
        arguments: [
            ("SANDBOX_TIMEOUT", "soon", "a number of seconds above 0"),
            ("SANDBOX_TIMEOUT", "-1", "a number of seconds above 0"),
            ("SANDBOX_TIMEOUT", "nan", "a number of seconds above 0"),
            ("SANDBOX_REMOTE_RUNTIME_INIT_TIMEOUT", "0", "a number of seconds above 0"),
            ("SANDBOX_USE_HOST_NETWORK", "maybe", "true or false"),
            ("SANDBOX_KEEP_RUNTIME_ALIVE", "2", "true or false"),
            ("SANDBOX_VSCODE_PORT", "65536", "a port from 1 to 65535"),
            ("SANDBOX_VSCODE_PORT", "http", "a port from 1 to 65535"),
            ("SANDBOX_RUNTIME_BINDING_ADDRESS", "localhost", "an IP address"),
            ("SANDBOX_LOCAL_RUNTIME_URL", "localhost", "http://HOST, without port and path"),
            ("SANDBOX_LOCAL_RUNTIME_URL", "http://localhost:80", "http://HOST, without port and path"),
            ("DOCKER_HOST_ADDR", "http://host", "a host's name or address, without port"),
            ("DOCKER_HOST_ADDR", "host:1", "a host's name or address, without port"),
            ("SANDBOX_ADDITIONAL_NETWORKS", "one", "a list of strings"),
            ("SANDBOX_ADDITIONAL_NETWORKS", "[1]", "a list of strings"),
            ("SANDBOX_RUNTIME_EXTRA_BUILD_ARGS", "{}", "a list of strings"),
            ("SANDBOX_DOCKER_RUNTIME_KWARGS", "mem_limit=1g", "an object"),
            ("SANDBOX_USER_ID", "-1", "a user's number, 0 or above"),
            ("RUNTIME_UID", "root", "a user's number, 0 or above"),
            ("WORKSPACE_MOUNT_PATH_IN_SANDBOX", "work", "an absolute path in the container"),
            ("DEBUG_RUNTIME", "express:*", "true or false"),
        ]
    )
    func badValues(_ name: String, _ value: String, _ allowed: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try configuration([name: value]) }
        guard case .invalidValue(let setting, let shown, let what) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(setting == name)
        #expect(shown.contains(value))
        #expect(what.hasPrefix(allowed))
    }

    @Test("Bad GPU names and a bad rewriting of the workspace are named too")
    func badCombinations() throws {
        for (environment, name) in [
            (["SANDBOX_ENABLE_GPU": "1", "SANDBOX_CUDA_VISIBLE_DEVICES": "0,,1"], "SANDBOX_CUDA_VISIBLE_DEVICES"),
            (["WORKSPACE_BASE": "/a", "WORKSPACE_MOUNT_REWRITE": "/a"], "WORKSPACE_MOUNT_REWRITE"),
            (["SANDBOX_ENV_1": "x"], "SANDBOX_ENV_1"), (["SANDBOX_ENV_": "x"], "SANDBOX_ENV_"),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try configuration(environment) }
            #expect("\(error)".hasPrefix("\(name) is "))
        }
    }

    @Test("Values that may be secret are in no error")
    func secrets() throws {
        for value in ["{'A': 'hush'", "{'A B': 'hush'}", "{'A': ['hush']}", "['hush']"] {
            let error = try #require(throws: ConfigurationError.self) {
                try configuration(["SANDBOX_RUNTIME_STARTUP_ENV_VARS": value])
            }
            #expect("\(error)".contains("SANDBOX_RUNTIME_STARTUP_ENV_VARS"))
            #expect(!"\(error)".contains("hush"))
        }
        let error = try #require(throws: ConfigurationError.self) { try configuration(["SANDBOX_ENV_A-B": "hush"]) }
        #expect(!"\(error)".contains("hush"))
    }

    @Test("A field of a file is named with its section and its file; a number in quotes is none")
    func badFields() async throws {
        for (field, value) in [("timeout", "\"20\""), ("use_host_network", "\"true\""), ("volumes", "[]")] {
            let error = try await #require(throws: ConfigurationError.self) {
                try await configuration(file: "{\"sandbox\": {\"\(field)\": \(value)}}")
            }
            #expect("\(error)".hasPrefix("sandbox.\(field) in /"))
        }
    }
}
