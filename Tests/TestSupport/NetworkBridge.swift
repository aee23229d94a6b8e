#if os(Linux)
import Foundation

/// Lends a network bridge for an engine of a test's own.
///
/// An engine without a bridge (`--bridge none`) would take away `docker0`, and with it the network of the machine's engine. It
/// takes root, or `sudo` without a password.
///
/// - Parameter body: gets the bridge's name.
public func withNetworkBridge<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    // Of 198.18.0.0/15, which is in nobody's use: RFC 2544.
    let (number, part) = (UInt32.random(in: .min ... .max), Int.random(in: 0...255))
    let name = "sdr-\(String(number, radix: 36))"
    let addition = #"ip link add "$1" type bridge && ip address add "$2" dev "$1" && ip link set "$1" up"#
    try await ip("add", name, addition, part)
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await body(name))
    } catch {
        result = .failure(error)
    }
    try await ip("remove", name, #"ip link delete "$1""#, part)
    return try result.get()
}

private func ip(_ purpose: String, _ name: String, _ script: String, _ part: Int) async throws {
    try await withTemporaryDirectory { directory in
        let asRoot = geteuid() == 0 ? [] : ["sudo", "--non-interactive"]
        let process = try ChildProcess(
            "/usr/bin/env",
            asRoot + ["sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; \(script)", "sh", name, "198.18.\(part).1/24"],
            output: directory.appending(path: "output")
        )
        guard await process.exitStatus() == 0 else {
            throw TestEnvironment.Missing(
                description: "Can't \(purpose) the bridge \(name), for which ip (Debian: iproute2) and root or sudo are"
                    + " needed: \(process.text)"
            )
        }
    }
}
#endif
