#include "CZlib.h"

// A negative window size stands for a stream without zlib's header and checksum.
static const int raw_window_bits = -15;

int czlib_deflate_begin(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, raw_window_bits, 8, Z_DEFAULT_STRATEGY);
}

int czlib_inflate_begin(z_stream *stream) {
    return inflateInit2(stream, raw_window_bits);
}
