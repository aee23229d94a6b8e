/// Why a request is refused.
enum HTTPParseError: Error, Equatable {
    /// The named part of the request breaks the grammar.
    case malformed(String)
    case headTooLarge(limit: Int)
    case bodyTooLarge(limit: Int)
    case unsupportedVersion(String)
    case unsupportedCoding(String)

    /// A line that ends in a line feed alone.
    static let bareLineFeed = HTTPParseError.malformed("a line without carriage return")

    /// The status to answer with before the connection is closed.
    var status: Int {
        switch self {
        case .malformed: 400
        case .headTooLarge: 431
        case .bodyTooLarge: 413
        case .unsupportedVersion: 505
        case .unsupportedCoding: 501
        }
    }

    /// One sentence for the peer.
    var detail: String {
        switch self {
        case .malformed(let part): "Malformed request: \(part)"
        case .headTooLarge(let limit): "The request head is over the limit of \(limit)"
        case .bodyTooLarge(let limit): "The request body is over the limit of \(limit) bytes"
        case .unsupportedVersion(let version): "\(version) is not supported"
        case .unsupportedCoding(let coding): "The transfer coding \(coding) is not supported"
        }
    }
}
