import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation

/// Finds out whether sandboxes of a configuration work here, and what to do where they don't.
///
/// It looks at the engine, the server's program and the image, and then starts a sandbox and tries from inside it what it must not be
/// able to do. Nothing of it is left.
public struct Doctor: Sendable {
    /// What came of one check.
    public struct Finding: Sendable, Hashable {
        /// How a check went.
        public enum Outcome: String, Sendable, Hashable {
            /// All is well.
            case pass
            /// It works, but not as well, or not as safely, as it could.
            case warning
            /// It doesn't work, or isn't safe.
            case failure
        }

        /// What was looked at.
        public let check: String
        /// How it went.
        public let outcome: Outcome
        /// What was found.
        public let detail: String
        /// What to do; nil where nothing needs to be done.
        public let advice: String?
    }

    let configuration: DockerRuntime.Configuration
    private let report: @Sendable (Finding) -> Void

    /// Makes a doctor.
    ///
    /// - Parameter report: called for each finding when it is found.
    public init(configuration: DockerRuntime.Configuration, report: @escaping @Sendable (Finding) -> Void = { _ in }) {
        self.configuration = configuration
        self.report = report
    }

    /// Makes all checks; those that need what an earlier one has not found are left out.
    ///
    /// - Returns: the findings, in their order. The sandboxes work if none is a failure.
    public func run() async -> [Finding] {
        var findings: [Finding] = []
        func add(_ check: String, _ result: CheckResult) -> Bool {
            let finding = Finding(check: check, outcome: result.outcome, detail: result.detail, advice: result.advice)
            report(finding)
            findings.append(finding)
            return finding.outcome != .failure
        }
        let engine: DockerEngineClient
        do {
            let environment = ProcessInfo.processInfo.environment
            engine =
                try configuration.endpoint.map { try DockerEngineClient(endpoint: $0) }
                ?? DockerEngineClient(environment: environment)
        } catch {
            _ = add("engine", .failure("\(error)", "Correct DOCKER_HOST, or the docker command's context."))
            return findings
        }
        defer { engine.close() }
        let checks = EngineChecks(configuration: configuration, engine: engine)
        var isReady = false
        if add("engine", await checks.answers()) {
            let answers = [
                add("API version", await checks.version()), add("OCI runtime", await checks.ociRuntime()),
                add("limits", await checks.limits()), add("image", await checks.image()),
            ]
            isReady = !answers.contains(false)
        }
        isReady = add("server binary", Self.serverBinary(configuration)) && isReady
        guard isReady else { return findings }
        for (check, result) in await SandboxChecks(configuration: configuration).run() { _ = add(check, result) }
        return findings
    }

    private static func serverBinary(_ configuration: DockerRuntime.Configuration) -> CheckResult {
        do {
            let path = try ServerBinary.find(configured: configuration.serverBinary, for: .container)
            let size = try ProgramIdentity(path: path).size
            return .pass("\(path), \(ByteCount.text(size))")
        } catch {
            return .failure("\(error)", "Build it with scripts/build-server, which prints where it is.")
        }
    }
}

/// What came of a check, before it has its name.
struct CheckResult {
    var outcome: Doctor.Finding.Outcome
    var detail: String
    var advice: String?

    static func pass(_ detail: String) -> CheckResult { CheckResult(outcome: .pass, detail: detail) }

    static func warning(_ detail: String, _ advice: String) -> CheckResult {
        CheckResult(outcome: .warning, detail: detail, advice: advice)
    }

    static func failure(_ detail: String, _ advice: String) -> CheckResult {
        CheckResult(outcome: .failure, detail: detail, advice: advice)
    }
}

/// Sizes for people.
enum ByteCount {
    static func text(_ bytes: Int) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB"]
        var (value, unit) = (Double(bytes), 0)
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return "\(unit == 0 ? "\(bytes)" : String(format: "%.1f", value)) \(units[unit])"
    }
}
