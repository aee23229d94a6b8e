import EventStream

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A path as the system has it: any bytes.
///
/// In events, bytes that aren't UTF-8 are lone surrogates, U+DC80 to U+DCFF, as Python has them
/// (https://peps.python.org/pep-0383).
struct SystemPath: Hashable, Sendable, CustomStringConvertible {
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The path of an event.
    init(_ text: String) {
        var bytes = WireText.bytes(of: text)
        if bytes.contains(0xED) { bytes = Self.restoringBytes(in: bytes) }
        self.bytes = bytes
    }

    /// The path as events have it.
    var description: String {
        if let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0xF4) { return text }
        var escaped: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let count = UTF8Text.sequenceLength(bytes, at: position)
            if count > 0 {
                escaped += bytes[position..<position + count]
                position += count
            } else {
                // U+DC00 plus the byte.
                escaped += [0xED, 0xB0 | bytes[position] >> 6, 0x80 | bytes[position] & 0x3F]
                position += 1
            }
        }
        return WireText.text(of: escaped)
    }

    private static func restoringBytes(in bytes: [UInt8]) -> [UInt8] {
        var restored: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position] == 0xED, position + 2 < bytes.count, bytes[position + 1] & 0xFE == 0xB2 {
                restored.append(bytes[position + 1] << 6 | bytes[position + 2] & 0x3F)
                position += 3
            } else {
                restored.append(bytes[position])
                position += 1
            }
        }
        return restored
    }

    /// Calls a function with the path as the system's calls take it.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
            buffer[bytes.count] = 0
            guard let base = buffer.baseAddress else { return body("") }
            return body(base)
        }
    }

    // MARK: Parts

    var isAbsolute: Bool { bytes.first == UInt8(ascii: "/") }

    /// The path with a relative one behind it, or the other one if that is absolute.
    func appending(_ other: SystemPath) -> SystemPath {
        if other.isAbsolute || bytes.isEmpty { return other }
        if other.bytes.isEmpty { return self }
        let separator = bytes.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
        return SystemPath(bytes: bytes + separator + other.bytes)
    }

    /// The path without what is behind its last slash.
    var parent: SystemPath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return SystemPath(bytes: [UInt8(ascii: ".")]) }
        return SystemPath(bytes: Array(bytes[..<max(slash, 1)]))
    }

    /// What is behind the last slash.
    var name: ArraySlice<UInt8> {
        bytes[(bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...]
    }

    /// The last part of the name from its dot on, as Python's `PurePath.suffix` has it; empty without one.
    var suffix: String {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex, dot < name.endIndex - 1 else {
            return ""
        }
        return SystemPath(bytes: Array(name[dot...])).description
    }

    /// The path as Python's `pathlib` spells it: without doubled and trailing slashes and without parts that are a dot.
    var normalized: SystemPath {
        let slash = UInt8(ascii: "/")
        let parts = bytes.split(separator: slash).filter { Array($0) != [UInt8(ascii: ".")] }
        // POSIX leaves to the system what two slashes at the beginning mean; three are one.
        let root = bytes.prefix { $0 == slash }.count
        let joined = Array(parts.joined(separator: [slash]))
        let normalized = [UInt8](repeating: slash, count: root == 2 ? 2 : min(root, 1)) + joined
        return SystemPath(bytes: normalized.isEmpty ? [UInt8(ascii: ".")] : normalized)
    }
}
