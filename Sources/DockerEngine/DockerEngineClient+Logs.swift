internal import CurlHTTP

/// Which part of a container's output is wanted.
public struct LogOptions: Sendable, Hashable {
    /// Whether the output is wanted.
    public var stdout = true
    /// Whether the error output is wanted.
    public var stderr = true
    /// Whether to go on with new output until the container ends.
    public var follows = false
    /// The number of lines from the end to begin with; all if `nil`.
    public var tail: Int?
    /// The moment to begin at: seconds since 1970, with or without a fraction.
    public var since: String?
    /// The moment to end at.
    public var until: String?
    /// Whether each line begins with its time in RFC 3339.
    public var hasTimestamps = false

    /// Creates options: all output until now.
    public init() {}
}

extension DockerEngineClient {
    /// `GET /containers/{id}/logs`: a container's output, as its log driver kept it.
    ///
    /// When a container that is followed ends, Docker 20.10 may end the stream before the last output. Who must have all of it
    /// waits for the end and reads again without following.
    ///
    /// - Throws: ``DockerEngineError`` that `isNotFound` if there is no such container; 501 if the log driver can't be read.
    public func containerLogs(_ id: String, options: LogOptions = LogOptions()) async throws -> LogFrames {
        // Only from API 1.42 on does the answer say whether it has frames.
        let isRaw = try await inspectContainer(id).configuration.tty == true
        var call = EngineCall("GET", "/containers/\(id)/logs")
        call.timeLimit = .none
        call.add("stdout", options.stdout)
        call.add("stderr", options.stderr)
        call.add("follow", options.follows)
        call.add("timestamps", options.hasTimestamps)
        call.add("tail", options.tail.map(String.init))
        call.add("since", options.since)
        call.add("until", options.until)
        return LogFrames(body: .arrived(try await open(call).body), call: call.name, isRaw: isRaw)
    }
}
