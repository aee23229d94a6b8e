import Testing

@testable import DockerRuntime

@Suite
struct RefillPlanTests {
    private func expectBegin(_ plan: inout RefillPlan, _ count: Int, at location: SourceLocation = #_sourceLocation) {
        let begun = plan.begin()
        #expect(begun == count, sourceLocation: location)
    }

    private func expectFailure(
        _ plan: inout RefillPlan,
        _ pause: Duration?,
        at location: SourceLocation = #_sourceLocation
    ) {
        let told = plan.fail()
        #expect(told == pause, sourceLocation: location)
    }

    @Test("It starts as many as are missing, and no more at a time than it may")
    func bounds() {
        var plan = RefillPlan(size: 5, concurrency: 2)
        expectBegin(&plan, 2)
        expectBegin(&plan, 0)
        plan.succeed()
        expectBegin(&plan, 1)
        plan.succeed()
        plan.succeed()
        expectBegin(&plan, 2)
        plan.succeed()
        plan.succeed()
        expectBegin(&plan, 0)
        #expect(plan.ready == 5)
        plan.take()
        expectBegin(&plan, 1)
        // It comes back while another is on its way: there may be one too many, and none is started for it.
        plan.giveBack()
        plan.succeed()
        #expect(plan.ready == 6)
        expectBegin(&plan, 0)
    }

    @Test("After a failure it waits, longer each time, and tries one at a time until one succeeds")
    func backOff() {
        var plan = RefillPlan(size: 4, concurrency: 3)
        expectBegin(&plan, 3)
        expectFailure(&plan, .milliseconds(500))
        expectFailure(&plan, nil)
        expectBegin(&plan, 0)
        plan.succeed()
        plan.resume()
        #expect(plan.failures == 0)
        expectBegin(&plan, 3)
        expectFailure(&plan, .milliseconds(500))
        _ = plan.fail()
        _ = plan.fail()
        plan.resume()
        expectBegin(&plan, 1)
        expectFailure(&plan, .seconds(4))
        #expect(RefillPlan.pause(after: 100) == .seconds(60))
    }
}
