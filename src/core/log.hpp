// One line a happening on stderr, `key=value`, which supervisord keeps:
//     at=jobs event=settled job=7 state=COMPLETED
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace jobrunner {

/// Writes one line with the time before it. Values are quoted where they need it, control
/// bytes are escaped and each value is cut at 1,000 bytes: no caller can forge a line.
void log(std::string_view at, std::string_view event,
         std::initializer_list<std::pair<std::string_view, std::string>> more = {});

/// `text` as log() writes a value; apart for tests.
std::string log_value(std::string_view text);

} // namespace jobrunner
