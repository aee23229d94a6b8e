import DockerEngine

/// What the doctor asks the engine itself.
struct EngineChecks {
    let configuration: DockerRuntime.Configuration
    let engine: DockerEngineClient

    func answers() async -> CheckResult {
        await result("Start the engine, or set DOCKER_HOST to where it is.") {
            try await engine.ping()
            return .pass("\(engine.endpoint) answers")
        }
    }

    func version() async -> CheckResult {
        await result("Update the engine: Docker 20.10 is the oldest that has the API 1.41.") {
            let version = try await engine.version()
            let agreed = try await engine.apiVersion()
            return .pass(
                "\(agreed), of the engine \(version.version) on \(version.os ?? "?") \(version.architecture ?? "?")"
            )
        }
    }

    func ociRuntime() async -> CheckResult {
        await result("Look at docker info.") {
            let information = try await engine.information()
            let known = (information.runtimes ?? [:]).keys.sorted()
            guard let wanted = configuration.options.ociRuntime else {
                return .pass("\(information.defaultRuntime ?? "runc"), the engine's default")
            }
            guard known.contains(wanted) || wanted.contains("/") || wanted.hasPrefix("io.containerd.") else {
                return .failure(
                    "the engine doesn't know \(wanted), but \(known.joined(separator: ", "))",
                    "Add it to \"runtimes\" in the engine's /etc/docker/daemon.json, and reload or restart the engine."
                )
            }
            return .pass(wanted)
        }
    }

    func limits() async -> CheckResult {
        await result("Look at docker info.") {
            let information = try await engine.information()
            var missing: [String] = []
            if configuration.limits.memory != nil, information.hasMemoryLimit == false { missing.append("memory") }
            if configuration.limits.processes != nil, information.hasPidsLimit == false { missing.append("processes") }
            guard missing.isEmpty else {
                return .failure(
                    "the engine can't limit \(missing.joined(separator: " and "))",
                    "Mount the control groups with these controllers on the engine's machine, or set the limits to nil."
                )
            }
            let options = information.securityOptions ?? []
            guard options.contains(where: { $0.contains("seccomp") }) else {
                return .warning(
                    "memory and processes; but the engine filters no system calls (seccomp)",
                    "Use a kernel and an engine that were built with seccomp."
                )
            }
            return .pass(
                "memory, processes and system calls, by cgroup v\(information.cgroupVersion ?? "1") and seccomp"
            )
        }
    }

    func image() async -> CheckResult {
        let name = configuration.image
        return await result("Check the name, or pull it with docker pull \(name).") {
            do {
                let image = try await engine.inspectImage(name)
                return .pass("\(name), \(ByteCount.text(image.size)), \(image.os)/\(image.architecture)")
            } catch let error as DockerEngineError where error.isNotFound {
                return .warning(
                    "the engine doesn't have \(name)",
                    "It is pulled at the first start, which then takes longer."
                )
            }
        }
    }

    private func result(_ advice: String, _ check: () async throws -> CheckResult) async -> CheckResult {
        do {
            return try await check()
        } catch {
            return .failure("\(error)", advice)
        }
    }
}
