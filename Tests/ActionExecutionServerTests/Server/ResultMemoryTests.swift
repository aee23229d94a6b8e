import Testing

@testable import ActionExecutionServer

extension ResultMemory.Answer {
    fileprivate var name: String {
        switch self {
        case .perform: "perform"
        case .remembered(let response):
            if case .bytes(let bytes) = response.body { "remembered \(bytes.text)" } else { "remembered stream" }
        case .join: "join"
        case .conflict: "conflict"
        }
    }
}

struct ResultMemoryTests {
    private static func response(_ text: String) -> HTTPResponse {
        HTTPResponse(status: 200, body: Array(text.utf8))
    }

    @Test("A request is performed once, joined while it runs, and remembered afterwards")
    func life() {
        var memory = ResultMemory()
        let (body, other) = (Array("a".utf8), Array("b".utf8))
        #expect(memory.begin("k", body: body).name == "perform")
        #expect(memory.begin("k", body: body).name == "join")
        #expect(memory.begin("k", body: other).name == "conflict")
        #expect(memory.begin("l", body: body).name == "perform")
        memory.finish("k", with: Self.response("done"))
        #expect(memory.begin("k", body: body).name == "remembered done")
        #expect(memory.begin("k", body: other).name == "conflict")
        #expect(memory.begin("l", body: body).name == "join")
    }

    @Test("The oldest results are forgotten beyond a number, and what runs never is")
    func count() {
        var memory = ResultMemory(countLimit: 3)
        #expect(memory.begin("running", body: []).name == "perform")
        for number in 0..<5 {
            #expect(memory.begin("\(number)", body: []).name == "perform")
            memory.finish("\(number)", with: Self.response("\(number)"))
        }
        #expect(memory.begin("running", body: []).name == "join")
        for number in 2..<5 { #expect(memory.begin("\(number)", body: []).name == "remembered \(number)") }
        for number in 0..<2 { #expect(memory.begin("\(number)", body: []).name == "perform") }
    }

    @Test("The oldest results are forgotten beyond a number of bytes, but never the newest")
    func bytes() {
        var memory = ResultMemory(byteLimit: 100)
        for key in ["a", "b", "c"] {
            _ = memory.begin(key, body: [UInt8](repeating: 0x78, count: 20))
            memory.finish(key, with: Self.response(String(repeating: key, count: 20)))
        }
        #expect(memory.begin("a", body: []).name == "perform")
        #expect(memory.begin("b", body: []).name == "conflict")
        _ = memory.begin("large", body: [])
        memory.finish("large", with: Self.response(String(repeating: "l", count: 1000)))
        #expect(memory.begin("large", body: []).name.hasPrefix("remembered"))
        #expect(memory.begin("b", body: []).name == "perform")
        // What was forgotten no longer counts.
        _ = memory.begin("d", body: [])
        memory.finish("d", with: Self.response("d"))
        _ = memory.begin("e", body: [])
        memory.finish("e", with: Self.response("e"))
        #expect(memory.begin("d", body: []).name == "remembered d")
    }

    @Test("A result for a key that nobody began is not kept")
    func unknown() {
        var memory = ResultMemory()
        memory.finish("k", with: Self.response("x"))
        #expect(memory.begin("k", body: []).name == "perform")
    }
}

struct LeaseTests {
    private let start = ContinuousClock.now

    @Test("Without a duration there is no end")
    func none() {
        let lease = Lease(duration: nil, now: start)
        #expect(lease.end == nil)
        #expect(!lease.hasEnded(at: start + .seconds(1_000_000)))
    }

    @Test("A lease runs from its beginning or the last use")
    func uses() {
        var lease = Lease(duration: .seconds(10), now: start)
        #expect(lease.end == start + .seconds(10))
        #expect(!lease.hasEnded(at: start + .seconds(9)))
        #expect(lease.hasEnded(at: start + .seconds(10)))
        lease.use(at: start + .seconds(100))
        lease.use(at: start + .seconds(300))
        #expect(lease.end == start + .seconds(310))
        #expect(!lease.hasEnded(at: start + .seconds(309)))
        #expect(lease.hasEnded(at: start + .seconds(310)))
    }

    @Test("A new duration begins anew")
    func change() {
        var lease = Lease(duration: .seconds(10), now: start - .seconds(100))
        #expect(lease.hasEnded(at: .now))
        lease.duration = .seconds(1000)
        #expect(!lease.hasEnded(at: start + .seconds(900)))
        lease.duration = nil
        #expect(lease.end == nil)
    }
}
