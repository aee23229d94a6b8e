/// How old logs have the arguments of the editor: in `translated_ipython_code`, as the Python call that performed them.
enum EditorCall {
    private static let member = "translated_ipython_code"
    private static let prefix = "print(file_editor(**"
    private static let suffix = "))"

    /// The action's arguments with those of the call in place of it; `nil` when there is no call that can be read.
    static func unfolded(_ args: JSONObject) -> JSONObject? {
        guard let code = args[member]?.stringValue, code.hasPrefix(prefix), code.hasSuffix(suffix),
            case .object(let call)? = PythonLiteral.value(of: code.dropFirst(prefix.count).dropLast(suffix.count))
        else { return nil }
        var unfolded = args
        unfolded.removeValue(forKey: member)
        for (key, value) in call { unfolded[key] = value }
        // A view is an action of its own kind by now, which has no command.
        if unfolded["command"] == "view" { unfolded.removeValue(forKey: "command") }
        return unfolded
    }
}
