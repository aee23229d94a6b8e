import CPlatform

/// SHA-256 digests (FIPS 180-4), for the modules of this package.
package enum SHA256 {
    /// The digest of some bytes, 32 bytes.
    package static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            platform_sha256(bytes.baseAddress, bytes.count, digest.baseAddress)
            count = 32
        }
    }

    /// The digest of a text in UTF-8, 32 bytes.
    package static func digest(_ text: String) -> [UInt8] {
        Array(text.utf8).withUnsafeBytes(digest)
    }

    /// Bytes as lower-case hexadecimal digits.
    package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self
        )
    }
}
