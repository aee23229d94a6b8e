/// Makes bytes that are almost requests.
struct RequestMutator {
    /// Requests with what the parser knows of, and some that it refuses.
    static let seeds: [[UInt8]] = [
        "GET /1 HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n",
        "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n\r\nbody\n",
        "POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + "4\r\nWiki\r\n6;name=value\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\n",
        "\r\n\r\nGET /%61live?q HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET http://h:80/x HTTP/1.1\r\nhOST:\th:80 \r\nConnection: close, x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HEAD /é HTTP/1.1\r\nHost: h\r\nX: ü\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    ].map { Array($0.utf8) }

    /// What stands between the meaning of one request and another.
    private static let tokens: [[UInt8]] = [
        "\r\n", "\n", "\r", " ", "\t", ":", "\u{0}", "\u{7f}", "chunked", "Transfer-Encoding: ", "Content-Length: ",
        "Host: ", "0\r\n\r\n", "\r\n\r\n", ";", "+", "0x", "-1", "99999999999999999999", "fffffffffffffff", ",",
        "HTTP/1.1", "http://", "*", "%", "Expect: 100-continue\r\n", "\r\n ",
    ].map { Array($0.utf8) }

    var random: SeededGenerator

    /// The next input: random bytes, or one to three requests with up to six places changed.
    mutating func next() -> [UInt8] {
        if Int.random(in: 0..<10, using: &random) == 0 {
            let count = Int.random(in: 0..<400, using: &random)
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) { bytes += Self.seeds.randomElement(using: &random) ?? [] }
        for _ in 0..<Int.random(in: 0...6, using: &random) { mutate(&bytes) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let index = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, index + Int.random(in: 0..<12, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where index < bytes.count: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(index..<end)
        case 2: bytes.insert(contentsOf: Self.tokens.randomElement(using: &random) ?? [], at: index)
        case 3: bytes.replaceSubrange(index..<end, with: Self.tokens.randomElement(using: &random) ?? [])
        case 4: bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0...bytes.count, using: &random))
        default:
            let filler = UInt8.random(in: 0x20...0x7e, using: &random)
            let count = Int.random(in: 0..<350, using: &random)
            bytes.insert(contentsOf: repeatElement(filler, count: count), at: index)
        }
    }
}
