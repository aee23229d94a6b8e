/// What a terminal says of itself when a program asks: the same as tmux, so that programs behave alike.
enum TerminalReply {
    /// The answer to a question that needs no knowledge of the screen; empty if it is none.
    static func reply(to sequence: EscapeSequenceParser.Sequence) -> String.UTF8View {
        answer(sequence).utf8
    }

    private static func answer(_ sequence: EscapeSequenceParser.Sequence) -> String {
        switch (sequence.prefix, sequence.intermediate, sequence.final, sequence.parameter(0)) {
        // DSR: the terminal works.
        case (nil, nil, UInt8(ascii: "n"), 5): "\u{1b}[0n"
        // DA: a VT100 with advanced video.
        case (nil, nil, UInt8(ascii: "c"), 0): "\u{1b}[?1;2c"
        // Secondary DA.
        case (UInt8(ascii: ">"), nil, UInt8(ascii: "c"), 0): "\u{1b}[>84;0;0c"
        // DECRQM: no such mode is known.
        case (UInt8(ascii: "?"), UInt8(ascii: "$"), UInt8(ascii: "p"), let mode): "\u{1b}[?\(mode);0$y"
        default: ""
        }
    }
}
