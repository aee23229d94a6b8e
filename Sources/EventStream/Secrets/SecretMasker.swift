/// Finds secrets in text and puts a placeholder in their place.
///
/// A secret is found as it is, as the inside of a JSON string, also of one that is inside a JSON string itself, and in base64, also in the middle
/// of longer base64 text. What is left of a secret in base64 that doesn't begin or end on a boundary of six bits is at most one character at
/// each end. Base64 that is broken into lines isn't seen through.
struct SecretMasker: Sendable {
    /// What stands in place of a secret, as in the reference.
    static let placeholder = "<secret_hidden>"

    /// Base64 of fewer characters than this would be found by chance.
    private static let shortestBase64 = 8

    /// The forms to look for by their first byte, longer ones first.
    private let needles: [[[UInt8]]]
    /// A bit for each pair of bytes that a form begins with.
    private let starts: [UInt64]

    /// Makes a masker; `nil` when there is nothing to look for.
    init?(_ secrets: some Sequence<String>) {
        var forms = Set<[UInt8]>()
        for secret in secrets where !secret.isEmpty { forms.formUnion(Self.forms(of: secret)) }
        guard !forms.isEmpty else { return nil }
        var needles = [[[UInt8]]](repeating: [], count: 256)
        var starts = [UInt64](repeating: 0, count: 1024)
        for form in forms.sorted(by: { $0.count > $1.count }) {
            needles[Int(form[0])].append(form)
            for second in form.count > 1 ? form[1]...form[1] : 0...255 {
                let pair = Int(form[0]) << 8 | Int(second)
                starts[pair >> 6] |= 1 << UInt64(pair & 63)
            }
        }
        self.needles = needles
        self.starts = starts
    }

    /// The text with placeholders; `nil` when there is no secret in it.
    func masked(_ text: String) -> String? {
        var text = text
        return text.withUTF8 { bytes -> String? in
            guard let base = bytes.baseAddress else { return nil }
            var result: [UInt8] = []
            var kept = 0
            var position = 0
            starts.withUnsafeBufferPointer { starts in
                while position < bytes.count {
                    let second = position + 1 < bytes.count ? base[position + 1] : 0
                    let pair = Int(base[position]) << 8 | Int(second)
                    guard starts[pair >> 6] & 1 << UInt64(pair & 63) != 0, let length = match(bytes, position) else {
                        position += 1
                        continue
                    }
                    result.append(contentsOf: bytes[kept..<position])
                    result.append(contentsOf: Self.placeholder.utf8)
                    position += length
                    kept = position
                }
            }
            guard kept > 0 else { return nil }
            result.append(contentsOf: bytes[kept...])
            return String(decoding: result, as: UTF8.self)
        }
    }

    private func match(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int? {
        for needle in needles[Int(bytes[position])] where needle.count <= bytes.count - position {
            if bytes[position..<(position + needle.count)].elementsEqual(needle) { return needle.count }
        }
        return nil
    }

    // MARK: Forms

    private static func forms(of secret: String) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = [Array(secret.utf8)]
        for layout in [JSONLayout.compact, .python] {
            let once = escaped(secret, layout)
            forms.insert(once)
            forms.insert(escaped(String(decoding: once, as: UTF8.self), layout))
        }
        for form in base64(of: Array(secret.utf8)) { forms.insert(form) }
        return forms
    }

    private static func escaped(_ text: String, _ layout: JSONLayout) -> [UInt8] {
        Array(JSONValue.string(text).serialized(layout).dropFirst().dropLast())
    }

    private static func base64(of secret: [UInt8]) -> [[UInt8]] {
        var forms: [[UInt8]] = []
        for alphabet in [Base64.standard, Base64.url] {
            let whole = Base64.encoding(of: secret, alphabet)
            let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - whole.count % 4) % 4)
            forms.append(whole)
            forms.append(whole + padding)
            // The characters that the secret determines alone, with none, one or two bytes of something else in its group.
            for offset in 0..<3 {
                let text = Base64.encoding(of: [UInt8](repeating: 0, count: offset) + secret, alphabet)
                let start = (offset * 8 + 5) / 6
                let end = (offset + secret.count) * 8 / 6
                if start < end { forms.append(Array(text[start..<end])) }
            }
        }
        return forms.filter { $0.count >= shortestBase64 }
    }
}

/// Base64 (RFC 4648) without padding.
private enum Base64 {
    private static let common = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    /// The usual alphabet.
    static let standard = common + Array("+/".utf8)
    /// The alphabet for URLs and file names.
    static let url = common + Array("-_".utf8)

    static func encoding(of bytes: [UInt8], _ alphabet: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        var bits = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | Int(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[bits >> count & 63])
            }
            bits &= 1 << count - 1
        }
        if count > 0 { text.append(alphabet[bits << (6 - count) & 63]) }
        return text
    }
}
