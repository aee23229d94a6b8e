import DockerEngine
import EventStream

extension Settings.Setting {
    /// A size in bytes, as the Docker SDK for Python reads it: a number, or one with b, k, m, g or t after it.
    func bytes() throws(ConfigurationError) -> Int {
        let allowed = "a number of bytes above 0, or one with b, k, m, g or t after it, such as 512m"
        if let number = value.intValue {
            guard number > 0 else { throw invalid(allowed) }
            return number
        }
        guard var text = value.stringValue?.lowercased() else { throw invalid(allowed) }
        if text.count > 1, text.hasSuffix("b"), text.dropLast().last?.isNumber == false { text.removeLast() }
        var factor = 1.0
        if let unit = text.last, let power = ["b", "k", "m", "g", "t"].firstIndex(of: unit) {
            for _ in 0..<power { factor *= 1024 }
            text.removeLast()
        }
        guard let number = Double(text), let bytes = Int(exactly: (number * factor).rounded(.down)), bytes > 0 else {
            throw invalid(allowed)
        }
        return bytes
    }

    /// An object of strings and numbers, as texts.
    func texts() throws(ConfigurationError) -> [String: String] {
        var texts: [String: String] = [:]
        for (key, value) in try object() {
            switch value {
            case .string(let string): texts[key] = string
            case .number(let number): texts[key] = number.literal
            default: throw invalid("an object of strings")
            }
        }
        return texts
    }

    /// Devices as `/dev/host:/dev/container:rwm`, of which the last parts may be missing.
    func devices() throws(ConfigurationError) -> [DeviceMapping] {
        var devices: [DeviceMapping] = []
        for text in try strings() {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            let permissions = parts.count > 2 ? parts[2] : "rwm"
            guard parts.count <= 3, parts.allSatisfy({ !$0.isEmpty }), permissions.allSatisfy("rwm".contains) else {
                throw invalid("devices such as /dev/host, /dev/host:/dev/container or /dev/host:/dev/container:rwm")
            }
            devices.append(
                DeviceMapping(
                    pathOnHost: parts[0],
                    pathInContainer: parts.count > 1 ? parts[1] : parts[0],
                    cgroupPermissions: permissions
                )
            )
        }
        return devices
    }

    /// Limits with the keys of the SDK's constructor, or those of the Engine API.
    func processLimits() throws(ConfigurationError) -> [Ulimit] {
        let allowed = "limits such as {\"name\": \"nofile\", \"soft\": 1024, \"hard\": 4096}"
        guard let elements = value.arrayValue else { throw invalid("a list of " + allowed) }
        var limits: [Ulimit] = []
        for element in elements {
            let soft = element["soft"] ?? element["Soft"]
            let hard = element["hard"] ?? element["Hard"] ?? soft
            guard let name = (element["name"] ?? element["Name"])?.stringValue,
                let hard = hard?.intValue, let soft = (soft ?? element["hard"] ?? element["Hard"])?.intValue
            else { throw invalid(allowed) }
            limits.append(Ulimit(name: name, soft: soft, hard: hard))
        }
        return limits
    }
}
