#pragma once

#include <stddef.h>
#include <stdint.h>

/// The SHA-256 digest of some bytes (FIPS 180-4). In C because no library that we link on every system has it,
/// and a static program on Linux has no other.
void platform_sha256(const void *bytes, size_t count, uint8_t digest[32]);
