#include "core/output_kind.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace jobrunner {

std::string output_kind(std::string_view path) {
  constexpr std::array weights{".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".onnx"};
  const auto extension = std::filesystem::path{path}.extension().string();
  if (std::ranges::find(weights, extension) != weights.end())
    return "weights";
  if (path == "result.json")
    return "result";
  return path == "manifest.json" ? "manifest" : "file";
}

} // namespace jobrunner
