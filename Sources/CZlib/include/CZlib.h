/// The system's zlib, with what Swift can't spell of it.
#pragma once

#include <zlib.h>

/// Begins to compress to a raw deflate stream (RFC 1951) as zip archives hold them. In C because deflateInit2 is a macro.
/// Returns Z_OK, or one of zlib's error codes.
int czlib_deflate_begin(z_stream *stream, int level);

/// Begins to decompress a raw deflate stream. In C because inflateInit2 is a macro. Returns as above.
int czlib_inflate_begin(z_stream *stream);
