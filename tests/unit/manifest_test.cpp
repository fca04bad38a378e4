#include "actors/manifest.hpp"
#include "expect_failure.hpp"

#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <set>

namespace jobrunner {

namespace {

using names = std::vector<std::string>;

const std::vector<found_file> files{
    {"manifest.json", 10}, {"model.onnx", 3}, {"result.json", 20}, {"weights/model.pth", 30}};

named_outputs named(const std::string& text) {
  return by_manifest(text, files, "fallback");
}

names ids(const named_outputs& n) {
  names found;
  for (const auto& o : n.outputs)
    found.push_back(o.output_id);
  return found;
}

std::string problem(const named_outputs& n) {
  return n.problems.first.empty() ? "" : n.problems.first.front();
}

/// For manifests that must be as good as none.
void expect_unused(const std::string& text, const std::string& why) {
  const auto n = named(text);
  EXPECT_EQ(n.outputs.size(), files.size()) << text.substr(0, 80);
  EXPECT_EQ(n.experiment_id, "fallback");
  EXPECT_TRUE(says(problem(n), why)) << problem(n);
}

std::int64_t peak_kib() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      std::int64_t kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

TEST(manifest, a_good_one_names_the_outputs_and_the_experiment) {
  const auto n = named(R"({"experimentId": "job-7", "outputs": [
    {"id": "weights", "path": "weights/model.pth"}, {"id": "summary", "path": "result.json"}]})");
  EXPECT_EQ(n.experiment_id, "job-7");
  EXPECT_EQ(problem(n), "");
  ASSERT_EQ(ids(n), (names{"weights", "summary"}));
  EXPECT_EQ(n.outputs[0].path, "weights/model.pth");
  EXPECT_EQ(n.outputs[0].bytes, 30);
  EXPECT_EQ(n.outputs[0].kind, "weights");
  EXPECT_EQ(n.outputs[0].experiment_id, "job-7");
  EXPECT_EQ(n.outputs[1].kind, "result");
}

TEST(manifest, a_path_may_be_written_in_more_than_one_way) {
  const auto n = named(R"({"outputs": [{"id": "a", "path": "./weights//model.pth"},
                                       {"id": "b", "path": "weights/../result.json"}]})");
  EXPECT_EQ(problem(n), "");
  ASSERT_EQ(n.outputs.size(), 2U);
  EXPECT_EQ(n.outputs[0].path, "weights/model.pth");
  EXPECT_EQ(n.outputs[1].path, "result.json");
}

TEST(manifest, a_path_that_is_no_file_of_the_job_is_left_out_and_said) {
  for (const auto* path : {"../../jr_slurm.db", "/etc/passwd", "weights", "gone.bin", "..", ".",
                           "weights/model.pth/", "result.json\\u0000.txt", "\\u001b[2J"}) {
    const auto n = named(std::string{R"({"outputs": [{"id": "x", "path": ")"} + path +
                         R"("}, {"id": "ok", "path": "result.json"}]})");
    EXPECT_EQ(ids(n), names{"ok"}) << path;
    EXPECT_TRUE(says(problem(n), "no regular file")) << path;
    EXPECT_EQ(problem(n).find('\x1b'), std::string::npos);
  }
}

TEST(manifest, entries_that_are_not_objects_with_id_and_path_are_left_out) {
  const auto n = named(R"({"outputs": [1, null, "x", [], {}, {"id": "a"}, {"path": "result.json"},
    {"id": 7, "path": "result.json"}, {"id": "", "path": "result.json"}, {"id": "b", "path": 7},
    {"id": "ok", "path": "result.json"}]})");
  EXPECT_EQ(ids(n), names{"ok"});
  EXPECT_FALSE(n.problems.first.empty());
}

TEST(manifest, a_name_that_is_too_long_is_none) {
  const std::string longest(1001, 'x');
  const auto n = named(R"({"experimentId": ")" + longest + R"(", "outputs": [{"id": ")" + longest +
                       R"(", "path": "result.json"}]})");
  EXPECT_EQ(n.experiment_id, "fallback");
  EXPECT_TRUE(n.outputs.empty());
  EXPECT_TRUE(says(problem(n), "an experimentId that is no text of 1 to 1000 bytes"));
}

TEST(manifest, what_is_not_json_is_as_good_as_none) {
  expect_unused("", "not JSON");
  expect_unused("{", "not JSON");
  expect_unused("\xff\xfe", "not JSON");
  expect_unused("{\"outputs\": [{\"id\": \"\xc3\x28\", \"path\": \"a\"}]}", "not JSON");
  expect_unused(R"({"outputs": [], "size": NaN})", "not JSON");
  expect_unused(R"({"outputs": []} trailing)", "not JSON");
  expect_unused(std::string(1000, '['), "not JSON"); // deep
  expect_unused(std::string(1 << 20, '\0'), "not JSON");
  expect_unused("{\"outputs\": [", "not JSON"); // cut
}

TEST(manifest, json_without_a_list_of_outputs_is_as_good_as_none) {
  for (const auto* text : {"[]", "7", "null", "{}", R"({"outputs": {}})", R"({"outputs": 7})"})
    expect_unused(text, "no list");
}

TEST(manifest, an_empty_list_means_no_outputs) {
  const auto n = named(R"({"outputs": []})");
  EXPECT_TRUE(n.outputs.empty());
  EXPECT_EQ(problem(n), "");
}

TEST(manifest, numbers_of_any_size_do_no_harm) {
  const auto n = named(R"({"outputs": [{"id": "ok", "path": "result.json", "size": 1e999,
                                        "n": 99999999999999999999999999}]})");
  EXPECT_TRUE(ids(n) == names{"ok"} || !n.problems.first.empty());
}

TEST(manifest, of_duplicate_keys_the_last_counts) {
  const auto n = named(R"({"outputs": [], "outputs": [{"id": "a", "id": "b", "path": "gone",
                                                       "path": "result.json"}]})");
  EXPECT_EQ(ids(n), names{"b"});
}

TEST(manifest, ids_become_unique) {
  const auto n = named(R"({"outputs": [{"id": "a", "path": "result.json"},
    {"id": "a", "path": "model.onnx"}, {"id": "a", "path": "model.onnx"}]})");
  EXPECT_EQ(ids(n), (names{"a", "model.onnx", "model.onnx-2"}));
  EXPECT_EQ(n.problems.first,
            (names{R"(manifest.json names two outputs "a"; one of them is "model.onnx")",
                   R"(manifest.json names two outputs "a"; one of them is "model.onnx-2")"}));
}

TEST(manifest, more_entries_than_the_limit_are_as_good_as_none) {
  std::string text = R"({"outputs": [)";
  for (int i = 0; i <= 100000; ++i)
    text += i == 0 ? "0" : ",0";
  expect_unused(text + "]}", "more than 100000");
}

TEST(manifest, a_hundred_thousand_times_the_same_name_takes_no_minute) {
  std::string text = R"({"outputs": [)";
  for (int i = 0; i < 100000; ++i)
    text += std::string{i == 0 ? "" : ","} + R"({"id":"a","path":"result.json"})";
  const auto began = std::chrono::steady_clock::now();
  const auto n = named(text + "]}");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{20});
  EXPECT_EQ(n.problems.total, 99999);
  EXPECT_EQ(n.problems.first.size(), 100U);
  const auto all = ids(n);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 100000U);
}

TEST(manifest, sixteen_mib_of_brackets_take_no_more_than_64_mib) {
  std::string text = R"({"outputs": [)";
  while (text.size() < (15U << 20U))
    text += "[],";
  text += "[]]}";
  const auto before = peak_kib();
  expect_unused(text, "");
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

TEST(outputs_by_name, every_file_is_called_as_it_is_without_the_ending) {
  EXPECT_EQ(ids(by_name({{"a.txt", 1}, {"b/c.tar.gz", 1}, {"d", 1}, {".hidden", 1}}, "e")),
            (names{"a", "c.tar", "d", ".hidden"}));
}

TEST(outputs_by_name, files_that_would_share_a_name_get_their_paths) {
  EXPECT_EQ(ids(by_name({{"a.bin", 1}, {"a.txt", 1}, {"b/a.txt", 1}}, "e")),
            (names{"a", "a.txt", "b/a.txt"}));
}

TEST(default_experiment, params_say_it_or_the_job_s_id_does) {
  job j;
  j.id = 7;
  for (const auto* params :
       {"{}", "", "[", "7", R"({"experimentId": 7})", R"({"experimentId": ""})"}) {
    j.params_json = params;
    EXPECT_EQ(default_experiment(j), "job-7") << params;
  }
  j.params_json = R"({"experimentId": "mine"})";
  EXPECT_EQ(default_experiment(j), "mine");
}

} // namespace

} // namespace jobrunner
