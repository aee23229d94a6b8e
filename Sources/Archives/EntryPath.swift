/// Where an entry is to be unpacked: the names of folders below the target, and its own.
///
/// No part is empty, `.` or `..`, or has a slash or a zero byte in it, so that opened one by one they lead nowhere else.
package struct EntryPath: Sendable, Hashable {
    package var names: [[UInt8]]

    /// Folders within each other beyond which nothing is packed or unpacked: each takes a descriptor while it is open.
    static let depthLimit = 256

    /// Takes an entry's name apart.
    ///
    /// - Parameter isFromWindows: whether backslashes separate and letters name drives where the archive was made. On Unix
    ///   they are characters like others.
    package init(_ name: [UInt8], isFromWindows: Bool = false) throws(ArchiveError) {
        func refuse(_ reason: String) -> ArchiveError { .refused(entry: printable(name), reason: reason) }
        guard !name.contains(0) else { throw refuse("its name has a zero byte") }
        guard name.first != UInt8(ascii: "/") else { throw refuse("its path is absolute") }
        if isFromWindows {
            guard !name.contains(UInt8(ascii: "\\")) else { throw refuse("its path has backslashes") }
            guard name.dropFirst().first != UInt8(ascii: ":") else { throw refuse("its path names a drive") }
        }
        names = name.split(separator: UInt8(ascii: "/")).map(Array.init).filter { $0 != Array(".".utf8) }
        guard !names.contains(Array("..".utf8)) else { throw refuse("its path climbs out with '..'") }
        guard names.count <= Self.depthLimit else { throw refuse("it is more than \(Self.depthLimit) folders deep") }
    }

    /// Checks that something is the name of a file or a folder: not a path, and not one of those that lead elsewhere.
    static func checkName(_ name: [UInt8]) throws(ArchiveError) {
        guard (try? EntryPath(name))?.names == [name] else { throw .noName(printable(name)) }
    }

    /// Whether a symbolic link leads to a place below the target, whatever other links of this kind there are.
    ///
    /// It does when it climbs no higher than the target, and only at its beginning: behind the name of a link `..` would
    /// lead up from where that one leads.
    package func keepsInside(linkTarget: [UInt8]) -> Bool {
        guard !linkTarget.isEmpty, linkTarget.first != UInt8(ascii: "/"), !linkTarget.contains(0) else { return false }
        let parts = linkTarget.split(separator: UInt8(ascii: "/")).filter { $0 != [UInt8(ascii: ".")] }
        let climbs = parts.prefix { $0 == [UInt8(ascii: "."), UInt8(ascii: ".")] }.count
        let climbsLater = parts.dropFirst(climbs).contains { $0 == [UInt8(ascii: "."), UInt8(ascii: ".")] }
        return climbs < names.count && !climbsLater
    }

    /// The path as a name.
    var joined: [UInt8] {
        Array(names.joined(separator: [UInt8(ascii: "/")]))
    }
}
