import DockerEngine

extension DockerRuntime {
    /// The GPUs that a container gets; the engine needs a driver's container toolkit for that.
    public enum GPUDevices: Sendable, Hashable {
        /// All that the engine has.
        case all
        /// These, by number or UUID.
        case devices([String])
    }
}

extension DockerRuntime.GPUDevices {
    /// What the engine is asked for: any driver that has the capability.
    var request: DeviceRequest {
        switch self {
        case .all: DeviceRequest(count: -1, capabilities: [["gpu"]])
        case .devices(let ids): DeviceRequest(deviceIDs: ids, capabilities: [["gpu"]])
        }
    }
}
