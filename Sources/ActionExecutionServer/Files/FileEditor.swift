import EventStream

/// Edits, writes and shows files, one change at a time, and remembers what they had before.
///
/// Changes wait for each other whichever files they are of: what a path leads to is found only on the way. Files are only read and
/// written on threads that may block.
actor FileEditor {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let editor: Editor
    private let turn: Turn
    private var history = EditHistory()

    /// - Parameter workspace: what relative paths, which the editor doesn't take, may have been meant to be relative to.
    init(workspace: String, loop: EventLoop) {
        self.loop = loop
        editor = Editor(workspace: SystemPath(workspace))
        turn = Turn(loop: loop)
    }

    /// Performs a command of the editor.
    func edit(_ action: FileEditAction) async -> Observation {
        guard action.implementation == .editor else {
            return .error(
                ErrorObservation(
                    content: "Edits by \(action.implementation.rawValue) are not performed here; use the commands of"
                        + " \(FileEditImplementation.editor.rawValue)."
                )
            )
        }
        guard await turn.take() else { return Self.cancelled }
        let call = Editor.Call(action)
        let path = call.normalizedPath
        let last = history.last(of: path)
        let editor = editor
        let (outcome, diff) = await offload { () -> (Result<Editor.Result, EditorError>, String) in
            do throws(EditorError) {
                let result = try editor.perform(call, last: last)
                let diff = result.change.map { UnifiedDiff.between($0.old, $0.new, path: action.path) }
                return (.success(result), diff ?? "")
            } catch {
                return (.failure(error), "")
            }
        }
        if case .success(let result) = outcome {
            switch result.memory {
            case .unchanged: break
            case .remember(let version): history.add(version, for: path)
            case .forgetLast: history.removeLast(of: path)
            }
        }
        await turn.end()
        return .edit(
            FileEditObservation(
                content: Self.content(outcome),
                path: action.path,
                oldContent: action.oldString,
                newContent: action.newString,
                implementation: .editor,
                diff: diff
            )
        )
    }

    /// Shows a file or a directory.
    func view(_ action: FileReadAction) async -> Observation {
        let editor = editor
        let call = Editor.Call(command: "view", path: action.path, viewRange: action.viewRange)
        return await offload {
            let path = call.normalizedPath
            let beginning = try? FileAccess.readBeginning(path, count: BinaryCheck.sampleSize)
            if BinaryCheck.isBinary(path, beginning: beginning ?? []) {
                return .error(ErrorObservation(content: FileActions.binaryFile))
            }
            let outcome: Result<Editor.Result, EditorError>
            do throws(EditorError) {
                outcome = .success(try editor.perform(call, last: nil))
            } catch {
                outcome = .failure(error)
            }
            return .read(
                FileReadObservation(content: Self.content(outcome), path: action.path, implementation: .editor)
            )
        }
    }

    /// Writes a file.
    ///
    /// - Parameter directory: what a relative path is relative to.
    func write(_ action: FileWriteAction, in directory: String) async -> Observation {
        guard await turn.take() else { return Self.cancelled }
        let observation = await offload { FileActions.write(action, in: directory) }
        await turn.end()
        return observation
    }

    private static func content(_ outcome: Result<Editor.Result, EditorError>) -> String {
        switch outcome {
        case .success(let result): result.output
        case .failure(let error): "ERROR:\n\(error.message)"
        }
    }

    private static let cancelled = Observation.error(
        ErrorObservation(content: "The execution server is shutting down; the file was not changed.")
    )
}

extension Editor.Call {
    fileprivate init(_ action: FileEditAction) {
        self.init(
            command: action.command,
            path: action.path,
            fileText: action.fileText,
            oldString: action.oldString,
            newString: action.newString,
            insertLine: action.insertLine
        )
    }
}
