import Testing

@testable import DockerRuntime

@Suite
struct HardeningReportTests {
    private static let safe = """
        CapBnd:\t00000000000404fb
        NoNewPrivs:\t1
        Seccomp:\t2
        Protected: /sys
        Protected: /proc/sys
        """

    private func gaps(
        _ output: String,
        _ configure: (inout DockerRuntime.Configuration) -> Void = { _ in }
    ) -> [String] {
        var configuration = DockerRuntime.Configuration(image: "debian:12")
        configure(&configuration)
        return HardeningReport(output).gaps(configuration)
    }

    @Test("A sandbox that is as configured has no gaps")
    func safe() {
        #expect(gaps(Self.safe) == [])
        #expect(HardeningReport(Self.safe).hasSeccomp)
    }

    @Test("What a sandbox has beyond its configuration is named")
    func unsafe() {
        let output = """
            CapBnd:\t00000000002425fb
            NoNewPrivs:\t0
            Seccomp:\t0
            Socket: /var/run/docker.sock
            Protected: /proc/sys
            """
        let gaps = gaps(output)
        #expect(gaps.count == 4)
        #expect(gaps[0] == "it has the capabilities SETPCAP, NET_RAW, SYS_ADMIN")
        #expect(gaps[2].contains("/var/run/docker.sock"))
        #expect(gaps[3].contains("/sys"))
    }

    @Test("What the configuration allows in words is no gap; a privileged container is always one")
    func allowed() {
        let output = Self.safe.replacing("NoNewPrivs:\t1", with: "NoNewPrivs:\t0") + "\nSocket: /run/docker.sock"
        let allowed = gaps(output) {
            $0.options.securityOptions = ["no-new-privileges=false"]
            $0.allowsEngineSocket = true
        }
        #expect(allowed == [])
        #expect(
            gaps(Self.safe) { $0.capabilities = [] }.first?.hasSuffix("SETUID, NET_BIND_SERVICE, SYS_CHROOT") == true
        )
        #expect(gaps(Self.safe) { $0.options.isPrivileged = true }.count == 1)
        #expect(gaps("") == ["it can write to the host's /sys", "it can write to the host's /proc/sys"])
        #expect(gaps("") { $0.options.ociRuntime = "runsc" } == [])
    }

    @Test("What is known of an OCI runtime's failure is told as advice")
    func advice() {
        let message = "creating interfaces: cannot run with network enabled in root network namespace: unknown"
        #expect(SandboxChecks.advice(message, ociRuntime: "runsc").contains("--network=host"))
        #expect(SandboxChecks.advice("another", ociRuntime: "runsc").contains("without the OCI runtime runsc"))
        #expect(SandboxChecks.advice(message, ociRuntime: nil).contains("the engine's log"))
    }
}
