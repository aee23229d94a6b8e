import DockerEngine
import EventStream

extension DockerEngine.JSONValue {
    /// The same value as the engine's client has it.
    init(_ value: SettingValue) {
        switch value {
        case .null: self = .null
        case .bool(let bool): self = .bool(bool)
        case .number(let number): self = number.int.map { .integer($0) } ?? .number(number.double)
        case .string(let string): self = .string(string)
        case .array(let elements): self = .array(elements.map { Self($0) })
        case .object(let object): self = .object(Dictionary(object.map { ($0.key, Self($0.value)) }) { $1 })
        }
    }
}
