// The launcher's own process: what the fork of launcher.cpp runs until its socket closes.
// Internal to launcher.cpp.
#pragma once

#include "core/launcher.hpp"

#include <array>
#include <cstdint>

namespace jobrunner::launching {

/// A message to the launcher. `start` brings five descriptors: the arguments (a file, each ended
/// by a NUL), standard input, output, error, and the pipe that the outcome goes to.
struct request {
  enum class kind : std::uint32_t { start, kill } what = kind::start;
  std::uint64_t id = 0;
};
constexpr std::size_t descriptors = 5;

/// What the launcher writes to the pipe of a command, once.
struct outcome {
  enum class kind : std::int32_t { not_started, exited, signalled } what = kind::not_started;
  std::int32_t value = 0; // errno, exit code or signal
};

/// The launcher's first message: ready, or which call failed.
struct greeting {
  std::int32_t error = 0;
  std::array<char, 32> doing{};
};

/// Becomes `who`, says so, and starts commands until `socket` is closed. Never returns.
[[noreturn]] void serve(int socket, const identity& who,
                        const std::vector<std::string>& environment) noexcept;

} // namespace jobrunner::launching
