// The numbers by which the index of a log knows kinds and sources. They're on disk: a kind keeps its number, a new one takes the next.

extension Event.Payload {
    /// Numbers of observations begin here.
    static let firstObservationCode: UInt8 = 128

    /// The number of the kind; 0 and 128 for kinds that this version doesn't know.
    var code: UInt8 {
        switch self {
        case .action(let action): action.code
        case .observation(let observation): Self.firstObservationCode + observation.code
        }
    }
}

extension EventType {
    /// The number of the type; that of unknown kinds where it is one.
    var code: UInt8 {
        isObservation
            ? Event.Payload.firstObservationCode + UInt8((Observation.codedKinds.firstIndex(of: kind) ?? -1) + 1)
            : UInt8((Action.codedKinds.firstIndex(of: kind) ?? -1) + 1)
    }
}

extension EventSource {
    /// The number of the source; 0 for one that this version doesn't know.
    var code: UInt8 {
        switch rawValue {
        case "agent": 1
        case "user": 2
        case "environment": 3
        default: 0
        }
    }
}

extension Action {
    /// The kinds that have a number, from 1.
    static let codedKinds = [
        "message",
        "system",
        "run",
        "run_ipython",
        "read",
        "write",
        "edit",
        "browse",
        "browse_interactive",
        "call_tool_mcp",
        "think",
        "finish",
        "reject",
        "delegate",
        "recall",
        "condensation",
        "condensation_request",
        "task_tracking",
        "change_agent_state",
        "loop_recovery",
        "null",
    ]

    /// The number of the kind; 0 for one that this version doesn't know.
    var code: UInt8 {
        switch self {
        case .other: 0
        case .message: 1
        case .system: 2
        case .run: 3
        case .runIPython: 4
        case .read: 5
        case .write: 6
        case .edit: 7
        case .browse: 8
        case .browseInteractive: 9
        case .callToolMCP: 10
        case .think: 11
        case .finish: 12
        case .reject: 13
        case .delegate: 14
        case .recall: 15
        case .condensation: 16
        case .condensationRequest: 17
        case .taskTracking: 18
        case .changeAgentState: 19
        case .loopRecovery: 20
        case .null: 21
        }
    }
}

extension Observation {
    /// The kinds that have a number, from 1.
    static let codedKinds = [
        "run",
        "run_ipython",
        "read",
        "write",
        "edit",
        "browse",
        "error",
        "success",
        "null",
        "think",
        "user_rejected",
        "agent_state_changed",
        "delegate",
        "recall",
        "mcp",
        "download",
        "task_tracking",
        "loop_detection",
        "condense",
    ]

    /// The number of the kind; 0 for one that this version doesn't know.
    var code: UInt8 {
        switch self {
        case .other: 0
        case .run: 1
        case .runIPython: 2
        case .read: 3
        case .write: 4
        case .edit: 5
        case .browse: 6
        case .error: 7
        case .success: 8
        case .null: 9
        case .think: 10
        case .userRejected: 11
        case .agentStateChanged: 12
        case .delegate: 13
        case .recall: 14
        case .mcp: 15
        case .download: 16
        case .taskTracking: 17
        case .loopDetection: 18
        case .condense: 19
        }
    }
}
