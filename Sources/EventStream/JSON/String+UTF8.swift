#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension String {
    /// Makes a string of UTF-8; `nil` when it isn't valid.
    ///
    /// The library's own failing initialiser is generic and looks up its types at each call, which costs more than the string.
    @inline(__always)
    init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        // Invalid text is repaired, and so comes out different.
        var string = String(decoding: bytes, as: UTF8.self)
        let isSame = string.withUTF8 { text in
            guard text.count == bytes.count else { return false }
            guard let left = text.baseAddress, let right = bytes.baseAddress else { return true }
            return memcmp(left, right, text.count) == 0
        }
        guard isSame else { return nil }
        self = string
    }
    /// Calls a function with the string's UTF-8.
    ///
    /// The library's `withUTF8` may change the string, so it takes a copy to call it on a string that is only lent.
    @inline(__always)
    func withUTF8Bytes(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        guard utf8.withContiguousStorageIfAvailable(body) == nil else { return }
        var copy = self
        copy.withUTF8(body)
    }
}
