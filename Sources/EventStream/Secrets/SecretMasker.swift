/// Finds secrets in text and puts a placeholder in their place.
///
/// In which forms a secret is found, ``SecretForm`` says.
struct SecretMasker: Sendable {
    /// What stands in place of a secret, as in the reference.
    static let placeholder = "<secret_hidden>"

    /// The forms to look for by their first byte, longer ones first.
    private let forms: [[SecretForm]]
    /// A bit for each pair of bytes that a form begins with.
    private let starts: [UInt64]

    /// Makes a masker; `nil` when there is nothing to look for.
    init?(_ secrets: some Sequence<String>) {
        let all = secrets.reduce(into: Set<SecretForm>()) { $0.formUnion(SecretForm.all(of: $1)) }
        guard !all.isEmpty else { return nil }
        var forms = [[SecretForm]](repeating: [], count: 256)
        var starts = [UInt64](repeating: 0, count: 1024)
        for form in all.sorted(by: { $0.bytes.count > $1.bytes.count }) {
            for (first, second) in form.starts {
                if forms[Int(first)].last != form { forms[Int(first)].append(form) }
                for second in second.map({ $0...$0 }) ?? 0...255 {
                    let pair = Int(first) << 8 | Int(second)
                    starts[pair >> 6] |= 1 << UInt64(pair & 63)
                }
            }
        }
        self.forms = forms
        self.starts = starts
    }

    /// The text with placeholders; `nil` when there is no secret in it.
    func masked(_ text: String) -> String? {
        var text = text
        return text.withUTF8 { bytes -> String? in
            var result: [UInt8] = []
            let (kept, _) = mask(bytes, isEnd: true, into: &result)
            guard kept > 0 else { return nil }
            result.append(contentsOf: bytes[kept...])
            return String(decoding: result, as: UTF8.self)
        }
    }

    /// Looks for secrets as far as it can be told what is one.
    ///
    /// - Parameters:
    ///   - isEnd: Whether nothing comes after the bytes.
    ///   - result: Gets what is before the last secret found, and its placeholder.
    /// - Returns: The end of that secret, 0 where there is none, and where it depends on what comes whether there is another.
    func mask(
        _ bytes: UnsafeBufferPointer<UInt8>,
        isEnd: Bool,
        into result: inout [UInt8]
    ) -> (kept: Int, position: Int) {
        var kept = 0
        var position = 0
        starts.withUnsafeBufferPointer { starts in
            while position < bytes.count {
                let pair = Int(bytes[position]) << 8 | Int(position + 1 < bytes.count ? bytes[position + 1] : 0)
                let isLast = position + 1 == bytes.count && !isEnd
                guard starts[pair >> 6] & 1 << UInt64(pair & 63) != 0 || isLast else {
                    position += 1
                    continue
                }
                switch match(bytes, position, isEnd: isEnd) {
                case .none: position += 1
                case .undecided: return
                case .found(let end):
                    result.append(contentsOf: bytes[kept..<position])
                    result.append(contentsOf: Self.placeholder.utf8)
                    position = end
                    kept = end
                }
            }
        }
        return (kept, position)
    }

    private enum Match {
        case none
        case found(end: Int)
        case undecided
    }

    private func match(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int, isEnd: Bool) -> Match {
        for form in forms[Int(bytes[position])] {
            switch form.compare(with: bytes, at: position) {
            case .differs: continue
            case .matches(let end): return .found(end: end)
            case .runsOut:
                // Only once it is known not to be a longer form, it may be a shorter one.
                if !isEnd { return .undecided }
            }
        }
        return .none
    }
}
