import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// What root in a sandbox can't do, tried from inside with no settings but the image.
@Suite(.timeLimit(.minutes(5)))
struct ConfinementTests {
    /// Tries each, and prints its name and what became of it; numbers are those of system calls on x86-64 and ARM64.
    private static let attempts = """
        import ctypes, errno, os, platform, socket
        libc = ctypes.CDLL(None, use_errno=True)
        x86 = platform.machine() == 'x86_64'
        def call(name, x86_number, arm_number, *arguments):
            ctypes.set_errno(0)
            result = libc.syscall(x86_number if x86 else arm_number, *arguments)
            print(name, errno.errorcode.get(ctypes.get_errno(), 'none') if result < 0 else 'DONE')
        def attempt(name, body):
            try:
                body()
                print(name, 'DONE')
            except OSError as error:
                print(name, errno.errorcode.get(error.errno))
        def write(path):
            with open(path, 'w') as file: file.write('1')
        os.makedirs('/tmp/here', exist_ok=True)
        call('mount', 165, 40, b'none', b'/tmp/here', b'tmpfs', 0, None)
        call('remount', 165, 40, b'none', b'/sys', None, 32, None)
        call('umount', 166, 39, b'/.action-execution-server', 2)
        call('pivot_root', 155, 41, b'/', b'/tmp')
        call('init_module', 175, 105, b'x', 1, b'')
        call('unshare user', 272, 97, 0x10000000)
        call('unshare mounts', 272, 97, 0x00020000)
        call('bpf', 321, 280, 0, None, 0)
        call('perf_event_open', 298, 241, None, 0, -1, -1, 0)
        call('keyctl', 250, 219, 0, -3, 0)
        call('reboot', 169, 142, 0xfee1dead, 672274793, 0, None)
        call('settimeofday', 164, 170, ctypes.create_string_buffer(16), None)
        call('sethostname', 170, 161, b'other', 5)
        call('swapon', 167, 224, b'/tmp/none', 0)
        call('kexec_load', 246, 104, 0, 0, None, 0)
        call('open_by_handle_at', 304, 265, -1, None, 0)
        attempt('packet socket', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
        attempt('raw socket', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
        attempt('block device', lambda: os.mknod('/tmp/disk', 0o060600, os.makedev(8, 0)))
        attempt('memory device', lambda: os.mknod('/tmp/mem', 0o020600, os.makedev(1, 1)))
        attempt('sysfs', lambda: write('/sys/kernel/uevent_helper'))
        attempt('core pattern', lambda: write('/proc/sys/kernel/core_pattern'))
        attempt('sysrq', lambda: write('/proc/sysrq-trigger'))
        groups = '/sys/fs/cgroup/memory' if os.path.isdir('/sys/fs/cgroup/memory') else '/sys/fs/cgroup'
        attempt('control group', lambda: os.mkdir(groups + '/mine'))
        attempt('niceness', lambda: os.setpriority(os.PRIO_PROCESS, 0, -10))
        attempt('kernel memory', lambda: open('/proc/kcore', 'rb').read(1) or write('/nowhere/empty'))
        """

    @Test(
        "P11: root in a sandbox can't mount, load modules, make devices, use raw sockets, or change the kernel's settings"
    )
    func attempts() async throws {
        try await withRuntime { sandbox in
            let write = FileWriteAction(path: "/tmp/attempts.py", content: Self.attempts)
            _ = try await sandbox.stream.perform(.write(write))
            let result = try #require(try await sandbox.stream.run("id -u; python3 /tmp/attempts.py"))
            let lines = result.content.split(separator: "\n").map(String.init)
            #expect(lines.first == "0")
            #expect(lines.count == 27, "\(result.content)")
            for line in lines.dropFirst() {
                let isRefused = ["EPERM", "EACCES", "EROFS", "ENOENT", "ENOSYS"].contains { line.hasSuffix(" \($0)") }
                #expect(isRefused, "\(line)")
            }
        }
    }

    @Test("P11: a program with the set-user-ID bit gives nobody more than they have")
    func noNewPrivileges() async throws {
        try await withRuntime { sandbox in
            let commands =
                "cp /usr/bin/id /tmp/id && chmod 4755 /tmp/id && setpriv --reuid 1000 --clear-groups /tmp/id -u"
            let user = try await sandbox.stream.run(commands)?.content
            #expect(user == "1000")
        }
    }

    @Test("P11: of processes a sandbox sees its own; its server isn't killed from inside")
    func processes() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            let first = try #require(
                try await sandbox.stream.run("tr '\\0' ' ' < /proc/1/cmdline; ls -d /proc/[0-9]* | wc -l")
            )
            #expect(first.content.hasPrefix("/.action-execution-server/action-execution-server "))
            let count = first.content.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
            #expect((count ?? 1000) < 10)
            #expect(try await sandbox.stream.run("kill -9 1; echo alive")?.content == "alive")
        }
    }

    @Test("P11: a sandbox can't have more processes or memory than its limits, and goes on after it tried")
    func limits() async throws {
        try await withRuntime {
            $0.limits.processes = 60
            $0.limits.memory = 128 << 20
        } _: { sandbox in
            let bomb = """
                import os, signal
                children = []
                try:
                    while len(children) < 200:
                        child = os.fork()
                        if child == 0: signal.pause()
                        children.append(child)
                except BlockingIOError:
                    print('refused')
                for child in children: os.kill(child, 9)
                print(len(children) < 60)
                """
            let write = FileWriteAction(path: "/tmp/bomb.py", content: bomb)
            _ = try await sandbox.stream.perform(.write(write))
            let forks = try #require(try await sandbox.stream.run("python3 /tmp/bomb.py"))
            #expect(forks.content == "refused\nTrue")
            let hog = try #require(try await sandbox.stream.run("python3 -c 'print(len(b\"x\" * (400 << 20)))'"))
            #expect(hog.metadata.exitCode == 137, "\(hog.content)")
            #expect(try await sandbox.stream.run("echo alive")?.content == "alive")
        }
    }

    @Test("P11: of the host's files nothing is mounted but what the engine and the server need")
    func mounts() async throws {
        try await withRuntime(image: TestEnvironment.imageWithoutBash) { sandbox in
            let inspection = try await sandbox.session.engine.inspectContainer(sandbox.runtime.containerName)
            let targets = (inspection.mounts ?? []).map(\.destination).sorted()
            #expect(targets == ["/.action-execution-server", "/.action-execution-socket"])
            // mountinfo, proc_pid_mountinfo(5): the fifth field is the target, those after the dash the type and the source.
            let list = try #require(
                try await sandbox.stream.run(
                    "awk '{ print $5 }' /proc/self/mountinfo | grep -v -E '^/(proc|sys|dev)(/|$)' | sort"
                )
            )
            #expect(
                list.content.split(separator: "\n").map(String.init)
                    == [
                        "/", "/.action-execution-server", "/.action-execution-socket", "/etc/hostname", "/etc/hosts",
                        "/etc/resolv.conf",
                    ].sorted()
            )
        }
    }
}
