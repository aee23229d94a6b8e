import EventStream

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What `/server_info` tells of the machine (reference: `openhands/runtime/utils/system_stats.py`).
enum ServerStatistics {
    /// Use of processor, memory, disk and I/O, with zeros for what the system doesn't tell.
    static func resources() -> JSONObject {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let pages = text("/proc/self/statm").split(separator: " ").compactMap { Int($0) }
        let size = (pages.first ?? 0) * page
        let resident = (pages.dropFirst().first ?? 0) * page
        let total = max(1, sysconf(Int32(_SC_PHYS_PAGES)) * page)
        var disk = statvfs()
        _ = statvfs("/", &disk)
        let block = Int(disk.f_frsize)
        let (diskTotal, diskFree) = (Int(disk.f_blocks) * block, Int(disk.f_bavail) * block)
        let diskUsed = diskTotal - Int(disk.f_bfree) * block
        let io = counters("/proc/self/io")
        return [
            "cpu_percent": .number(JSONNumber(cpuPercent())),
            "memory": [
                "rss": .number(JSONNumber(resident)),
                "vms": .number(JSONNumber(size)),
                "percent": .number(JSONNumber(Double(resident) / Double(total) * 100)),
            ],
            "disk": [
                "total": .number(JSONNumber(diskTotal)),
                "used": .number(JSONNumber(diskUsed)),
                "free": .number(JSONNumber(diskFree)),
                "percent": .number(JSONNumber(Double(diskUsed) / Double(max(1, diskUsed + diskFree)) * 100)),
            ],
            "io": [
                "read_bytes": .number(JSONNumber(io["read_bytes"] ?? 0)),
                "write_bytes": .number(JSONNumber(io["write_bytes"] ?? 0)),
            ],
        ]
    }

    /// Processor time of the server as a share of the time since it started.
    private static func cpuPercent() -> Double {
        var time = timespec()
        _ = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        let used = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        let elapsed = ContinuousClock.now - started
        let total = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        return total > 0 ? used / total * 100 : 0
    }

    private static let started = ContinuousClock.now

    private static func counters(_ path: String) -> [String: Int] {
        var counters: [String: Int] = [:]
        for line in text(path).split(separator: "\n") {
            let parts = line.split(separator: ":")
            guard parts.count == 2 else { continue }
            counters[String(parts[0])] = Int(parts[1].drop { $0 == " " })
        }
        return counters
    }

    private static func text(_ path: String) -> String {
        let bytes = try? FileAccess.read(path, limit: 1 << 16)
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
