/// A machine that is reached by ssh, and the engine on it.
public struct SSHDestination: Sendable, Hashable {
    /// The machine, or a name for it in ssh's configuration.
    public var host: String
    /// The user; ssh's choice if `nil`.
    public var user: String?
    /// The port; ssh's choice if `nil`.
    public var port: Int?
    /// The engine's socket there; the choice of the docker command there if `nil`.
    public var socketPath: String?
    /// More options of `ssh`, such as `["-i", "/path/of/a/key"]`; most are better placed in its configuration.
    public var options: [String] = []

    /// Creates a destination.
    public init(host: String, user: String? = nil, port: Int? = nil, socketPath: String? = nil) {
        self.host = host
        self.user = user
        self.port = port
        self.socketPath = socketPath
    }

    /// Parses what follows `ssh://`: `[user@]host[:port][/path/of/the/socket]`.
    init(parsing text: Substring, _ refuse: (String) -> DockerEngineError) throws(DockerEngineError) {
        let authority = text.prefix { $0 != "/" }
        let path = text[authority.endIndex...]
        let parts = authority.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        user = parts.count == 2 ? String(parts[0]) : nil
        guard user != "", user?.contains(":") != true else {
            throw refuse("a password has no place in it; write ssh://user@host, and give ssh a key")
        }
        socketPath = path.count > 1 ? String(path) : nil
        let place = parts[parts.count - 1]
        let isBracketed = place.hasPrefix("[")
        guard let end = isBracketed ? place.firstIndex(of: "]") : place.firstIndex(of: ":") ?? place.endIndex else {
            throw refuse("the IPv6 address has no closing bracket")
        }
        host = String(isBracketed ? place[place.index(after: place.startIndex)..<end] : place[..<end])
        let tail = isBracketed ? place[place.index(after: end)...] : place[end...]
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace }) else { throw refuse("it has no host") }
        guard tail.isEmpty || tail.hasPrefix(":") else { throw refuse("after the address comes a colon and the port") }
        guard let digits = tail.isEmpty ? nil : tail.dropFirst() else { return }
        guard let number = Int(digits), (1...65535).contains(number) else {
            throw refuse("the port \(digits) is not a number from 1 to 65535")
        }
        port = number
    }

    /// The destination as it is written after `ssh://`.
    var text: String {
        let place = host.contains(":") ? "[\(host)]" : host
        return "\(user.map { "\($0)@" } ?? "")\(place)\(port.map { ":\($0)" } ?? "")\(socketPath ?? "")"
    }

    /// The arguments of `ssh` before what it is to do.
    ///
    /// Nobody is there to answer questions, so that ssh asks none: a key that needs a passphrase is in an agent.
    private var arguments: [String] {
        var arguments = ["-o", "ConnectTimeout=30", "-o", "BatchMode=yes", "-T"] + options
        if let user { arguments += ["-l", user] }
        if let port { arguments += ["-p", String(port)] }
        return arguments
    }

    /// The arguments of `ssh` that connect its input and output to the engine: what the docker command does
    /// (`docker/cli/cli/connhelper`).
    var engineArguments: [String] {
        var command = ["docker"]
        // The words are put together for the shell there.
        if let socketPath { command += ["--host", "'unix://\(socketPath.replacing("'", with: #"'\''"#))'"] }
        return arguments + ["--", host] + command + ["system", "dial-stdio"]
    }

    /// The arguments of `ssh` that connect its input and output to a port that is seen from there.
    func portArguments(_ target: String, _ port: Int) -> [String] {
        arguments + ["-W", "\(target.contains(":") ? "[\(target)]" : target):\(port)", "--", host]
    }
}
