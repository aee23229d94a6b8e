#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A call of the operating system that failed.
public struct SystemError: Error, Hashable, CustomStringConvertible {
    /// What was tried, as it reads after "could not".
    public let operation: String
    /// The `errno` value.
    public let code: Int32

    /// Takes the current `errno` unless a code is given; call it before anything else can change that.
    init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    /// One sentence with the operating system's own words.
    public var description: String {
        "could not \(operation): \(Self.text(for: code)) (errno \(code))"
    }

    /// The operating system's words for an `errno` value.
    static func text(for code: Int32) -> String {
        String(cString: strerror(code))
    }
}
