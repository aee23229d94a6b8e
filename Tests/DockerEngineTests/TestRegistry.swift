import DockerEngine
import Foundation
import SocketTestServer

/// A registry on loopback with one image of one layer, behind a password.
///
/// It speaks as much of the distribution protocol as a pull needs. The engine takes plain HTTP from loopback addresses.
final class TestRegistry: Sendable {
    let server: TestServer
    static let user = "user"
    static let password = "pass:word"

    init(layer archive: TarArchive) async throws {
        var layer: [UInt8] = []
        for try await chunk in archive.chunks { layer += chunk }
        let layerDigest = try Self.digest(layer)
        let configuration = Array(
            """
            {"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sh"],"Labels":{"from":"registry"}},
            "rootfs":{"type":"layers","diff_ids":["\(layerDigest)"]},"history":[{"created_by":"test"}]}
            """.utf8
        )
        let configurationDigest = try Self.digest(configuration)
        let manifest = Array(
            """
            {"schemaVersion":2,"mediaType":"\(Self.manifestType)",
            "config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":\(configuration.count),
            "digest":"\(configurationDigest)"},
            "layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":\(layer.count),
            "digest":"\(layerDigest)"}]}
            """.utf8
        )
        let manifestDigest = try Self.digest(manifest)
        let blobs = [layerDigest: layer, configurationDigest: configuration]
        let authorization = "Basic " + Data("\(Self.user):\(Self.password)".utf8).base64EncodedString()

        server = try TestServer { connection in
            while let request = connection.readHead() {
                guard request.header("Authorization") == authorization else {
                    let body = Array(#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#.utf8)
                    let headers = "WWW-Authenticate: Basic realm=\"test\"\r\nContent-Type: application/json\r\n"
                    connection.respond(status: 401, headers: headers, body: body)
                    continue
                }
                let last = request.path.split(separator: "/").last.map(String.init) ?? ""
                if request.path == "/v2/" {
                    connection.respond(headers: "Docker-Distribution-Api-Version: registry/2.0\r\n")
                } else if request.path.contains("/image/manifests/"), last == "1" || last == manifestDigest {
                    let headers = "Content-Type: \(Self.manifestType)\r\nDocker-Content-Digest: \(manifestDigest)\r\n"
                    if request.line.hasPrefix("HEAD") {
                        connection.send("HTTP/1.1 200 OK\r\n\(headers)Content-Length: \(manifest.count)\r\n\r\n")
                    } else {
                        connection.respond(headers: headers, body: manifest)
                    }
                } else if let blob = blobs[last] {
                    connection.respond(headers: "Content-Type: application/octet-stream\r\n", body: blob)
                } else {
                    let body = Array(#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#.utf8)
                    connection.respond(status: 404, headers: "Content-Type: application/json\r\n", body: body)
                }
            }
        }
    }

    private static let manifestType = "application/vnd.docker.distribution.manifest.v2+json"

    /// The registry as it appears in an image's reference.
    var address: String { String(server.url.dropFirst("http://".count)) }

    private static func digest(_ bytes: [UInt8]) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "blob-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(filePath: path))
        return "sha256:" + (try run("sha256sum", path).prefix(64))
    }
}
