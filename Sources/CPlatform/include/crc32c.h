#pragma once

#include <stddef.h>
#include <stdint.h>

/// The CRC-32C (Castagnoli, RFC 3720 appendix B.4) of bytes, continued from that of the bytes before them; 0 to begin.
///
/// In C since the processor's instruction for it can't be spelled in Swift.
uint32_t cplatform_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same without the processor's help, for the test that both agree.
uint32_t cplatform_crc32c_portable(uint32_t crc, const void *bytes, size_t count);
