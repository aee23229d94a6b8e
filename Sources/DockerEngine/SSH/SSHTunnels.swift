internal import Synchronization

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The sockets of a client that lead through ssh: to the engine, and to ports of its machine.
///
/// Each is made when it is first asked for. Each connection is an `ssh` of its own, as with the docker command; one
/// that is kept open for all is a matter of ssh's configuration (`ControlMaster`).
final class SSHTunnels: Sendable {
    private struct State {
        var engine: ProgramSocket?
        var ports: [String: ProgramSocket] = [:]
        var isClosed = false
    }

    private let destination: SSHDestination
    private let endpoint: String
    private let state = Mutex(State())

    init(_ destination: SSHDestination, endpoint: String) {
        self.destination = destination
        self.endpoint = endpoint
    }

    /// The socket that leads to the engine.
    func engineSocket() throws(DockerEngineError) -> String {
        try state.withLock { state throws(DockerEngineError) in
            if let socket = state.engine { return socket.path }
            let socket = try socket(destination.engineArguments, state)
            state.engine = socket
            return socket.path
        }
    }

    /// A socket that leads to a port.
    func socket(forwardingTo port: Int, of host: String) throws(DockerEngineError) -> String {
        try state.withLock { state throws(DockerEngineError) in
            let key = "\(host) \(port)"
            if let socket = state.ports[key] { return socket.path }
            let socket = try socket(destination.portArguments(host, port), state)
            state.ports[key] = socket
            return socket.path
        }
    }

    /// What the last `ssh` to the engine that failed had to say.
    var failure: String? { state.withLock { $0.engine }?.failure }

    /// Ends every `ssh`.
    func close() {
        let sockets = state.withLock { state in
            state.isClosed = true
            return [state.engine].compactMap { $0 } + state.ports.values
        }
        for socket in sockets { socket.close() }
    }

    private func socket(_ arguments: [String], _ state: State) throws(DockerEngineError) -> ProgramSocket {
        func failed(_ reason: String) -> DockerEngineError { .sshFailed(endpoint: endpoint, reason: reason) }
        guard !state.isClosed else { throw failed("the client is closed") }
        let environment = ProcessInfo.processInfo.environment
        guard let program = ChildProgram.path(of: "ssh", environment: environment) else {
            throw failed("there is no ssh in PATH")
        }
        do {
            return try ProgramSocket(program: program, arguments: arguments, environment: environment)
        } catch {
            throw failed("no socket can be made for it: \(error)")
        }
    }
}
