import EventStream

extension Action {
    /// Whether a runtime performs the action, so that an observation answers it.
    var isPerformed: Bool {
        switch self {
        case .run(let action): action.confirmationState != .awaitingConfirmation
        case .runIPython(let action): action.confirmationState != .awaitingConfirmation
        case .read, .write, .edit, .browse, .browseInteractive, .callToolMCP: true
        default: false
        }
    }
}
