import Foundation

/// How far a long piece of work is, on standard error when that is a terminal.
///
/// For use by one task.
final class ProgressBar {
    private static let width = 30
    private static let eighths = Array(" ▏▎▍▌▋▊▉")

    private let label: String
    private let style = Style.detected(on: STDERR_FILENO)
    private let isShown: Bool
    private let start = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?
    private var isVisible = false

    /// Makes a bar that appears when the work takes long.
    ///
    /// - Parameter isWanted: Whether there is anything to see: not beside output that scrolls by in the same terminal.
    init(_ label: String, isWanted: Bool = true) {
        self.label = label
        isShown = isWanted && isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// Says how much of the work is done, from 0 to 1.
    func show(_ fraction: Double) {
        guard isShown else { return }
        let now = ContinuousClock.now
        // Work that is soon done needs no bar, and nobody reads faster.
        guard lastDrawn.map({ now - $0 >= .milliseconds(100) }) ?? (now - start >= .milliseconds(400)) else { return }
        lastDrawn = now
        isVisible = true
        let elapsed = Double((now - start).components.seconds) + Double((now - start).components.attoseconds) / 1e18
        let left = fraction > 0.02 ? Self.time(elapsed / fraction - elapsed) : ""
        let percent = String(format: "%3.0f %%", fraction * 100)
        write("\r\u{1b}[K\(label) \(style.blue(Self.bar(fraction))) \(percent)  \(style.faint(left))")
    }

    /// Takes the bar away, for other text or at the end.
    func clear() {
        guard isVisible else { return }
        isVisible = false
        write("\r\u{1b}[K")
    }

    private static func bar(_ fraction: Double) -> String {
        let parts = Int(max(0, min(1, fraction)) * Double(width * 8))
        let full = String(repeating: "█", count: parts / 8)
        let partial = parts / 8 < width ? String(eighths[parts % 8]) : ""
        return full + partial + String(repeating: " ", count: max(0, width - 1 - parts / 8))
    }

    private static func time(_ seconds: Double) -> String {
        let seconds = Int(seconds.rounded(.up))
        return seconds < 60 ? "\(seconds) s left" : "\(seconds / 60) min \(seconds % 60) s left"
    }

    private func write(_ text: String) {
        // A bar that can't be drawn is no reason to stop the work.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
