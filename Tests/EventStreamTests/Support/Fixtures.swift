import EventStream
import Foundation

/// Files recorded from the reference.
enum Fixtures {
    /// The folder of the recordings.
    static var folder: URL {
        get throws {
            guard let url = Bundle.module.url(forResource: "Fixtures", withExtension: nil) else {
                throw CocoaError(.fileNoSuchFile)
            }
            return url.appending(path: "openhands-0.62")
        }
    }

    /// The bytes of a file.
    static func bytes(_ path: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: folder.appending(path: path)))
    }

    /// The bytes of each event file of the recorded session, by id.
    static func eventFiles() throws -> [[UInt8]] {
        try (0..<58).map { try bytes("sessions/fixture/events/\($0).json") }
    }
}
