// What one request may hold, whichever way its fields come.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jobrunner::http {

constexpr std::size_t max_fields = 256; // of a form, a query or a JSON object
constexpr std::size_t max_field_bytes = std::size_t{64} * 1024; // of one name or value, decoded
constexpr std::size_t max_parts = 64;                           // of a multipart body
constexpr std::size_t max_part_head = std::size_t{8} * 1024;    // bytes of one part's header
constexpr std::size_t max_part_headers = 16;                    // lines of one part's header
constexpr std::size_t max_preamble = std::size_t{64} * 1024;    // bytes before the first part
constexpr std::size_t max_target = 8000;   // bytes of a request target; RFC 9110, 4.1
constexpr std::size_t max_headers = 100;   // fields of a request's header
constexpr std::int64_t longest_wait = 300; // seconds, for what a client may wait

} // namespace jobrunner::http
