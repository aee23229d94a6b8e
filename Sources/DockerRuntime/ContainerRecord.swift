import DockerEngine

/// Something that happened to a container that runs on.
enum ContainerChange: Sendable, Hashable {
    /// Its processes were frozen.
    case paused
    /// They go on.
    case resumed
    /// The kernel killed a process of it for want of memory.
    case outOfMemory
}

/// What the engine's events have told of a container.
///
/// A value that is fed with them, in their order; one that comes a second time, since the stream was resumed, counts once.
struct ContainerRecord: Sendable {
    /// Whether its processes are frozen.
    private(set) var isPaused = false
    /// How often the kernel killed a process of it.
    private(set) var outOfMemoryCount = 0
    /// The signal that the engine was last asked to send, by number or name.
    private(set) var signal: String?
    /// Whether its end was told.
    private(set) var hasEnded = false
    /// The latest events that have the same time.
    private var latest: [EngineEvent] = []

    /// Takes an event in.
    ///
    /// - Returns: what it changes for those who use the container.
    mutating func receive(_ event: EngineEvent) -> ContainerChange? {
        if let time = latest.first?.timeNanoseconds {
            guard event.timeNanoseconds >= time, !latest.contains(event) else { return nil }
            if event.timeNanoseconds > time { latest = [] }
        }
        latest.append(event)
        switch event.action {
        case "pause": return setPaused(true)
        case "unpause": return setPaused(false)
        case "oom":
            outOfMemoryCount += 1
            return .outOfMemory
        case "kill": signal = event.actor.attributes?["signal"]
        case "die", "destroy": hasEnded = true
        default: break
        }
        return nil
    }

    /// Takes in what the engine says that the container does now; events may have been missed.
    mutating func observe(_ state: ContainerState) -> ContainerChange? {
        setPaused(state.isPaused)
    }

    /// From when on events are asked for, in seconds since 1970 by the engine's clock; nil when there was none yet.
    var resumption: String? {
        guard let time = latest.first?.timeNanoseconds else { return nil }
        let fraction = String(time % 1_000_000_000)
        return "\(time / 1_000_000_000).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
    }

    /// Takes in that its processes were frozen or thawed, by who has done so, or by its state.
    mutating func setPaused(_ paused: Bool) -> ContainerChange? {
        guard isPaused != paused else { return nil }
        isPaused = paused
        return paused ? .paused : .resumed
    }
}
