import EventStream

/// Decides from its head whether a request may be answered.
struct RequestGuard: Sendable {
    /// Routes that answer without a key, as in the reference.
    static let openPaths: Set<String> = ["/alive", "/server_info"]

    /// The SHA-256 digest of the key.
    var sessionAPIKeyDigest: [UInt8]?
    var allowedHosts: Set<String>

    /// The response that refuses the request, or nil when it may pass.
    func refusal(of head: HTTPRequestHead) -> HTTPResponse? {
        if let host = head.headers.single("host"), !isAllowed(host: host) {
            return HTTPResponse(detail: "This server is not \(host)", status: 421)
        }
        // A browser names the page that a request comes from. No page has business here but one of the server's own.
        for origin in head.headers.values(for: "origin") where !isOwn(origin: origin, head: head) {
            return HTTPResponse(detail: "Requests from the origin \(origin) are refused", status: 403)
        }
        if Self.openPaths.contains(String(head.path)) { return nil }
        guard let digest = sessionAPIKeyDigest else { return nil }
        guard let given = head.headers.single("x-session-api-key"), Self.areEqual(SHA256.digest(given), digest) else {
            return HTTPResponse(detail: "Invalid API Key", status: 403)
        }
        return nil
    }

    private func isAllowed(host: String) -> Bool {
        let name = Self.withoutPort(host).lowercased()
        return name.isEmpty || name == "localhost" || Self.isAddress(name) || allowedHosts.contains(name)
    }

    private func isOwn(origin: String, head: HTTPRequestHead) -> Bool {
        head.headers.single("host").map { origin == "http://\($0)" } ?? false
    }

    private static func withoutPort(_ host: String) -> Substring {
        if host.first == "[" { return host.prefix { $0 != "]" }.dropFirst() }
        return host.prefix { $0 != ":" }
    }

    /// An IP address can't be made to lead elsewhere, unlike a name.
    private static func isAddress(_ name: String) -> Bool {
        if name.contains(":") { return name.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Compares in a time that doesn't depend on where the digests differ.
    private static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
