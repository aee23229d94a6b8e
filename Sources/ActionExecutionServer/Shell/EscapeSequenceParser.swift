/// Recognises control characters and escape sequences in a terminal's output (ECMA-48, and xterm's additions).
///
/// A value without I/O: sequences may be split between calls anywhere.
struct EscapeSequenceParser {
    /// What a byte outside plain text means.
    enum Control: Equatable {
        case backspace
        case tab
        case lineFeed
        case carriageReturn
        /// CSI: the final byte, its prefix such as `?`, and the parameters, 0 where one was left out.
        case sequence(final: UInt8, prefix: UInt8?, parameters: [Int])
        /// ESC and one byte.
        case escape(UInt8)
    }

    private enum State {
        case ground
        case escape
        /// ESC and an intermediate byte: one more byte belongs to it.
        case escapeIntermediate
        case sequence
        /// OSC, DCS, SOS, PM, APC: text up to BEL or ST.
        case string
        case stringEscape
    }

    private var state = State.ground
    private var prefix: UInt8?
    private var parameters: [Int] = []
    private var isIntermediate = false
    private var stringLength = 0
    /// Bytes of a string after which its end is no longer waited for: some binary file opened it, and what follows is text.
    private static let stringLimit = 1 << 16

    /// Whether the next byte is text or a control character rather than the rest of a sequence.
    var isInGround: Bool {
        if case .ground = state { return true }
        return false
    }

    /// Takes a control character, or any byte while a sequence is open.
    mutating func consume(_ byte: UInt8) -> Control? {
        switch state {
        case .ground:
            return control(byte)
        case .escape:
            return escape(byte)
        case .escapeIntermediate:
            state = .ground
            return nil
        case .sequence:
            return sequence(byte)
        case .string:
            switch byte {
            case 0x07, 0x18, 0x1a: state = .ground
            case 0x1b: state = .stringEscape
            default:
                stringLength += 1
                if stringLength == Self.stringLimit { state = .ground }
            }
            return nil
        case .stringEscape:
            state = .ground
            // ESC \ ends the string; ESC and anything else begins a new sequence, the string being broken.
            return byte == UInt8(ascii: "\\") ? nil : escape(byte)
        }
    }

    private mutating func control(_ byte: UInt8) -> Control? {
        switch byte {
        case 0x08: return .backspace
        case 0x09: return .tab
        case 0x0a, 0x0b, 0x0c: return .lineFeed
        case 0x0d: return .carriageReturn
        case 0x1b:
            state = .escape
            return nil
        default:
            return nil
        }
    }

    private mutating func escape(_ byte: UInt8) -> Control? {
        state = .ground
        switch byte {
        case UInt8(ascii: "["):
            state = .sequence
            (prefix, parameters, isIntermediate) = (nil, [0], false)
            return nil
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            state = .string
            stringLength = 0
            return nil
        case 0x20...0x2f:
            state = .escapeIntermediate
            return nil
        case 0x1b:
            state = .escape
            return nil
        case 0x18, 0x1a:
            return nil
        case 0x00...0x1f:
            // A control character within a sequence takes effect, and the sequence goes on.
            state = .escape
            return control(byte)
        default:
            return .escape(byte)
        }
    }

    private mutating func sequence(_ byte: UInt8) -> Control? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            // Bounded, so that no parameter can overflow; no terminal is that large.
            let last = parameters.count - 1
            parameters[last] = min(parameters[last] * 10 + Int(byte - UInt8(ascii: "0")), 99_999)
        case UInt8(ascii: ";"), UInt8(ascii: ":"):
            if parameters.count < 32 { parameters.append(0) }
        case 0x3c...0x3f:
            prefix = byte
        case 0x20...0x2f:
            isIntermediate = true
        case 0x40...0x7e:
            state = .ground
            return isIntermediate ? nil : .sequence(final: byte, prefix: prefix, parameters: parameters)
        case 0x1b:
            state = .escape
        case 0x18, 0x1a:
            state = .ground
        case 0x00...0x1f:
            return control(byte)
        default:
            state = .ground
        }
        return nil
    }
}
