import Foundation

/// What kind of system this process runs on, as far as ports are concerned.
enum SystemKind {
    /// Whether this is Linux within Windows, by the name of its kernel.
    static let isWindowsSubsystem = isWindowsSubsystem(kernelRelease: kernelRelease)

    static func isWindowsSubsystem(kernelRelease: String) -> Bool {
        kernelRelease.hasSuffix("microsoft-standard-WSL2")
    }

    private static var kernelRelease: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        return withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
