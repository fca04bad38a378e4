// A string that does not print.
#pragma once

#include <string>
#include <utility>

namespace jobrunner {

class secret {
public:
  secret() = default;
  explicit secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const noexcept { return value_; }

private:
  std::string value_;
};

} // namespace jobrunner
