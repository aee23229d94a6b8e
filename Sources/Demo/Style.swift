import Foundation

/// Colours, where the terminal has them and the user wants them.
struct Style: Sendable {
    var isColoured: Bool

    /// As standard output is.
    static var detected: Style { detected(on: STDOUT_FILENO) }

    /// As the terminal is; `NO_COLOR` in the environment turns colours off (https://no-color.org).
    static func detected(on descriptor: Int32) -> Style {
        Style(isColoured: isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil)
    }

    func bold(_ text: String) -> String { wrap(text, 1) }
    func faint(_ text: String) -> String { wrap(text, 2) }
    func red(_ text: String) -> String { wrap(text, 31) }
    func green(_ text: String) -> String { wrap(text, 32) }
    func yellow(_ text: String) -> String { wrap(text, 33) }
    func blue(_ text: String) -> String { wrap(text, 34) }

    private func wrap(_ text: String, _ code: Int) -> String {
        isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
