import EventStream
import Foundation

/// Which process made something, so that another can tell whether it still runs.
struct ProcessIdentity: Sendable, Hashable {
    /// What a process can be told about another.
    enum Life: Sendable, Hashable {
        /// It runs.
        case running
        /// It has ended.
        case ended
        /// It is, or was, elsewhere.
        case unknown
    }

    /// Tells machines apart, and the process namespaces on them.
    var machine: String
    /// Tells a machine's runs apart.
    var boot: String
    var id: Int32
    /// When it started, in the system's units; 0 when the system doesn't tell.
    var start: Int

    /// This process.
    static let current = ProcessIdentity(
        machine: digest(
            file("/etc/machine-id") + hostName
                + ((try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? "")
        ),
        boot: digest(file("/proc/sys/kernel/random/boot_id")),
        id: getpid(),
        start: startTime(of: getpid()) ?? 0
    )

    /// As it is written in labels.
    var text: String { "\(machine).\(boot).\(id).\(start)" }

    /// Whether the process that this names still runs, as far as this one can tell.
    func life(seenFrom observer: ProcessIdentity = .current) -> Life {
        guard machine == observer.machine else { return .unknown }
        guard boot == observer.boot else { return .ended }
        guard kill(id, 0) == 0 || errno == EPERM else { return .ended }
        // The number may be another process's by now.
        if start != 0, let other = Self.startTime(of: id), other != start { return .ended }
        return .running
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        // The last stays zero.
        _ = gethostname(&name, 255)
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func digest(_ text: String) -> String {
        SHA256.hexadecimal(SHA256.digest(text).prefix(6))
    }

    private static func file(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    /// The 22nd field of `/proc/PID/stat`, as of proc(5); nil where there is none.
    ///
    /// The second field is in parentheses, and may have spaces in it.
    private static func startTime(of id: Int32) -> Int? {
        guard let end = file("/proc/\(id)/stat").split(separator: ")").last else { return nil }
        let fields = end.split(separator: " ")
        return fields.count > 19 ? Int(fields[19]) : nil
    }
}

extension ProcessIdentity {
    /// Reads an identity as it is written; nil for all else.
    init?(_ text: String) {
        let parts = text.split(separator: ".")
        guard parts.count == 4, let id = Int32(parts[2]), id > 0, let start = Int(parts[3]) else { return nil }
        self.init(machine: String(parts[0]), boot: String(parts[1]), id: id, start: start)
    }
}
