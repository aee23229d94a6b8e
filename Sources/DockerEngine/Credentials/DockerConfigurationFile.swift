#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What the docker command's `config.json` says about registries.
///
/// A value without I/O. The format is that of `docker/cli/cli/config/configfile`.
struct DockerConfigurationFile: Decodable {
    /// What the file has for one registry; the rest is in the helper's hands.
    struct Entry: Decodable {
        /// `user:password` in base64.
        var auth: String?
        var username: String?
        var password: String?
        var identitytoken: String?
        var registrytoken: String?
    }

    /// By registry.
    var auths: [String: Entry]?
    /// The helper for all registries that have none of their own.
    var credsStore: String?
    /// The helpers, by registry.
    var credHelpers: [String: String]?

    /// The helper that knows the credentials for a registry, by the end of its program's name.
    func helper(for key: String) -> String? {
        let name = credHelpers?[key] ?? credsStore
        return name.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The credentials for a registry that are in the file itself.
    func credentials(for key: String) -> RegistryCredentials? {
        // A key may be an URL, as older versions wrote them.
        let entry = auths?[key] ?? auths?.first { Self.host($0.key) == Self.host(key) }?.value
        guard let entry else { return nil }
        var credentials = RegistryCredentials(
            username: entry.username,
            password: entry.password,
            serverAddress: key,
            identityToken: entry.identitytoken,
            registryToken: entry.registrytoken
        )
        if let auth = entry.auth, !auth.isEmpty {
            guard let data = Data(base64Encoded: auth) else { return nil }
            let parts = String(decoding: data, as: UTF8.self).split(
                separator: ":",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard parts.count == 2 else { return nil }
            credentials.username = String(parts[0])
            credentials.password = String(parts[1].prefix { $0 != "\0" })
        }
        // With a helper, the file has empty entries for what the helper keeps.
        let isEmpty = [credentials.username, credentials.identityToken, credentials.registryToken].allSatisfy {
            $0?.isEmpty ?? true
        }
        return isEmpty ? nil : credentials
    }

    /// The host of an URL, or of what is one already.
    private static func host(_ key: String) -> Substring {
        let rest = key.firstRange(of: "://").map { key[$0.upperBound...] } ?? key[...]
        return rest.prefix { $0 != "/" }
    }
}
