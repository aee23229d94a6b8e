import Foundation
import Synchronization

/// Stands between a client and a server on loopback, and cuts connections at chosen points of a request.
public final class CuttingProxy: Sendable {
    /// Where the exchange of an action is cut.
    public enum Cut: Sendable, CaseIterable {
        /// The server hears nothing of the request.
        case beforeRequest
        /// The server gets half of the request's body.
        case duringRequest
        /// The server has the whole request and works at it.
        case whileRunning
        /// The server has answered, and the client hears nothing of it.
        case beforeResponse
        /// The client gets half of the response.
        case duringResponse
        /// The client gets the response, and its connection is reset after it.
        case afterResponse
    }

    private struct State {
        var cuts: [Cut?]
        var requestCount = 0
        var descriptors: Set<Int32> = []
        var isStopped = false
    }

    /// The port of the loopback address to connect to.
    public let port: Int
    private let listener: Int32
    private let serverPort: Int
    private let state: Mutex<State>

    /// Starts a proxy.
    ///
    /// - Parameters:
    ///   - serverPort: where the server listens on the loopback address.
    ///   - cuts: what is done to each request for `/execute_action`, in order. Those with nil are left alone, as are those
    ///     after them and requests for something else.
    public init(to serverPort: Int, cuts: [Cut?]) throws {
        self.serverPort = serverPort
        state = Mutex(State(cuts: cuts))
        (listener, port) = try Socket.listenOnLoopback()
        Thread.detachNewThread { [self] in acceptLoop() }
    }

    /// How many requests for `/execute_action` came.
    public var requestCount: Int { state.withLock { $0.requestCount } }

    /// Ends all connections and the listening.
    public func stop() {
        state.withLock { state in
            state.isStopped = true
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func acceptLoop() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            guard register(client) else {
                close(client)
                return
            }
            Thread.detachNewThread { [self] in
                serve(client)
                unregister(client)
            }
        }
    }

    private func register(_ descriptor: Int32) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.descriptors.insert(descriptor)
            return true
        }
    }

    /// Closes it too, while nobody else can shut it down.
    private func unregister(_ descriptor: Int32) {
        state.withLock { state in
            state.descriptors.remove(descriptor)
            close(descriptor)
        }
    }

    /// Passes on one request after the other, each over a connection of its own to the server.
    private func serve(_ client: Int32) {
        var buffer: [UInt8] = []
        while let request = readMessage(client, &buffer) {
            let isAction = request.head.contains(" /execute_action ")
            let cut = state.withLock { state -> Cut? in
                guard isAction else { return nil }
                state.requestCount += 1
                return state.cuts.isEmpty ? nil : state.cuts.removeFirst()
            }
            guard let server = Socket.connectToLoopback(port: serverPort) else { return }
            guard register(server) else {
                close(server)
                return
            }
            let goesOn = pass(request, from: client, to: server, cut)
            unregister(server)
            guard goesOn else {
                Socket.resetOnClose(client)
                return
            }
        }
    }

    /// - Returns: whether the client's connection lives on.
    private func pass(_ request: Message, from client: Int32, to server: Int32, _ cut: Cut?) -> Bool {
        switch cut {
        case .beforeRequest:
            return false
        case .duringRequest:
            _ = Socket.sendAll(server, request.bytes.dropLast(request.bodyCount / 2 + 1))
            return false
        default:
            guard Socket.sendAll(server, request.bytes) else { return false }
        }
        // The server isn't reset here: it goes on to read what was sent, and to act on it.
        if cut == .whileRunning { return false }
        if request.head.lowercased().contains("accept: text/event-stream") {
            return passStream(from: server, to: client, isCut: cut == .duringResponse)
        }
        var buffer: [UInt8] = []
        guard let response = readMessage(server, &buffer) else { return false }
        switch cut {
        case .beforeResponse:
            return false
        case .duringResponse:
            _ = Socket.sendAll(client, response.bytes.dropLast(response.bodyCount / 2 + 1))
            // The bytes must be there before the end: no reset, which could overtake them.
            shutdown(client, Int32(SHUT_WR))
            return false
        case .afterResponse:
            _ = Socket.sendAll(client, response.bytes)
            shutdown(client, Int32(SHUT_WR))
            return false
        default:
            return Socket.sendAll(client, response.bytes)
        }
    }

    /// Passes on what comes until the server ends it.
    ///
    /// - Parameter isCut: whether the connection ends with the first event instead.
    private func passStream(from server: Int32, to client: Int32, isCut: Bool) -> Bool {
        var head: [UInt8] = []
        while true {
            let bytes = Socket.receive(server)
            guard !bytes.isEmpty, Socket.sendAll(client, bytes) else { return false }
            guard isCut else { continue }
            head += bytes
            guard head.firstRange(of: Array("event: output".utf8)) != nil else { continue }
            shutdown(client, Int32(SHUT_WR))
            return false
        }
    }

    private struct Message {
        var bytes: [UInt8]
        var head: String
        var bodyCount: Int
    }

    /// A message whose body has a `Content-Length`, or none; what comes after it stays in the buffer.
    private func readMessage(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Message? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = buffer.firstRange(of: end) {
                let head = String(decoding: buffer[..<range.upperBound], as: UTF8.self)
                let length = head.lowercased().split(separator: "\r\n").lazy
                    .compactMap { $0.hasPrefix("content-length:") ? Int($0.dropFirst(15).drop { $0 == " " }) : nil }
                    .first
                let count = range.upperBound + (length ?? 0)
                if buffer.count >= count {
                    defer { buffer.removeFirst(count) }
                    return Message(bytes: Array(buffer.prefix(count)), head: head, bodyCount: length ?? 0)
                }
            }
            let bytes = Socket.receive(descriptor)
            guard !bytes.isEmpty else { return nil }
            buffer += bytes
        }
    }
}
