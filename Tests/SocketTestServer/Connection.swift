internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#endif

/// One accepted connection, used by its thread; `interrupt` may come from another.
package final class Connection: Sendable {
    private struct State {
        var isOpen = true
        var pending: [UInt8] = []
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    package struct Request: Sendable {
        package var head: String
        package var line: String { head.split(separator: "\r\n").first.map(String.init) ?? "" }
        package var path: String { line.split(separator: " ").dropFirst().first.map(String.init) ?? "" }

        package func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts[0].lowercased() == name.lowercased() {
                    return parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
                }
            }
            return nil
        }
    }

    /// The next request's head; `nil` once the client is gone.
    package func readHead() -> Request? {
        var bytes: [UInt8] = []
        while let byte = readByte() {
            bytes.append(byte)
            // The beginning of a TLS handshake: a client that tries that first should learn soon that it is of no use.
            if bytes == [0x16] { return nil }
            if bytes.suffix(4) == [13, 10, 13, 10] { return Request(head: String(decoding: bytes, as: UTF8.self)) }
        }
        return nil
    }

    /// The body that belongs to a head: of the announced length, or chunked.
    package func readBody(of request: Request) -> [UInt8]? {
        if let length = request.header("Content-Length").flatMap({ Int($0) }) { return read(exactly: length) }
        guard request.header("Transfer-Encoding") == "chunked" else { return [] }
        var body: [UInt8] = []
        while let line = readLine(), let size = Int(line, radix: 16) {
            guard let chunk = read(exactly: size), readLine() != nil else { return nil }
            if size == 0 { return body }
            body += chunk
        }
        return nil
    }

    /// Blocks until the client closes; what it still sends is dropped.
    package func waitForClose() {
        while readByte() != nil { state.withLock { $0.pending = [] } }
    }

    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            #if os(Linux)
            let flags = Int32(MSG_NOSIGNAL)
            #else
            let flags: Int32 = 0
            #endif
            let count = bytes.withUnsafeBytes { buffer in
                #if canImport(Darwin)
                Darwin.send(descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset, flags)
                #else
                Glibc.send(descriptor, buffer.baseAddress.map { $0 + offset }, buffer.count - offset, flags)
                #endif
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    package func respond(status: Int = 200, headers: String = "", body: [UInt8] = []) {
        send(Array("HTTP/1.1 \(status) X\r\nContent-Length: \(body.count)\r\n\(headers)\r\n".utf8) + body)
    }

    /// Closes so that the peer gets a reset instead of an end.
    package func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        close()
    }

    package func close() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            #if canImport(Darwin)
            _ = Darwin.close(descriptor)
            #else
            _ = Glibc.close(descriptor)
            #endif
        }
    }

    func interrupt() {
        state.withLock { state in
            guard state.isOpen else { return }
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    package func read(exactly count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let taken = state.withLock { state in
                let taken = Array(state.pending.prefix(count - bytes.count))
                state.pending.removeFirst(taken.count)
                return taken
            }
            bytes += taken
            if taken.isEmpty && !fill() { return nil }
        }
        return bytes
    }

    private func readLine() -> String? {
        var bytes: [UInt8] = []
        while let byte = readByte() {
            if byte == 10 { return String(decoding: bytes.dropLast(), as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    private func readByte() -> UInt8? { read(exactly: 1)?.first }

    private func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var count: Int
        repeat { count = recv(descriptor, &buffer, buffer.count, 0) } while count < 0 && errno == EINTR
        guard count > 0 else { return false }
        state.withLock { $0.pending += buffer.prefix(count) }
        return true
    }
}
