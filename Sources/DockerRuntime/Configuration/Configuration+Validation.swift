extension DockerRuntime.Configuration {
    /// Sees to it that the settings can be, one by one and together, before anything is made.
    ///
    /// - Throws: ``ConfigurationError``.
    func validate() throws {
        func check(_ isValid: Bool, _ setting: String, _ value: String, _ allowed: String) throws(ConfigurationError) {
            if !isValid { throw .invalidValue(setting: setting, value: value, allowed: allowed) }
        }
        try check(!image.isEmpty, "image", "empty", "the name of an image")
        try check(
            workingDirectory.hasPrefix("/"),
            "workingDirectory",
            workingDirectory,
            "an absolute path in the container"
        )
        try check(SandboxAddress.isAddress(bindingAddress), "bindingAddress", bindingAddress, "an IP address")
        if let runtimeURL {
            let host = SandboxAddress.host(ofURL: runtimeURL)
            try check(host != nil, "runtimeURL", runtimeURL, "http://HOST, without port and path")
        }
        if let editorPort { try check((1...65535).contains(editorPort), "editorPort", "\(editorPort)", "1 to 65535") }
        try check(
            !usesHostNetwork || additionalNetworks.isEmpty,
            "additionalNetworks",
            "\(additionalNetworks)",
            "none with the host's network, out of which a container can't be connected to others"
        )
        try check(
            !isOffline
                || (!usesHostNetwork && additionalNetworks.isEmpty && !publishesAppPorts && transport != .tcp
                    && !plugins.contains(.vscode)),
            "isOffline",
            "true",
            "false with the host's network, additional networks, ports to publish, or the transport tcp"
        )
        if let socketDirectory {
            try check(socketDirectory.hasPrefix("/"), "socketDirectory", socketDirectory, "an absolute path")
        }
        if case .ranges(let ranges) = portPolicy {
            for range in [ranges.server, ranges.editor] + ranges.apps {
                try check(
                    range.lowerBound >= 1 && range.upperBound <= 65535,
                    "portPolicy",
                    "the range \(range)",
                    "ports from 1 to 65535"
                )
            }
        }
        for (name, seconds) in [
            ("defaultTimeout", defaultTimeout), ("noChangeTimeout", noChangeTimeout), ("startTimeout", startTimeout),
            ("lease", lease), ("closing.stopTime", closing.stopTime),
        ] {
            try check(seconds > 0 && seconds <= 1e9, name, "\(seconds)", "a number of seconds above 0")
        }
        if let sessionAPIKey {
            // It goes into a header, and the value of one that is too short into no error.
            let isUsable = sessionAPIKey.count >= 16 && sessionAPIKey.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            try check(isUsable, "sessionAPIKey", "another", "16 or more visible ASCII characters, without spaces")
        }
        try check(
            !closing.keepsContainer || (transport != .unixSocket && !isOffline),
            "closing.keepsContainer",
            "true",
            "false where the server is reached over a Unix socket, which later processes don't have"
        )
        if let processors = limits.processors {
            try check(processors > 0 && processors < 1e6, "limits.processors", "\(processors)", "a number above 0")
        }
        if case .devices(let ids) = gpus {
            try check(!ids.isEmpty && !ids.contains(""), "gpus", "\(ids)", "numbers or UUIDs of GPUs, at least one")
        }
        for name in environment.keys {
            try check(!name.isEmpty && !name.contains("="), "environment", "\"\(name)\"", "names without =")
        }
        if case .useAsIs = imagePreparation {
            try check(
                transport != .unixSocket && !isOffline,
                "imagePreparation",
                "useAsIs",
                "another one where the server is reached over a Unix socket, which an image's own server doesn't have"
            )
        }
        if case .build(let build) = imagePreparation {
            _ = try BuildArguments(parsing: build.arguments)
            try check(
                build.repository.wholeMatch(of: /([a-z0-9.-]+(:[0-9]+)?\/)?[a-z0-9]+([._\/-]+[a-z0-9]+)*/) != nil,
                "imagePreparation.repository",
                build.repository,
                "the name of a repository in lower case, without tag"
            )
        }
        try Self.validateVariables(initialEnvironment, setting: "initialEnvironment")
    }

    /// Sees to it that a shell can assign to variables, which not all names are good for that the engine takes.
    ///
    /// Values are in no error.
    static func validateVariables(
        _ variables: [String: String],
        setting: String
    ) throws(ConfigurationError) {
        for (name, value) in variables where !EnvironmentVariable.isName(name) || value.contains("\0") {
            throw .invalidValue(
                setting: setting,
                value: "one with a variable \"\(name)\"",
                allowed: "names of letters, digits and _, no digit first; values without null characters"
            )
        }
    }
}
