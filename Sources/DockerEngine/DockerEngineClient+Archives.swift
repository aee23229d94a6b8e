public import CurlHTTP

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension DockerEngineClient {
    /// `PUT /containers/{id}/archive`: unpacks a tar archive into a folder of a container, which need not run.
    ///
    /// - Parameters:
    ///   - archive: the archive, plain or compressed with gzip, bzip2 or xz; see ``TarArchive``.
    ///   - path: a folder that exists.
    ///   - keepsOwners: whether owners are taken from the archive; otherwise everything belongs to root.
    public func putArchive(
        _ archive: HTTPRequest.Body,
        into path: String,
        of container: String,
        keepsOwners: Bool = false
    ) async throws {
        var call = EngineCall("PUT", "/containers/\(container)/archive")
        call.add("path", path)
        call.add("copyUIDGID", keepsOwners)
        call.add("noOverwriteDirNonDir", true)
        call.setBody(archive: archive)
        try await perform(call)
    }

    /// `GET /containers/{id}/archive`: a file or folder of a container as a tar archive.
    ///
    /// - Returns: what the path is, and the archive, in which it has its own last name.
    /// - Throws: ``DockerEngineError`` that `isNotFound` if there is no such container or path.
    public func getArchive(
        of path: String,
        in container: String
    ) async throws -> (status: PathStatus, archive: HTTPResponse.Body) {
        var call = EngineCall("GET", "/containers/\(container)/archive")
        call.add("path", path)
        call.timeLimit = .none
        let response = try await open(call)
        return (try PathStatus(response.head, call: call.name), response.body)
    }

    /// `HEAD /containers/{id}/archive`: what a path in a container is.
    ///
    /// - Throws: ``DockerEngineError`` that `isNotFound` if there is no such container or path.
    public func pathStatus(of path: String, in container: String) async throws -> PathStatus {
        var call = EngineCall("HEAD", "/containers/\(container)/archive")
        call.add("path", path)
        return try PathStatus(await perform(call).head, call: call.name)
    }
}

extension PathStatus {
    fileprivate init(_ head: HTTPResponseHead, call: String) throws(DockerEngineError) {
        let header = head.headers["X-Docker-Container-Path-Stat"] ?? ""
        guard let json = Data(base64Encoded: header) else {
            throw .decoding(call: call, body: header, reason: "the path's status isn't base64")
        }
        self = try EngineJSON.decode(from: Array(json), call: call)
    }
}
