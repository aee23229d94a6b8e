/// A version of the Engine API, such as 1.41.
public struct EngineAPIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The part before the point.
    public var major: Int
    /// The part after the point.
    public var minor: Int

    /// The lowest version that this client speaks: Docker 20.10.
    public static let minimum = EngineAPIVersion(major: 1, minor: 41)
    /// The highest version that this client speaks: Docker 27.
    public static let maximum = EngineAPIVersion(major: 1, minor: 47)

    /// Creates a version.
    public init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Parses `1.41`.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let major = parts[0], let minor = parts[1] else { return nil }
        self.init(major: major, minor: minor)
    }

    /// The version as it is written.
    public var description: String { "\(major).\(minor)" }

    /// Orders by the major part, then by the minor one.
    public static func < (left: EngineAPIVersion, right: EngineAPIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// The highest version that both sides speak.
    static func negotiate(with engine: EngineVersion) throws(DockerEngineError) -> EngineAPIVersion {
        guard let highest = EngineAPIVersion(engine.apiVersion) else {
            throw .unsupportedVersion(engine: "version \"\(engine.apiVersion)\"", supported: supported)
        }
        let lowest = engine.minimumAPIVersion.flatMap { EngineAPIVersion($0) } ?? highest
        let common = min(highest, maximum)
        guard common >= minimum && common >= lowest else {
            throw .unsupportedVersion(engine: "versions \(lowest) to \(highest)", supported: supported)
        }
        return common
    }

    private static let supported = "versions \(minimum) to \(maximum)"
}
