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
        /// SI and SO: which of two character sets is in use from here on, 0 or 1.
        case shift(Int)
        /// CSI.
        case sequence(Sequence)
        /// ESC and one byte, with another between them if there was one.
        case escape(UInt8, intermediate: UInt8?)
    }

    /// A sequence that CSI begins.
    struct Sequence: Equatable {
        /// The byte that it ends with, which names it.
        var final: UInt8
        /// A byte such as `?` before the parameters.
        var prefix: UInt8?
        /// A byte such as `$` behind the parameters.
        var intermediate: UInt8?
        /// 0 where one was left out, and never empty.
        var parameters: [Int]

        /// The first parameter as a number of times, columns or rows.
        var count: Int { max(1, parameters[0]) }
        /// A parameter; 0 where there is none.
        func parameter(_ index: Int) -> Int { index < parameters.count ? parameters[index] : 0 }
    }

    private enum State {
        case ground
        case escape
        /// ESC and an intermediate byte: one more byte belongs to it.
        case escapeIntermediate(UInt8)
        case sequence
        /// OSC, DCS, SOS, PM, APC, and the title of screen and tmux: text up to ST, or BEL for OSC.
        case string
        case stringEscape
    }

    private var state = State.ground
    private var pending = Sequence(final: 0, parameters: [0])
    private var stringLength = 0
    private var endsWithBell = false
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
        case .escapeIntermediate(let intermediate):
            return escape(byte, after: intermediate)
        case .sequence:
            return sequence(byte)
        case .string:
            switch byte {
            case 0x07 where endsWithBell: state = .ground
            case 0x18, 0x1a: state = .ground
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
        case 0x0e: return .shift(1)
        case 0x0f: return .shift(0)
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
            pending = Sequence(final: 0, parameters: [0])
            return nil
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "k"):
            state = .string
            stringLength = 0
            endsWithBell = byte == UInt8(ascii: "]")
            return nil
        case 0x20...0x2f:
            state = .escapeIntermediate(byte)
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
        case 0x7f:
            state = .escape
            return nil
        default:
            return .escape(byte, intermediate: nil)
        }
    }

    private mutating func escape(_ byte: UInt8, after intermediate: UInt8) -> Control? {
        state = .ground
        switch byte {
        case 0x20...0x2f, 0x7f:
            state = .escapeIntermediate(intermediate)
            return nil
        case 0x1b:
            state = .escape
            return nil
        case 0x18, 0x1a:
            return nil
        case 0x00...0x1f:
            state = .escapeIntermediate(intermediate)
            return control(byte)
        default:
            return .escape(byte, intermediate: intermediate)
        }
    }

    private mutating func sequence(_ byte: UInt8) -> Control? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            // Bounded, so that no parameter can overflow; no terminal is that large.
            let last = pending.parameters.count - 1
            pending.parameters[last] = min(pending.parameters[last] * 10 + Int(byte - UInt8(ascii: "0")), 99_999)
        case UInt8(ascii: ";"), UInt8(ascii: ":"):
            if pending.parameters.count < 32 { pending.parameters.append(0) }
        case 0x3c...0x3f:
            pending.prefix = byte
        case 0x20...0x2f:
            pending.intermediate = byte
        case 0x40...0x7e:
            state = .ground
            pending.final = byte
            return .sequence(pending)
        case 0x1b:
            state = .escape
        case 0x18, 0x1a:
            state = .ground
        case 0x00...0x1f:
            return control(byte)
        case 0x7f:
            break
        default:
            state = .ground
        }
        return nil
    }
}
