internal import CCurl

/// A result code of libcurl's easy interface, with C's numbers.
///
/// A raw value rather than an enumeration, so that a code of any library version fits.
/// Names and meanings: <https://curl.se/libcurl/c/libcurl-errors.html>.
public struct CurlCode: RawRepresentable, Hashable, Sendable {
    /// The number, as in `CURLcode`.
    public let rawValue: Int32

    /// Wraps a number of `CURLcode`.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// `CURLE_OK`: the transfer is complete.
    public static let ok = CurlCode(rawValue: 0)
    /// `CURLE_UNSUPPORTED_PROTOCOL`: an unknown scheme, or a reply that isn't HTTP.
    public static let unsupportedProtocol = CurlCode(rawValue: 1)
    /// `CURLE_URL_MALFORMAT`: the URL isn't one.
    public static let urlMalformat = CurlCode(rawValue: 3)
    /// `CURLE_COULDNT_RESOLVE_PROXY`: the proxy's name is unknown.
    public static let couldntResolveProxy = CurlCode(rawValue: 5)
    /// `CURLE_COULDNT_RESOLVE_HOST`: the host's name is unknown.
    public static let couldntResolveHost = CurlCode(rawValue: 6)
    /// `CURLE_COULDNT_CONNECT`: nobody accepted the connection.
    public static let couldntConnect = CurlCode(rawValue: 7)
    /// `CURLE_WEIRD_SERVER_REPLY`: the reply makes no sense.
    public static let weirdServerReply = CurlCode(rawValue: 8)
    /// `CURLE_PARTIAL_FILE`: the body ended before its announced length.
    public static let partialFile = CurlCode(rawValue: 18)
    /// `CURLE_WRITE_ERROR`: a callback refused what was received.
    public static let writeError = CurlCode(rawValue: 23)
    /// `CURLE_OPERATION_TIMEDOUT`: a time limit was reached.
    public static let operationTimedout = CurlCode(rawValue: 28)
    /// `CURLE_SSL_CONNECT_ERROR`: the TLS handshake failed.
    public static let sslConnectError = CurlCode(rawValue: 35)
    /// `CURLE_ABORTED_BY_CALLBACK`: a callback ended the transfer.
    public static let abortedByCallback = CurlCode(rawValue: 42)
    /// `CURLE_GOT_NOTHING`: the connection closed without a reply.
    public static let gotNothing = CurlCode(rawValue: 52)
    /// `CURLE_SSL_ENGINE_NOTFOUND`: the crypto engine is missing.
    public static let sslEngineNotfound = CurlCode(rawValue: 53)
    /// `CURLE_SSL_ENGINE_SETFAILED`: the crypto engine can't be the default.
    public static let sslEngineSetfailed = CurlCode(rawValue: 54)
    /// `CURLE_SEND_ERROR`: sending failed.
    public static let sendError = CurlCode(rawValue: 55)
    /// `CURLE_RECV_ERROR`: receiving failed.
    public static let recvError = CurlCode(rawValue: 56)
    /// `CURLE_SSL_CERTPROBLEM`: the client certificate can't be used.
    public static let sslCertproblem = CurlCode(rawValue: 58)
    /// `CURLE_SSL_CIPHER`: no usable cipher.
    public static let sslCipher = CurlCode(rawValue: 59)
    /// `CURLE_PEER_FAILED_VERIFICATION`: the server's certificate isn't trusted.
    public static let peerFailedVerification = CurlCode(rawValue: 60)
    /// `CURLE_SEND_FAIL_REWIND`: a re-send needed body bytes that are gone.
    public static let sendFailRewind = CurlCode(rawValue: 65)
    /// `CURLE_SSL_ENGINE_INITFAILED`: the crypto engine didn't start.
    public static let sslEngineInitfailed = CurlCode(rawValue: 66)
    /// `CURLE_SSL_CACERT_BADFILE`: the CA file can't be read.
    public static let sslCACertBadfile = CurlCode(rawValue: 77)
    /// `CURLE_SSL_SHUTDOWN_FAILED`: TLS didn't shut down cleanly.
    public static let sslShutdownFailed = CurlCode(rawValue: 80)
    /// `CURLE_SSL_CRL_BADFILE`: the revocation list can't be read.
    public static let sslCRLBadfile = CurlCode(rawValue: 82)
    /// `CURLE_SSL_ISSUER_ERROR`: the issuer check failed.
    public static let sslIssuerError = CurlCode(rawValue: 83)
    /// `CURLE_SSL_PINNEDPUBKEYNOTMATCH`: the pinned key differs.
    public static let sslPinnedPubkeyNotMatch = CurlCode(rawValue: 90)
    /// `CURLE_SSL_INVALIDCERTSTATUS`: the certificate's status is bad.
    public static let sslInvalidCertStatus = CurlCode(rawValue: 91)
    /// `CURLE_SSL_CLIENTCERT`: the server wants a client certificate.
    public static let sslClientCert = CurlCode(rawValue: 98)

    /// Whether the code belongs to TLS.
    public var isTLS: Bool {
        switch self {
        case .sslConnectError, .sslEngineNotfound, .sslEngineSetfailed, .sslCertproblem, .sslCipher,
            .peerFailedVerification, .sslEngineInitfailed, .sslCACertBadfile, .sslShutdownFailed, .sslCRLBadfile,
            .sslIssuerError, .sslPinnedPubkeyNotMatch, .sslInvalidCertStatus, .sslClientCert:
            true
        default:
            false
        }
    }
}

extension CurlCode: CustomStringConvertible {
    /// The library's sentence for the code, and its number.
    public var description: String {
        let code = CURLcode(rawValue: CURLcode.RawValue(rawValue))
        let text = curl_easy_strerror(code).map { String(cString: $0) } ?? "unknown code"
        return "\(text) (\(rawValue))"
    }
}

extension CurlCode {
    init(_ code: CURLcode) {
        self.init(rawValue: Int32(code.rawValue))
    }
}
