#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Reads a log line by line, without an index.
enum LogScanner {
    private static let chunk = 1 << 20

    /// Calls a function with each complete line and its offset, until it returns false.
    ///
    /// - Returns: The offset after the last line that the function was called with.
    @discardableResult
    static func forEachLine(
        in file: OpenFile,
        from start: Int,
        to end: Int,
        _ body: (UnsafeRawBufferPointer, Int) throws(EventStoreError) -> Bool
    ) throws(EventStoreError) -> Int {
        var offset = start
        var size = chunk
        while offset < end {
            let bytes = try file.read(offset..<min(end, offset + size))
            guard !bytes.isEmpty else { return offset }
            let result = bytes.withUnsafeBytes { buffer in
                Result { () throws(EventStoreError) in try lines(in: buffer, at: offset, body) }
            }
            let (consumed, goesOn) = try result.get()
            offset += consumed
            guard goesOn else { return offset }
            // A line longer than what was read needs more at once.
            if consumed == 0 {
                guard offset + bytes.count < end else { return offset }
                size *= 2
            } else {
                size = chunk
            }
        }
        return offset
    }

    private static func lines(
        in buffer: UnsafeRawBufferPointer,
        at offset: Int,
        _ body: (UnsafeRawBufferPointer, Int) throws(EventStoreError) -> Bool
    ) throws(EventStoreError) -> (consumed: Int, goesOn: Bool) {
        var position = 0
        while position < buffer.count, let base = buffer.baseAddress {
            guard let found = memchr(base + position, 0x0A, buffer.count - position) else { break }
            let length = UnsafeRawPointer(found) - (base + position) + 1
            let line = UnsafeRawBufferPointer(rebasing: buffer[position..<(position + length)])
            position += length
            guard try body(line, offset + position - length) else { return (position, false) }
        }
        return (position, true)
    }
}

/// What a log has after its indexed part.
struct ScannedTail {
    /// The events there, as far as all is well.
    var records: [IndexRecord] = []
    /// The offset after the last of them.
    var end: Int
    /// What is wrong after that; `nil` where the file ends.
    var defect: String?
    /// Whether there are good events after what is wrong, so that it isn't the rest of an interrupted append.
    var isFollowedByEvents = false
    /// Whether the file's last line has all of its event but not the line end.
    var lacksLineEnd = false

    /// A run of zeros this long is what file systems leave where data didn't reach the disk before a power loss.
    private static let zeroRun = 16

    /// Looks at a log from an offset on.
    init(of log: OpenFile, from offset: Int, to size: Int, firstID: Int) throws(EventStoreError) {
        end = offset
        var id = firstID
        var lastLineEnd = offset
        var hasZeros = false
        var result = ScannedTail(end: offset)
        try LogScanner.forEachLine(in: log, from: offset, to: size) { line, offset throws(EventStoreError) in
            lastLineEnd = offset + line.count
            do throws(LogLine.Malformation) {
                let event = try LogLine.event(line, id: id)
                if result.defect == nil {
                    result.records.append(IndexRecord(event, isHidden: event.isHidden, offset: offset, line: line))
                    result.end = lastLineEnd
                    id += 1
                } else if !hasZeros {
                    result.isFollowedByEvents = true
                }
            } catch {
                if result.defect == nil {
                    result.defect = error.description
                } else if !hasZeros, Self.isEvent(line, after: id) {
                    result.isFollowedByEvents = true
                }
                if Self.hasZeroRun(line) { hasZeros = true }
            }
            return !result.isFollowedByEvents
        }
        if result.defect == nil, lastLineEnd < size {
            let rest = try log.read(lastLineEnd..<size)
            result.lacksLineEnd = rest.withUnsafeBytes { (try? LogLine.event(text: $0, id: id)) != nil }
            result.defect = "the last line is cut off"
        }
        self = result
    }

    private init(end: Int) {
        self.end = end
    }

    private static func isEvent(_ line: UnsafeRawBufferPointer, after id: Int) -> Bool {
        guard let event = try? Event(jsonBytes: line.dropLast().map(\.self)) else { return false }
        return event.id > id
    }

    private static func hasZeroRun(_ line: UnsafeRawBufferPointer) -> Bool {
        var run = 0
        for byte in line {
            run = byte == 0 ? run + 1 : 0
            if run == zeroRun { return true }
        }
        return false
    }
}
