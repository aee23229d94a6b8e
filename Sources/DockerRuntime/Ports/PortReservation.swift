import Foundation
import Synchronization

/// Ports of this machine that are reserved for one sandbox, until the reservation is released or let go.
///
/// Each port is tried once, in random order, so that many runtimes that start at once seldom meet.
final class PortReservation: Sendable {
    /// The ports.
    let ports: SandboxPorts
    /// What could not be done as asked; the ports are as free as they looked, but nobody else is kept off them.
    let warning: String?
    private let locks: Mutex<[PortLock]>

    /// What a reservation has to respect.
    struct Request {
        /// From where the ports are taken.
        var ranges: DockerRuntime.PortRanges
        /// Whether the editor gets a port, and which if that is given; a given one isn't looked for, nor locked.
        var hasEditor = false
        var editor: Int?
        /// Whether what the agent serves gets ports.
        var hasApps = false
        /// Ports that aren't to be had: published by the engine, or refused by it.
        var taken: Set<Int> = []
        /// The address that the ports will be bound to; nil when that is on another machine.
        var address: String?
    }

    /// Reserves ports.
    ///
    /// - Throws: ``DockerRuntimeError/portRangeUsedUp(range:)``.
    init(_ request: Request) throws(DockerRuntimeError) {
        let directory = request.ranges.lockDirectory ?? PortLock.standardDirectory
        var finder = Finder(request: request, directory: directory)
        var ports = SandboxPorts(server: try finder.next(in: request.ranges.server))
        if request.hasEditor {
            ports.editor =
                if let port = request.editor { PortAssignment(container: port, host: port) } else {
                    try finder.next(in: request.ranges.editor)
                }
        }
        if request.hasApps {
            for range in request.ranges.apps { ports.apps.append(try finder.next(in: range)) }
        }
        self.ports = ports
        warning = finder.warning
        locks = Mutex(finder.locks)
    }

    /// Gives the ports back; doing it again does nothing.
    func release() {
        locks.withLock { $0 = [] }
    }

    /// Looks for one port after the other.
    private struct Finder {
        let request: Request
        let directory: String
        var locks: [PortLock] = []
        var warning: String?
        private var chosen: Set<Int> = []

        init(request: Request, directory: String) {
            self.request = request
            self.directory = directory
            do throws(PortLock.Failure) {
                try FileLock.makeDirectory(directory)
            } catch {
                goWithoutLocks(error)
            }
        }

        mutating func next(in range: ClosedRange<Int>) throws(DockerRuntimeError) -> PortAssignment {
            for port in range.shuffled() where !request.taken.contains(port) && !chosen.contains(port) {
                guard let claim = claim(port) else { continue }
                if let address = request.address, !FreePort.isFree(port, at: address) { continue }
                if case .locked(let lock) = claim { locks.append(lock) }
                chosen.insert(port)
                return PortAssignment(container: port, host: port)
            }
            throw .portRangeUsedUp(range: range)
        }

        private enum Claim {
            case locked(PortLock)
            /// There can't be locks.
            case unlocked
        }

        /// Nil when somebody else has the port.
        private mutating func claim(_ port: Int) -> Claim? {
            guard warning == nil else { return .unlocked }
            do throws(PortLock.Failure) {
                return .locked(try PortLock(port: port, directory: directory))
            } catch .isTaken {
                return nil
            } catch {
                goWithoutLocks(error)
                return .unlocked
            }
        }

        private mutating func goWithoutLocks(_ failure: PortLock.Failure) {
            guard case .system(let path, let code) = failure else { return }
            warning =
                "Ports are chosen without locks, since \(path) can't be made: \(String(cString: strerror(code))). "
                + "Another runtime may choose the same ones."
        }
    }
}
