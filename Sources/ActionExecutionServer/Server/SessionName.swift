/// The name of a shell session: letters, digits, `.`, `_` and `-`, at most 64.
struct SessionName: Hashable {
    let text: String

    init?(_ text: String) {
        let isValid = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default:
                false
            }
        }
        guard isValid, (1...64).contains(text.utf8.count) else { return nil }
        self.text = text
    }

    /// Says why a text is no name.
    static func rule(_ text: String) -> String {
        "A shell session's name has 1 to 64 letters, digits, '.', '_' and '-', unlike \(text.debugDescription)"
    }
}
