import EventStream

/// A form with one file (RFC 7578), made while it is sent.
struct MultipartBody: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    /// Gives the file's content, a piece at a time; nil at its end.
    typealias Source = @Sendable () async throws -> [UInt8]?

    private let boundary: String
    private let filename: [UInt8]
    private let source: Source

    init(filename: [UInt8], source: @escaping Source) {
        // Random: no content has it by chance, nor by design.
        boundary = randomHexadecimal(byteCount: 16)
        self.filename = filename
        self.source = source
    }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate enum Stage { case head, content, end }

        fileprivate let body: MultipartBody
        fileprivate var stage = Stage.head

        mutating func next() async throws -> [UInt8]? {
            switch stage {
            case .head:
                stage = .content
                return body.head
            case .content:
                if let piece = try await body.source() { return piece }
                stage = .end
                return Array("\r\n--\(body.boundary)--\r\n".utf8)
            case .end: return nil
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(body: self)
    }

    private var head: [UInt8] {
        var head = Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".utf8)
        for byte in filename {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): head += [UInt8(ascii: "\\"), byte]
            case 0x0a: head += Array("%0A".utf8)
            case 0x0d: head += Array("%0D".utf8)
            default: head.append(byte)
            }
        }
        head.append(UInt8(ascii: "\""))
        // The form above reads as other names too; a server that knows RFC 8187 takes this one, others ignore it.
        if filename.contains(where: { !(0x20..<0x7f).contains($0) || [0x22, 0x25, 0x5c].contains($0) }) {
            head += Array("; filename*=UTF-8''\(PercentCoding.encode(filename))".utf8)
        }
        return head + Array("\r\nContent-Type: application/octet-stream\r\n\r\n".utf8)
    }
}
