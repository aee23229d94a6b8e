/// What the browser shows.
public struct BrowseObservation: Sendable, Hashable {
    /// What the agent reads.
    public var content: String
    /// The page's address.
    public var url: String
    /// The kind of action that led here.
    public var triggeredByAction: String
    /// A picture of the page as a data URL.
    public var screenshot: String
    /// Where the picture is kept.
    public var screenshotPath: String?
    /// A picture with the elements' ids, as a data URL.
    public var setOfMarks: String
    /// Whether the action failed.
    public var error: Bool
    /// Images of the goal.
    public var goalImageURLs: [String]
    /// The addresses of all tabs.
    public var openPagesURLs: [String]
    /// Which tab is in front, from 0.
    public var activePageIndex: Int
    /// The page's document.
    public var domObject: JSONObject
    /// The page's accessibility tree.
    public var accessibilityTree: JSONObject
    /// Position and visibility by element id.
    public var extraElementProperties: JSONObject
    /// What was done last.
    public var lastBrowserAction: String
    /// How that failed.
    public var lastBrowserActionError: String
    /// The element that has the focus.
    public var focusedElementID: String
    /// Whether only visible elements are shown.
    public var filterVisibleOnly: Bool
    /// Members of the JSON that this version doesn't know.
    public var extra = JSONObject()
    var origin = Origin()

    /// Makes an observation, with the reference's defaults.
    public init(
        content: String = "",
        url: String,
        triggeredByAction: String,
        screenshot: String = "",
        screenshotPath: String? = nil,
        setOfMarks: String = "",
        error: Bool = false,
        goalImageURLs: [String] = [],
        openPagesURLs: [String] = [],
        activePageIndex: Int = -1,
        domObject: JSONObject = [:],
        accessibilityTree: JSONObject = [:],
        extraElementProperties: JSONObject = [:],
        lastBrowserAction: String = "",
        lastBrowserActionError: String = "",
        focusedElementID: String = "",
        filterVisibleOnly: Bool = false
    ) {
        self.content = content
        self.url = url
        self.triggeredByAction = triggeredByAction
        self.screenshot = screenshot
        self.screenshotPath = screenshotPath
        self.setOfMarks = setOfMarks
        self.error = error
        self.goalImageURLs = goalImageURLs
        self.openPagesURLs = openPagesURLs
        self.activePageIndex = activePageIndex
        self.domObject = domObject
        self.accessibilityTree = accessibilityTree
        self.extraElementProperties = extraElementProperties
        self.lastBrowserAction = lastBrowserAction
        self.lastBrowserActionError = lastBrowserActionError
        self.focusedElementID = focusedElementID
        self.filterVisibleOnly = filterVisibleOnly
    }
}

extension BrowseObservation: ObservationRecord {
    static let kind: StaticString = "browse"
    static var blank: Self { Self(url: "", triggeredByAction: "") }

    mutating func visitFields<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try visitor.required("url", &url)
        try visitor.required("trigger_by_action", &triggeredByAction)
        try visitor.field("screenshot", &screenshot)
        try visitor.field("screenshot_path", &screenshotPath)
        try visitor.field("set_of_marks", &setOfMarks)
        try visitor.field("error", &error)
        try visitor.field("goal_image_urls", &goalImageURLs)
        try visitor.field("open_pages_urls", &openPagesURLs)
        try visitor.field("active_page_index", &activePageIndex)
        try visitor.field("dom_object", &domObject)
        try visitor.field("axtree_object", &accessibilityTree)
        try visitor.field("extra_element_properties", &extraElementProperties)
        try visitor.field("last_browser_action", &lastBrowserAction)
        try visitor.field("last_browser_action_error", &lastBrowserActionError)
        try visitor.field("focused_element_bid", &focusedElementID)
        try visitor.field("filter_visible_only", &filterVisibleOnly)
    }
}
