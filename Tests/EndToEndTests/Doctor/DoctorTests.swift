import DockerEngine
import DockerRuntime
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DoctorTests {
    private func findings(
        _ configure: (inout DockerRuntime.Configuration) -> Void = { _ in }
    ) async throws -> [Doctor.Finding] {
        var configuration = DockerRuntime.Configuration(image: TestEnvironment.imageWithoutBash)
        configuration.serverBinary = try TestEnvironment.serverBinary()
        configure(&configuration)
        return await Doctor(configuration: configuration).run()
    }

    @Test("Where sandboxes work, every check passes")
    func healthy() async throws {
        let findings = try await findings()
        #expect(
            findings.map(\.check) == [
                "engine", "API version", "OCI runtime", "limits", "image", "server binary", "sandbox", "transport",
                "hardening", "disk space",
            ]
        )
        for finding in findings where finding.outcome != .pass {
            // How full the disk is isn't this program's doing.
            #expect(finding.check == "disk space", "\(finding)")
        }
        #expect(findings.first { $0.check == "transport" }?.detail.hasPrefix("a Unix socket") == true)
    }

    @Test("What isn't as it should be fails, with what to do")
    func broken() async throws {
        let nowhere = DockerEndpoint(.unix(path: "/nowhere/docker.sock"))
        let noEngine = try await findings { $0.endpoint = nowhere }
        #expect(noEngine.first?.outcome == .failure)
        #expect(noEngine.first?.detail.contains("/nowhere/docker.sock") == true)
        #expect(noEngine.map(\.check) == ["engine", "server binary"])

        let noBinary = try await findings { $0.serverBinary = "/nowhere/server" }
        #expect(noBinary.last?.check == "server binary")
        #expect(noBinary.last?.advice?.contains("scripts/build-server") == true)

        let noRuntime = try await findings { $0.options.ociRuntime = "no-such-runtime" }
        let runtime = try #require(noRuntime.first { $0.check == "OCI runtime" })
        #expect(runtime.outcome == .failure)
        #expect(runtime.detail.contains("runc"))
        #expect(runtime.advice?.contains("daemon.json") == true)

        let open = try await findings { $0.hostConfigurationOverlay = ["MaskedPaths": [], "ReadonlyPaths": []] }
        let hardening = try #require(open.first { $0.check == "hardening" })
        #expect(hardening.outcome == .failure)
        #expect(hardening.detail == "it can write to the host's /proc/sys")

        let withoutSocket = try await findings { $0.socketDirectory = "/proc/nowhere" }
        let transport = try #require(withoutSocket.first { $0.check == "transport" })
        #expect(transport.detail.hasPrefix("TCP, http://127.0.0.1:"))
        #expect(transport.detail.contains("/proc/nowhere"))
    }

    /// Runs `Demo doctor`.
    private func doctor(_ arguments: [String], _ variables: [String: String] = [:]) async throws -> (Int32, String) {
        try await withTemporaryDirectory { directory in
            let output = directory.appending(path: "output")
            let environment = [
                "ACTION_EXECUTION_SERVER": try TestEnvironment.serverBinary(), "HOME": "/nowhere",
                "DOCKER_HOST": ProcessInfo.processInfo.environment["DOCKER_HOST"] ?? "unix:///var/run/docker.sock",
            ]
            let process = try ChildProcess(
                try TestEnvironment.demo(),
                ["doctor"] + arguments,
                output: output,
                environment: environment.merging(variables) { $1 }
            )
            let status = await process.exitStatus()
            return (status, try String(contentsOf: output, encoding: .utf8))
        }
    }

    @Test("The command prints each check and exits with 0 where all is well")
    func command() async throws {
        let (status, output) = try await doctor(["--image", TestEnvironment.imageWithoutBash, "--offline"])
        #expect(status == 0, "\(output)")
        #expect(output.contains("pass  hardening"))
        #expect(output.hasSuffix("\nSandboxes work here.\n"))
    }

    @Test("The command exits with 1 where a check fails, and with 64 for words that it doesn't know")
    func commandFails() async throws {
        let (status, output) = try await doctor([], ["DOCKER_HOST": "unix:///nowhere/docker.sock"])
        #expect(status == 1)
        #expect(output.contains("FAIL  engine"))
        #expect(output.contains("1 of 2 checks failed."))
        #expect(try await doctor(["--what"]).0 == 64)
        #expect(try await doctor(["--transport", "pigeon"]).0 == 64)
        #expect(try await doctor(["--help"]).0 == 0)
    }
}
