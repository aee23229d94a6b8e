import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// When an event happened, to the microsecond.
///
/// The reference writes the local time of the machine without saying which zone that is (`2026-11-22T19:54:37.878324`, Python's
/// `datetime.isoformat()`, which leaves out a fraction of zero). Such a time is kept as it reads, wherever the log is read. Times with
/// `Z` or an offset keep that too.
public struct Timestamp: Sendable, Hashable {
    /// What follows the time of day.
    public enum Zone: Sendable, Hashable {
        /// Nothing: the time is local to the machine that wrote it.
        case local
        /// The letter `Z`.
        case utc
        /// A difference from UTC in seconds, written as `+hh:mm`, with `:ss` where there are any.
        case offset(Int32)
    }

    /// Microseconds from 1970-01-01T00:00:00 of the time's own zone, as a clock on the wall there shows them.
    public var wallMicroseconds: Int64

    /// The zone of the time.
    public var zone: Zone

    /// Makes a time from what a clock on the wall shows in a zone.
    public init(wallMicroseconds: Int64, zone: Zone = .local) {
        self.wallMicroseconds = wallMicroseconds
        self.zone = zone
    }

    /// Makes the local time of an instant.
    public init(secondsSince1970 seconds: Double) {
        let microseconds = Int64((seconds * 1e6).rounded())
        self.init(unixMicroseconds: microseconds)
    }

    /// The current local time.
    public static func now() -> Timestamp {
        var time = timespec()
        // Fails for an unknown clock only.
        _ = clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(unixMicroseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    private init(unixMicroseconds: Int64) {
        let seconds = unixMicroseconds.flooredQuotient(1_000_000)
        wallMicroseconds = unixMicroseconds + LocalOffset.seconds(at: seconds) * 1_000_000
        zone = .local
    }

    /// The instant in seconds from 1970-01-01T00:00:00Z; a local time is taken in this machine's zone.
    public var secondsSince1970: Double {
        Double(unixMicroseconds) / 1e6
    }

    private var unixMicroseconds: Int64 {
        switch zone {
        case .utc: wallMicroseconds
        case .offset(let seconds): wallMicroseconds - Int64(seconds) * 1_000_000
        case .local: wallMicroseconds - localOffset * 1_000_000
        }
    }

    private var localOffset: Int64 {
        // The zone's offset depends on the instant, which depends on the offset: one correction is exact but for the
        // hours that a change of clocks skips or repeats.
        let wallSeconds = wallMicroseconds.flooredQuotient(1_000_000)
        let guess = LocalOffset.seconds(at: wallSeconds)
        return LocalOffset.seconds(at: wallSeconds - guess)
    }
}

extension Timestamp: Comparable {
    /// Whether a time is earlier than another; times in one zone compare as they read.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.zone == right.zone
            ? left.wallMicroseconds < right.wallMicroseconds : left.unixMicroseconds < right.unixMicroseconds
    }
}

/// The difference of this machine's local time from UTC.
private enum LocalOffset {
    /// The last answer: the quarter hour it holds for in the upper 44 bits, the offset in seconds in the lower 20.
    ///
    /// Asking the C library takes a lock and may read the zone file; zones change their offset at quarter hours.
    private static let cached = Atomic<Int64>(.min)

    static func seconds(at unixSeconds: Int64) -> Int64 {
        let quarter = unixSeconds.flooredQuotient(900)
        let last = cached.load(ordering: .relaxed)
        if last != .min, last >> 20 == quarter { return last & 0xF_FFFF - 0x8_0000 }
        var time = time_t(unixSeconds)
        var parts = tm()
        guard localtime_r(&time, &parts) != nil else { return 0 }
        let offset = Int64(parts.tm_gmtoff)
        cached.store(quarter << 20 | (offset + 0x8_0000), ordering: .relaxed)
        return offset
    }
}

extension Int64 {
    /// The quotient rounded down, for a positive divisor.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
