import EventStream
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "The text form is kept",
        arguments: [
            "2026-11-22T19:54:37.878324", "2026-11-22T19:54:37", "1969-12-31T23:59:59.999999", "1970-01-01T00:00:00",
            "2000-02-29T00:00:00.000001", "9999-12-31T23:59:59", "0001-01-01T00:00:00", "2026-11-22T19:54:37.878324Z",
            "2026-11-22T19:54:37+02:00", "2026-11-22T19:54:37.500000-05:30", "2026-11-22T19:54:37+05:30:15",
        ]
    )
    func text(text: String) throws {
        #expect(try #require(Timestamp(text)).description == text)
    }

    @Test(
        "What isn't a time is refused",
        arguments: [
            "", "2026", "2026-11-22", "2026-13-01T00:00:00", "2026-02-29T00:00:00", "2026-11-31T00:00:00",
            "2026-11-22T24:00:00", "2026-11-22T00:60:00", "2026-11-22T00:00:00.", "2026-11-22T00:00:00X",
            "2026-11-22T00:00:00+", "2026-11-22T00:00:00Zz", "2026-11-22T00:00:00.1234567891x", "２０２６-11-22T00:00:00",
        ]
    )
    func refused(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("Every day of a thousand years is written and read back")
    func days() throws {
        var previous: Timestamp?
        for day in stride(from: Int64(-200_000), through: 200_000, by: 1) {
            let timestamp = Timestamp(wallMicroseconds: day * 86_400_000_000)
            #expect(Timestamp(timestamp.description) == timestamp)
            if let previous { #expect(previous < timestamp) }
            previous = timestamp
        }
    }

    @Test("An instant comes back from its local time, and compares across zones")
    func instants() throws {
        for seconds in stride(from: -1e9, through: 4e9, by: 12_345_678.25) {
            let timestamp = Timestamp(secondsSince1970: seconds)
            #expect(abs(timestamp.secondsSince1970 - seconds) < 1e-5)
        }
        let utc = try #require(Timestamp("2026-11-22T12:00:00Z"))
        let east = try #require(Timestamp("2026-11-22T13:30:00+02:00"))
        #expect(utc.secondsSince1970 == 1_795_348_800)
        #expect(east < utc)
        #expect(utc.secondsSince1970 - east.secondsSince1970 == 1800)
    }

    @Test("Now doesn't go back")
    func now() {
        var last = Timestamp.now()
        for _ in 0..<1000 {
            let next = Timestamp.now()
            #expect(next >= last)
            last = next
        }
    }
}
