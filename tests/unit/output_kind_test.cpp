#include "core/output_kind.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

TEST(output_kind, weights_are_told_by_the_name_s_ending) {
  for (const auto* name : {"a.pt", "w/a.pth", "a.bin", "a.ckpt", "a.safetensors", "a.b.onnx"})
    EXPECT_EQ(output_kind(name), "weights") << name;
  for (const auto* name : {"pt", ".pt", "a.PT", "a.pt/readme", "a.pt.txt", ""})
    EXPECT_EQ(output_kind(name), "file") << name;
}

TEST(output_kind, the_result_and_the_manifest_are_those_of_the_top_folder) {
  EXPECT_EQ(output_kind("result.json"), "result");
  EXPECT_EQ(output_kind("manifest.json"), "manifest");
  EXPECT_EQ(output_kind("a/result.json"), "file");
}

} // namespace

} // namespace jobrunner
