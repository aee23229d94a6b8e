import Foundation

/// The memory that this process has in use.
enum ResidentMemory {
    /// The most there was so far, in bytes.
    static var peak: Int {
        #if os(Linux)
        // What getrusage(2) says begins with the memory of the process that started this one.
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
        #else
        var usage = rusage()
        getrusage(RUSAGE_SELF, &usage)
        return usage.ru_maxrss
        #endif
    }
}
