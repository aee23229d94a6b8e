import Foundation

/// The memory that this process has in use.
enum ResidentMemory {
    /// What there is now, in bytes; the most there was so far where the system doesn't tell.
    static var current: Int {
        #if os(Linux)
        bytes("VmRSS:")
        #else
        peak
        #endif
    }

    /// The most there was so far, in bytes.
    static var peak: Int {
        #if os(Linux)
        // What getrusage(2) says begins with the memory of the process that started this one.
        return bytes("VmHWM:")
        #else
        var usage = rusage()
        getrusage(RUSAGE_SELF, &usage)
        return usage.ru_maxrss
        #endif
    }

    #if os(Linux)
    private static func bytes(_ key: String) -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix(key) }
        return (line?.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first ?? 0) * 1024
    }
    #endif
}
