internal import CurlHTTP

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension DockerEndpoint {
    /// Finds the endpoint that the docker command line would use.
    ///
    /// In this order: `DOCKER_HOST` (with `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`); the context named by `DOCKER_CONTEXT`; the
    /// current context of the configuration folder (`DOCKER_CONFIG`, else `~/.docker`); the default socket; on macOS the
    /// socket in `~/.docker/run`, which Docker Desktop makes without administrator's rights.
    ///
    /// - Parameter environment: the variables to look at, usually those of the process.
    /// - Throws: ``DockerEngineError/invalidEndpoint(_:reason:)`` if the configured endpoint can't be used, or a named context doesn't exist.
    public init(environment: [String: String]) throws(DockerEngineError) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

        let configurationFolder = Self.configurationFolder(environment)
        if let host = variable("DOCKER_HOST") {
            var tls: TLSConfiguration?
            let verifies = variable("DOCKER_TLS_VERIFY") != nil
            if verifies || variable("DOCKER_CERT_PATH") != nil {
                let folder = variable("DOCKER_CERT_PATH") ?? configurationFolder
                tls = TLSConfiguration(certificatesIn: folder, verifies: verifies)
            }
            try self.init(parsing: host, tls: tls)
            return
        }
        let named = variable("DOCKER_CONTEXT") ?? Self.currentContext(in: configurationFolder)
        if let named, named != "default" {
            self = try Self.context(named, in: configurationFolder)
            return
        }
        self = .defaultSocket
        #if os(macOS)
        let userSocket = (variable("HOME") ?? "/root") + "/.docker/run/docker.sock"
        if !FileManager.default.fileExists(atPath: "/var/run/docker.sock"),
            FileManager.default.fileExists(atPath: userSocket)
        {
            self.init(.unix(path: userSocket))
        }
        #endif
    }

    /// Where the docker command line keeps its configuration.
    static func configurationFolder(_ environment: [String: String]) -> String {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        return variable("DOCKER_CONFIG") ?? (variable("HOME") ?? "/root") + "/.docker"
    }

    /// The context that `docker context use` has chosen, kept in `config.json`.
    private static func currentContext(in folder: String) -> String? {
        struct Configuration: Decodable { var currentContext: String? }
        guard let data = FileManager.default.contents(atPath: folder + "/config.json") else { return nil }
        // A broken file stops the docker command line; for us the default is as good a guess as any.
        let name = try? JSONDecoder().decode(Configuration.self, from: data).currentContext
        return name.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Reads a context from the command line's store: a folder per context, named by a hash of its name, with a `meta.json` that
    /// has the name itself; its certificates are in a folder of the same hash.
    private static func context(_ name: String, in folder: String) throws(DockerEngineError) -> DockerEndpoint {
        let store = folder + "/contexts"
        let hashes = (try? FileManager.default.contentsOfDirectory(atPath: store + "/meta")) ?? []
        for hash in hashes {
            guard let data = FileManager.default.contents(atPath: "\(store)/meta/\(hash)/meta.json"),
                let metadata = try? JSONDecoder().decode(ContextMetadata.self, from: data), metadata.name == name
            else { continue }
            guard let endpoint = metadata.endpoints["docker"], let host = endpoint.host else {
                throw .invalidEndpoint("context \(name)", reason: "the context has no docker endpoint")
            }
            let certificates = "\(store)/tls/\(hash)/docker"
            let hasCertificates = FileManager.default.fileExists(atPath: certificates)
            let tls = TLSConfiguration(certificatesIn: certificates, verifies: endpoint.skipsVerification != true)
            return try DockerEndpoint(parsing: host, tls: hasCertificates ? tls : nil)
        }
        throw .invalidEndpoint(
            "context \(name)",
            reason: "there is no such context in \(store); `docker context ls` shows those that exist"
        )
    }
}

extension TLSConfiguration {
    /// The certificates of a folder under the names that the docker command line gives them; those that are missing aren't used.
    fileprivate init(certificatesIn folder: String, verifies: Bool) {
        func existing(_ name: String) -> String? {
            let path = "\(folder)/\(name)"
            return FileManager.default.fileExists(atPath: path) ? path : nil
        }
        self.init(
            authorityFile: existing("ca.pem"),
            certificateFile: existing("cert.pem"),
            keyFile: existing("key.pem"),
            verifiesPeer: verifies,
            verifiesHostName: verifies
        )
    }
}
