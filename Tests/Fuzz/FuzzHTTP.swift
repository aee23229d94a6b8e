/// The target of libFuzzer (https://llvm.org/docs/LibFuzzer.html): a violation of the parser's properties is a crash.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    if let violation = ParserProperties.violation(input) { fatalError(violation) }
    return 0
}
