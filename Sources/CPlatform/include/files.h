#pragma once

#include <stdbool.h>
#include <stddef.h>

/// The first place of bytes in others, or null. In C because glibc hides it.
const void *platform_find_bytes(const void *bytes, size_t count, const void *pattern, size_t pattern_count);

/// Whether an open file has attributes that a new one in its place would not have (access control lists, capabilities, those of
/// users). In C because the call differs between systems. When in doubt, it has.
bool platform_has_attributes(int descriptor);
