import Foundation

@testable import ActionExecutionServer

/// A form with a file as Python's httpx writes it, made without the package's own code.
enum Form {
    static let boundary = "8d1bf1e9a4c24fbc9d3b0e7b5f0a6c21"
    static let contentType = "multipart/form-data; boundary=\(boundary)"

    static func file(_ filename: [UInt8], _ content: [UInt8], field: String = "file") -> [UInt8] {
        head(filename, field: field) + content + Array("\r\n--\(boundary)--\r\n".utf8)
    }

    static func file(_ filename: String, _ content: String, field: String = "file") -> [UInt8] {
        file(Array(filename.utf8), Array(content.utf8), field: field)
    }

    static func head(_ filename: [UInt8], field: String = "file") -> [UInt8] {
        Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(field)\"; filename=\"".utf8) + filename
            + Array("\"\r\nContent-Type: text/plain\r\n\r\n".utf8)
    }
}

extension TestClient {
    /// Sends a form to `/upload_file`.
    func upload(
        _ form: [UInt8],
        _ query: String,
        contentType: String = Form.contentType
    ) async throws -> TestResponse {
        try await send(
            "POST /upload_file?\(query) HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(contentType)\r\n"
                + "Content-Length: \(form.count)\r\n\r\n"
        )
        try await send(form)
        return try await receive()
    }
}

/// What is below a folder, by path: the content of files, "/" for folders, "-> target" for links.
///
/// Names are escaped as in JSON.
func tree(_ root: String) throws -> [String: String] {
    var found: [String: String] = [:]
    func visit(_ path: String, _ prefix: String) throws {
        guard let stream = opendir(path) else { throw SystemError("list \(path)") }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                found[prefix + name] = "/"
                try visit("\(path)/\(name)", prefix + name + "/")
            case S_IFLNK:
                let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/\(name)")
                found[prefix + name] = "-> \(target)"
            default: found[prefix + name] = try FileAccess.read("\(path)/\(name)", limit: 1 << 28).text
            }
        }
    }
    try visit(root, "")
    return found
}

/// Makes a file, and the folders above it.
func makeFile(_ path: String, _ content: String = "") throws {
    try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent,
        withIntermediateDirectories: true
    )
    try writeFile(path, Array(content.utf8), mode: 0o644)
}

func permissions(_ path: String) throws -> String {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw SystemError("look at \(path)") }
    return String(status.st_mode & 0o7777, radix: 8)
}

/// A path whose last part has any bytes, for calls of the system.
func rawPath(_ folder: String, _ name: [UInt8]) -> [CChar] {
    Array("\(folder)/".utf8CString.dropLast()) + name.map { CChar(bitPattern: $0) } + [0]
}
