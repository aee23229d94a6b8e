#pragma once

#include <curl/curl.h>

// What Swift can't spell of libcurl: its variadic setters and getters, one function per argument type, and
// the constants that are cast expressions. Each returns libcurl's own code unchanged and adds nothing.

/// `curl_easy_setopt` of an option that takes a `long`.
CURLcode ccurl_easy_setopt_long(CURL *handle, CURLoption option, long value);

/// `curl_easy_setopt` of an option that takes a `curl_off_t`.
CURLcode ccurl_easy_setopt_off_t(CURL *handle, CURLoption option, curl_off_t value);

/// `curl_easy_setopt` of an option that takes a string. libcurl copies it, except for `CURLOPT_POSTFIELDS`.
CURLcode ccurl_easy_setopt_string(CURL *handle, CURLoption option, const char *value);

/// `curl_easy_setopt` of an option that takes an object pointer. The caller keeps the object alive.
CURLcode ccurl_easy_setopt_pointer(CURL *handle, CURLoption option, void *value);

/// `curl_easy_setopt` of the header list. The caller keeps and frees the list.
CURLcode ccurl_easy_setopt_slist(CURL *handle, CURLoption option, struct curl_slist *value);

// The callbacks, one setter each, so that the compiler checks the signature.
CURLcode ccurl_easy_set_header_function(CURL *handle, curl_write_callback function);
CURLcode ccurl_easy_set_write_function(CURL *handle, curl_write_callback function);
CURLcode ccurl_easy_set_read_function(CURL *handle, curl_read_callback function);
CURLcode ccurl_easy_set_seek_function(CURL *handle, curl_seek_callback function);
CURLcode ccurl_easy_set_xferinfo_function(CURL *handle, curl_xferinfo_callback function);
CURLcode ccurl_easy_set_prereq_function(CURL *handle, curl_prereq_callback function);

/// `curl_easy_getinfo` of a `long`.
CURLcode ccurl_easy_getinfo_long(CURL *handle, CURLINFO info, long *value);

/// `curl_multi_setopt` of an option that takes a `long`.
CURLMcode ccurl_multi_setopt_long(CURLM *handle, CURLMoption option, long value);

/// The result in a `CURLMsg`, whose `data` is a union.
CURLcode ccurl_msg_result(const CURLMsg *message);

/// `curl_global_init(CURL_GLOBAL_DEFAULT)`: the argument is an expression of macros.
CURLcode ccurl_global_init_default(void);
