extension LocalRuntime {
    /// The names in a folder; see ``Runtime/listFiles(in:)``.
    public func listFiles(in sandboxFolder: String?) async throws -> [String] {
        try await connectedSandbox("listFiles()").withClient { try await $0.listFiles(in: sandboxFolder) }
    }

    /// Copies a file or a folder in; see ``Runtime/copyIn(_:to:options:)``.
    @discardableResult
    public func copyIn(
        _ hostPath: String,
        to sandboxFolder: String,
        options: CopyOptions
    ) async throws -> CopySummary {
        try await connectedSandbox("copyIn()").withClient {
            try await $0.copyIn(hostPath, to: sandboxFolder, options: options)
        }
    }

    /// Copies a file or a folder out; see ``Runtime/copyOut(_:to:options:)``.
    @discardableResult
    public func copyOut(
        _ sandboxPath: String,
        to hostFolder: String,
        options: CopyOptions
    ) async throws -> CopySummary {
        try await connectedSandbox("copyOut()").withClient {
            try await $0.copyOut(sandboxPath, to: hostFolder, options: options)
        }
    }

    /// Packs a file or a folder; see ``Runtime/archive(of:isCompressed:)``.
    public func archive(of sandboxPath: String, isCompressed: Bool) async throws -> SandboxArchive {
        try await connectedSandbox("archive()").withClient {
            try await $0.archive(of: sandboxPath, isCompressed: isCompressed)
        }
    }
}
