import Foundation

/// How much memory this process has had at most since it was started, in megabytes.
///
/// `getrusage` isn't asked on Linux: it counts what the process that started this one had, too.
func peakMemory() throws -> Int {
    #if os(Linux)
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    guard let kilobytes = line?.split(separator: " ").compactMap({ Int($0) }).first else {
        throw CocoaError(.fileReadCorruptFile)
    }
    return kilobytes >> 10
    #else
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss >> 20
    #endif
}
