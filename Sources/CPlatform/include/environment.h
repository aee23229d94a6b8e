#pragma once

/// The environment of this process, null-terminated. In C because each system declares the variable elsewhere.
char **platform_environment(void);
