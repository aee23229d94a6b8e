#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The credentials for registries that `docker login` has left on this machine: in the docker command's configuration, or
/// with the helpers that it names.
///
/// ```swift
/// let store = RegistryCredentialStore(environment: ProcessInfo.processInfo.environment)
/// let credentials = try await store.credentials(forImage: "registry.example.com/owner/image:1")
/// for try await _ in try await engine.pullImage("registry.example.com/owner/image:1", credentials: credentials) {}
/// ```
public struct RegistryCredentialStore: Sendable {
    private let environment: [String: String]

    /// Makes a store on the configuration in `DOCKER_CONFIG`, else `~/.docker`.
    ///
    /// - Parameter environment: the variables to look at, and those that helpers get.
    public init(environment: [String: String]) {
        self.environment = environment
    }

    /// The credentials for the registry of an image; nil when there are none, and it may be pulled by anybody or not at all.
    ///
    /// A helper may ask the user something.
    ///
    /// - Throws: ``RegistryCredentialError``, `CancellationError`.
    public func credentials(forImage name: String) async throws -> RegistryCredentials? {
        let path = DockerEndpoint.configurationFolder(environment) + "/config.json"
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let file: DockerConfigurationFile
        do {
            file = try JSONDecoder().decode(DockerConfigurationFile.self, from: data)
        } catch {
            throw RegistryCredentialError.unreadableConfiguration(path: path)
        }
        let key = ImageReference(name).credentialKey
        if let helper = file.helper(for: key) {
            let found = try await CredentialHelper(name: helper, environment: environment).credentials(for: key)
            if let found { return found }
        }
        return file.credentials(for: key)
    }
}

/// Why credentials could not be looked up.
///
/// Nothing secret is in it.
public enum RegistryCredentialError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The docker command's configuration isn't what it should be.
    case unreadableConfiguration(path: String)
    /// The program of a helper that the configuration names isn't there.
    case helperMissing(program: String)
    /// The helper failed.
    case helperFailed(program: String, registry: String, reason: String)

    /// One sentence that says what was tried, and what to do.
    public var description: String {
        switch self {
        case .unreadableConfiguration(let path):
            "\(path) is not the docker command's configuration in JSON; mend it, or log in again."
        case .helperMissing(let program):
            "The docker configuration has credentials kept by \(program), which is not in PATH; install it, or remove it from "
                + "credsStore and credHelpers in config.json."
        case .helperFailed(let program, let registry, let reason):
            "\(program) could not give the credentials for \(registry): \(reason)"
        }
    }
}
