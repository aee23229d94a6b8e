import ActionExecutionClient
import EventStream
import Synchronization

/// What the doctor tries in a sandbox.
struct SandboxChecks {
    let configuration: DockerRuntime.Configuration

    /// Less free space than this is told: an agent's packages fill it in no time.
    private static let wantedSpace = 2_000_000_000

    /// Starts a sandbox, tries, and removes it.
    func run() async -> [(String, CheckResult)] {
        let told = Mutex<[RuntimeStatusUpdate]>([])
        let runtime = DockerRuntime(
            configuration: configuration,
            sessionID: "doctor-\(randomHexadecimal(byteCount: 8))",
            statusCallback: { update in told.withLock { $0.append(update) } }
        )
        var results: [(String, CheckResult)] = []
        let start = ContinuousClock.now
        do {
            try await runtime.connect()
            let milliseconds = Int((ContinuousClock.now - start) / .milliseconds(1))
            results.append(("sandbox", .pass("ready after \(milliseconds) ms")))
            results.append(("transport", await transport(runtime, told.withLock { $0 })))
            results.append(("hardening", try await hardening(runtime)))
            results.append(("disk space", try await diskSpace(runtime)))
        } catch {
            results.append(
                (
                    results.isEmpty ? "sandbox" : "commands",
                    .failure("\(error)", Self.advice("\(error)", ociRuntime: configuration.options.ociRuntime))
                )
            )
        }
        await runtime.close()
        if let problem = told.withLock({ $0 }).last, problem.status == .stopped, problem.level != .info {
            results.append(("removal", .failure(problem.message, "Look at the engine's log.")))
        }
        return results
    }

    /// What to do when the sandbox doesn't start, or doesn't work.
    static func advice(_ error: String, ociRuntime: String?) -> String {
        guard let ociRuntime else { return "The message says what is missing; the engine's log has more." }
        // gVisor takes a namespace for the host's when it sees net.core.rmem_default there, which Linux has since shown in all.
        if error.contains("cannot run with network enabled in root network namespace") {
            return
                "This version of \(ociRuntime) can't tell the network of a container from the host's on this kernel. Give it "
                + #""runtimeArgs": ["--network=host"] in the engine's daemon.json, or use a newer one."#
        }
        return
            "Try without the OCI runtime \(ociRuntime); if that works, look into its own log on the engine's machine."
    }

    private func transport(_ runtime: DockerRuntime, _ told: [RuntimeStatusUpdate]) async -> CheckResult {
        if let socket = await runtime.sandbox?.socket {
            return .pass("a Unix socket, \(socket.socketPath); no port is published for the server")
        }
        let url = await runtime.sandbox?.client.endpoint.url ?? "?"
        guard let reason = told.first(where: { $0.message.hasPrefix("Over TCP") })?.message else {
            return .pass("TCP, \(url)")
        }
        return .pass("TCP, \(url). \(reason)")
    }

    private func hardening(_ runtime: DockerRuntime) async throws -> CheckResult {
        let report = HardeningReport(try await output(HardeningReport.command, of: runtime))
        let gaps = report.gaps(configuration)
        guard gaps.isEmpty else {
            return .failure(
                gaps.joined(separator: "; "),
                "Take it out of the configuration if that isn't meant; else choose an engine or an OCI runtime that does it."
            )
        }
        return .pass("no privileges beyond the configuration's, no engine socket, nothing of the host to write to")
    }

    private func diskSpace(_ runtime: DockerRuntime) async throws -> CheckResult {
        let lines = try await output("df -Pk / | tail -n 1", of: runtime)
        let fields = lines.split(whereSeparator: \.isWhitespace)
        guard fields.count > 3, let kilobytes = Int(fields[3]) else {
            return .warning("the image has no df to ask", "Look at the engine's disk with docker system df.")
        }
        let free = ByteCount.text(kilobytes * 1024)
        guard kilobytes * 1024 >= Self.wantedSpace else {
            return .warning(
                "\(free) are free for sandboxes",
                "Make room on the engine's disk: docker system df says by what it is taken, docker system prune removes what is unused."
            )
        }
        return .pass("\(free) are free for sandboxes")
    }

    private func output(_ command: String, of runtime: DockerRuntime) async throws -> String {
        let observation = try await runtime.execute(
            ActionInvocation(.run(CommandAction(command: command, hidden: true)))
        )
        guard case .run(let result) = observation else {
            throw RuntimeError.unexpectedResponse(detail: "a command gave no command's observation")
        }
        return result.content
    }
}

/// What a sandbox tells of its own confinement.
struct HardeningReport: Hashable {
    /// Needs no more than a POSIX shell and grep, and changes nothing.
    static let command = """
        grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
        for s in /var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock; do
            if [ -S "$s" ]; then echo "Socket: $s"; fi
        done
        for p in /sys /proc/sys; do
            if grep -q " $p ro[, ]" /proc/self/mountinfo; then echo "Protected: $p"; fi
        done
        """

    var capabilities: UInt64?
    /// Nil where the kernel doesn't tell, as gVisor's.
    var hasNoNewPrivileges: Bool?
    var hasSeccomp = false
    var sockets: [String] = []
    var protected: [String] = []

    /// Reads what the command wrote.
    init(_ output: String) {
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "CapBnd": capabilities = UInt64(parts[1], radix: 16)
            case "NoNewPrivs": hasNoNewPrivileges = parts[1] == "1"
            case "Seccomp": hasSeccomp = parts[1] != "0"
            case "Socket": sockets.append(parts[1])
            case "Protected": protected.append(parts[1])
            default: break
            }
        }
    }

    /// What isn't as the configuration has it, apart from what it allows in words.
    func gaps(_ configuration: DockerRuntime.Configuration) -> [String] {
        let options = configuration.options
        if options.isPrivileged { return ["the container is privileged: whoever is root in it has the host"] }
        var gaps: [String] = []
        let allowed = configuration.capabilities.reduce(0) { $0 | Capability.bit($1) }
        if let capabilities {
            let more = Capability.names(capabilities & ~allowed)
            if !more.isEmpty, !configuration.capabilities.contains("ALL") {
                gaps.append("it has the capabilities \(more.joined(separator: ", "))")
            }
        }
        let allowsGain = options.securityOptions.contains { $0.hasPrefix("no-new-privileges") && $0.hasSuffix("false") }
        if hasNoNewPrivileges == false, !allowsGain { gaps.append("its processes can gain privileges") }
        if !configuration.allowsEngineSocket { gaps += sockets.map { "it sees the engine's socket \($0)" } }
        // With a kernel of its own between the container and the host's, these aren't the host's.
        if ["runc", "crun", "youki"].contains(options.ociRuntime ?? "runc") {
            gaps += ["/sys", "/proc/sys"].filter { !protected.contains($0) }
                .map { "it can write to the host's \($0)" }
        }
        return gaps
    }
}

/// The capabilities of Linux by their numbers (`include/uapi/linux/capability.h`).
enum Capability {
    private static let all = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// The bit of a capability, with or without `CAP_` before it; 0 for none that is known.
    static func bit(_ name: String) -> UInt64 {
        let bare = name.uppercased().hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
        return all.firstIndex(of: bare.uppercased()).map { 1 << UInt64($0) } ?? 0
    }

    /// The names of the bits that are set.
    static func names(_ bits: UInt64) -> [String] {
        all.indices.filter { bits & (1 << UInt64($0)) != 0 }.map { all[$0] }
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
