public import EventStream

/// A recorded action whose observation came out otherwise this time.
public struct ObservationDifference: Sendable, Hashable, CustomStringConvertible {
    /// The event of the recorded action.
    public var action: Event
    /// The recorded observation.
    public var expected: Observation
    /// What came this time; nil when the action could not be performed.
    public var actual: Observation?
    /// Where they differ, after normalisation; or why there is no observation.
    public var details: [String]

    /// The action, and where its observations differ.
    public var description: String {
        "Event \(action.id), \(action.message)\n" + details.map { "  \($0)" }.joined(separator: "\n")
    }
}

/// Rewrites what legitimately varies between two runs of an action.
public struct ObservationNormalizer: Sendable {
    private let rewrite: @Sendable (String) -> String

    /// Makes a normaliser that is applied to every text of an observation.
    public init(_ rewrite: @escaping @Sendable (String) -> String) {
        self.rewrite = rewrite
    }

    func callAsFunction(_ text: String) -> String { rewrite(text) }

    // The patterns are made where they are used: a regular expression can't be shared between tasks.

    /// Numbers in brackets with a process id behind, as shells tell of background jobs: `[1] 4711`.
    public static let processIDs = ObservationNormalizer {
        $0.replacing(/\[(\d+)\]([+-]?\s+)\d+/) { "[\($0.1)]\($0.2)PID" }
    }

    /// Times that something took, such as `0.12s`, `3.4 ms` or `12 seconds`.
    public static let durations = ObservationNormalizer {
        $0.replacing(/\b\d+(\.\d+)?\s?(ns|us|µs|ms|s|sec|secs|seconds|minutes|min)\b/, with: "DURATION")
    }

    /// Paths below `/tmp`, `/var/tmp` and the temporary directories of macOS.
    public static let temporaryPaths = ObservationNormalizer {
        $0.replacing(/(\/private)?((\/var)?\/tmp|\/var\/folders\/\w+\/\w+\/T)\/[\w.\-]+/, with: "/tmp/PATH")
    }

    /// Dates with times, as of ISO 8601 and as `ls` and `date` write them.
    public static let dates = ObservationNormalizer {
        $0.replacing(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?/, with: "DATE")
            .replacing(/\b[A-Z][a-z]{2} +\d{1,2} +\d\d:\d\d(:\d\d)?\b/, with: "DATE")
    }

    /// All of the above.
    public static let standard = [processIDs, durations, temporaryPaths, dates]
}

extension RecordedSession {
    /// Performs the recorded actions on a live runtime, one after the other, and compares what comes of them.
    ///
    /// Process ids, user, host and interpreter of a command's metadata are not compared: they are the sandbox's.
    ///
    /// - Parameters:
    ///   - runtime: a runtime that is connected.
    ///   - normalizers: what to rewrite in both observations before they are compared.
    /// - Returns: the observations that differ, in the order of the session; empty when all are alike.
    /// - Throws: `CancellationError`. That an action can't be performed is a difference.
    public func verify(
        against runtime: any Runtime,
        normalizers: [ObservationNormalizer] = ObservationNormalizer.standard
    ) async throws -> [ObservationDifference] {
        var differences: [ObservationDifference] = []
        for exchange in exchanges {
            guard let action = exchange.action.action, case .perform = action.disposition,
                let expected = exchange.observation?.observation
            else { continue }
            var difference = ObservationDifference(action: exchange.action, expected: expected, details: [])
            do {
                let actual = try await runtime.execute(action, timeout: exchange.action.timeout)
                difference.actual = actual
                difference.details = JSONDifference.between(
                    Self.normalized(expected, normalizers),
                    Self.normalized(actual, normalizers)
                ).map(\.description)
            } catch let error as CancellationError {
                throw error
            } catch {
                difference.details = ["\(error)"]
            }
            if !difference.details.isEmpty { differences.append(difference) }
        }
        return differences
    }

    private static func normalized(_ observation: Observation, _ normalizers: [ObservationNormalizer]) -> JSONValue {
        var observation = observation
        if case .run(var run) = observation {
            run.metadata.pid = -1
            (run.metadata.username, run.metadata.hostname) = (nil, nil)
            run.metadata.pythonInterpreterPath = nil
            observation = .run(run)
        }
        return normalized(.object(observation.json), normalizers)
    }

    private static func normalized(_ value: JSONValue, _ normalizers: [ObservationNormalizer]) -> JSONValue {
        switch value {
        case .string(let text): return .string(normalizers.reduce(text) { $1($0) })
        case .array(let elements): return .array(elements.map { normalized($0, normalizers) })
        case .object(let members):
            var result = members
            for (key, member) in members { result[key] = normalized(member, normalizers) }
            return .object(result)
        case .null, .bool, .number: return value
        }
    }
}
