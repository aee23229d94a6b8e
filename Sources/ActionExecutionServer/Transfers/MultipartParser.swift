#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What is wrong with a multipart body.
struct MultipartError: Error, Equatable {
    var detail: String
    /// 400 for the form, 413 for more than may be, 415 for something else than a form.
    var status = 400
}

/// Takes a form with files apart as it arrives (RFC 7578, RFC 2046 section 5.1); a value that does no I/O.
///
/// Feed it with ``append(_:)`` and take parts with ``next()`` until that returns nil; at the end of the body call ``finish()``.
/// However the bytes are split, the same comes out, and no more is kept than might be a delimiter.
struct MultipartParser {
    /// The sizes beyond which a body is refused.
    struct Limits: Sendable {
        /// Bytes of the header fields of a part.
        var partHead = 16 * 1024
        var partCount = 1000
        /// Bytes before the first delimiter, which mean nothing.
        var preamble = 64 * 1024
        /// White space behind a delimiter.
        var padding = 256
    }

    /// What was found, in the order of the wire.
    enum Event: Equatable {
        case part(MultipartPart)
        /// Never empty.
        case data([UInt8])
        case partEnd
        /// What follows means nothing.
        case end
    }

    private enum State {
        case preamble
        /// Behind a delimiter, where its line goes on.
        case delimiter
        case head
        case data
        case epilogue
        /// After a refusal: nothing that follows can be trusted.
        case failed(MultipartError)
    }

    private let limits: Limits
    /// With the line end before it, which belongs to it and not to the content.
    private let delimiter: [UInt8]
    private var state = State.preamble
    /// The first delimiter may have no line before it.
    private var buffer: [UInt8] = [0x0d, 0x0a]
    /// Where the bytes begin that were not taken yet.
    private var start = 0
    private var preambleSize = 0
    private var partCount = 0

    /// - Parameter contentType: of the request.
    init(contentType: String, limits: Limits = Limits()) throws(MultipartError) {
        let field = HeaderParameters(Array(contentType.utf8))
        guard field.value == Array("multipart/form-data".utf8) else {
            throw MultipartError(detail: "The body must be multipart/form-data", status: 415)
        }
        // RFC 2046, section 5.1.1. More characters are let through than it names, since clients use them.
        guard let boundary = field["boundary"], (1...70).contains(boundary.count),
            boundary.allSatisfy({ (0x20..<0x7f).contains($0) }), boundary.last != 0x20
        else { throw MultipartError(detail: "The content type has no valid boundary") }
        delimiter = Array("\r\n--".utf8) + boundary
        self.limits = limits
    }

    mutating func append(_ bytes: [UInt8]) {
        if start == buffer.count {
            buffer = bytes
            start = 0
            return
        }
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        buffer += bytes
    }

    /// The next event, or nil when more bytes are needed.
    ///
    /// - Throws: what is wrong with the body; the same again from then on.
    mutating func next() throws(MultipartError) -> Event? {
        do throws(MultipartError) {
            return try parse()
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// The body has ended.
    func finish() throws(MultipartError) {
        switch state {
        case .epilogue: return
        case .failed(let error): throw error
        default: throw MultipartError(detail: "The form is cut off")
        }
    }

    private mutating func parse() throws(MultipartError) -> Event? {
        while true {
            switch state {
            case .preamble:
                let skipped = takeContent()
                preambleSize += skipped.bytes.count
                guard preambleSize <= limits.preamble else {
                    throw MultipartError(detail: "There is no part where the form should begin")
                }
                guard skipped.isWhole else { return nil }
                state = .delimiter
            case .delimiter:
                guard let isLast = try takeDelimiterEnd() else { return nil }
                state = isLast ? .epilogue : .head
                if isLast { return .end }
            case .head:
                guard let part = try takePartHead() else { return nil }
                partCount += 1
                guard partCount <= limits.partCount else {
                    throw MultipartError(detail: "The form has more than \(limits.partCount) parts", status: 413)
                }
                state = .data
                return .part(part)
            case .data:
                let content = takeContent()
                if !content.bytes.isEmpty {
                    // The end is found again, at the very beginning.
                    if content.isWhole { start -= delimiter.count }
                    return .data(Array(content.bytes))
                }
                guard content.isWhole else { return nil }
                state = .delimiter
                return .partEnd
            case .epilogue:
                start = buffer.count
                return nil
            case .failed(let error):
                throw error
            }
        }
    }

    // MARK: Taking bytes

    /// What is content for certain, and whether a delimiter follows, which is taken too.
    private mutating func takeContent() -> (bytes: ArraySlice<UInt8>, isWhole: Bool) {
        let begin = start
        let (end, isWhole) = buffer.withUnsafeBytes { buffer in Self.contentEnd(in: buffer, from: begin, delimiter) }
        start = isWhole ? end + delimiter.count : end
        return (buffer[begin..<end], isWhole)
    }

    /// Where a delimiter begins, or what may become one.
    private static func contentEnd(
        in buffer: UnsafeRawBufferPointer,
        from start: Int,
        _ delimiter: [UInt8]
    ) -> (end: Int, isDelimiter: Bool) {
        guard let base = buffer.baseAddress else { return (0, false) }
        var position = start
        while position < buffer.count,
            let found = memchr(base + position, Int32(delimiter[0]), buffer.count - position)
        {
            position = base.distance(to: UnsafeRawPointer(found))
            let length = min(delimiter.count, buffer.count - position)
            if memcmp(found, delimiter, length) == 0 { return (position, length == delimiter.count) }
            position += 1
        }
        return (buffer.count, false)
    }

    /// Whether the delimiter whose beginning was taken is the last one; nil when more bytes are needed.
    private mutating func takeDelimiterEnd() throws(MultipartError) -> Bool? {
        let line = buffer[start...]
        if line.count >= 2, line.starts(with: Array("--".utf8)) {
            start += 2
            return true
        }
        guard let end = line.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }), end - start <= limits.padding else {
            guard line.count <= limits.padding else { throw Self.malformedDelimiter }
            return nil
        }
        let ending = buffer[end...].prefix(2)
        // A dash may be the first of two, and a carriage return be followed by its line feed.
        if ending.count == 1, ending.first == 0x0d || (ending.first == UInt8(ascii: "-") && end == start) { return nil }
        guard ending.elementsEqual([0x0d, 0x0a]) else { throw Self.malformedDelimiter }
        start = end + 2
        return false
    }

    private static let malformedDelimiter = MultipartError(detail: "There are bytes behind a boundary of the form")

    private mutating func takePartHead() throws(MultipartError) -> MultipartPart? {
        var fields: [(name: String, value: ArraySlice<UInt8>)] = []
        var position = start
        while true {
            let rest = buffer[position...]
            guard let feed = rest.firstIndex(of: 0x0a), feed - start <= limits.partHead else {
                guard buffer.count - start <= limits.partHead else {
                    throw MultipartError(detail: "The head of a part is too large", status: 413)
                }
                return nil
            }
            let line = rest[..<feed]
            guard line.last == 0x0d else { throw MultipartError(detail: "A line of a part's head is malformed") }
            position = feed + 1
            if line.count == 1 { break }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy({ (0x21..<0x7f).contains($0) })
            else { throw MultipartError(detail: "A line of a part's head is malformed") }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            fields.append((name, line[(colon + 1)..<(feed - 1)]))
        }
        start = position
        return MultipartPart(fields)
    }
}

/// What the head of a part says.
struct MultipartPart: Equatable {
    /// The name of the form's field.
    var name: [UInt8]?
    /// The name of the file, when the part is one.
    var filename: [UInt8]?

    init(name: [UInt8]?, filename: [UInt8]?) {
        self.name = name
        self.filename = filename
    }

    fileprivate init(_ fields: [(name: String, value: ArraySlice<UInt8>)]) {
        guard let field = fields.first(where: { $0.name == "content-disposition" }) else { return }
        let parameters = HeaderParameters(Array(field.value))
        guard parameters.value == Array("form-data".utf8) else { return }
        name = parameters["name"].map(Self.withoutEscapes)
        filename = parameters.extended("filename") ?? parameters["filename"].map(Self.withoutEscapes)
    }

    /// Browsers, and Python's httpx after them, escape three bytes
    /// (https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data).
    private static func withoutEscapes(_ name: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = name[...]
        while let byte = rest.popFirst() {
            switch String(decoding: rest.prefix(2), as: UTF8.self).uppercased() {
            case "22" where byte == UInt8(ascii: "%"): result.append(UInt8(ascii: "\""))
            case "0A" where byte == UInt8(ascii: "%"): result.append(0x0a)
            case "0D" where byte == UInt8(ascii: "%"): result.append(0x0d)
            default:
                result.append(byte)
                continue
            }
            rest = rest.dropFirst(2)
        }
        return result
    }
}
