import Foundation
import Testing

/// Reads a zip archive by the list at its end, without anything of the server's.
///
/// Format: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
enum ZipReader {
    static func entries(_ bytes: [UInt8]) throws -> [(name: String, content: [UInt8])] {
        let end = try #require(bytes.lastRange(of: [0x50, 0x4b, 0x05, 0x06])?.lowerBound, "no end of a zip archive")
        var position = number(bytes, end + 16, 4)
        return try (0..<number(bytes, end + 10, 2)).map { _ in
            try #require(Array(bytes[position..<position + 4]) == [0x50, 0x4b, 0x01, 0x02])
            let (nameLength, method) = (number(bytes, position + 28, 2), number(bytes, position + 10, 2))
            let (size, local) = (number(bytes, position + 20, 4), number(bytes, position + 42, 4))
            let name = bytes[position + 46..<position + 46 + nameLength].text
            try #require(method == 0, "\(name) is compressed")
            let start = local + 30 + number(bytes, local + 26, 2) + number(bytes, local + 28, 2)
            position += 46 + nameLength + number(bytes, position + 30, 2) + number(bytes, position + 32, 2)
            return (name, Array(bytes[start..<start + size]))
        }
    }

    private static func number(_ bytes: [UInt8], _ position: Int, _ length: Int) -> Int {
        bytes[position..<position + length].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}

extension Array where Element: Equatable {
    /// Where the elements stand last.
    fileprivate func lastRange(of elements: [Element]) -> Range<Int>? {
        guard count >= elements.count else { return nil }
        for start in (0...count - elements.count).reversed()
        where Array(self[start..<start + elements.count]) == elements {
            return start..<start + elements.count
        }
        return nil
    }
}
