#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The system's error numbers that have advice of their own.
enum SystemError {
    static let noSuchFile = ENOENT
    static let notPermitted = EACCES
    static let connectionRefused = ECONNREFUSED
}
