#include "actors/output_indexer.hpp"
#include "stage.hpp"
#include "world.hpp"

#include <sys/stat.h>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;
using names = std::vector<std::string>;

struct output_indexer_test : world, stage {
  indexer_actor indexer = sys.spawn(output_indexer, std::cref(with));
  output_actor reader = sys.spawn(output_reader, std::cref(with));
  ~output_indexer_test() override {
    stop(indexer);
    stop(reader);
  }

  job over(std::int64_t id) {
    job j;
    j.id = id;
    j.result_dir = root / ("results/job_" + std::to_string(id));
    std::filesystem::create_directories(j.result_dir);
    return j;
  }
  auto index(const job& j) { return start(ask(indexer, 60s, atom::index_v, j)); }
  output_list list(const output_query& q) {
    return start(ask(reader, 60s, atom::list_v, q))->value.value();
  }
  names paths(const output_query& q) {
    names found;
    for (const auto& o : list(q).items)
      found.push_back(o.path);
    return found;
  }
};

TEST_F(output_indexer_test, a_job_s_files_become_outputs_that_are_found) {
  root.put("results/job_7/result.json", "{}");
  root.put("results/job_7/weights/model.pth", "12345");
  const auto made = index(over(7));
  ASSERT_TRUE(made->value);
  EXPECT_EQ(made->value->experiment_id, "job-7");
  EXPECT_EQ(made->value->count, 2);
  EXPECT_EQ(paths({7, "", ""}), (names{"result.json", "weights/model.pth"}));
  const auto o = start(ask(reader, 60s, atom::find_v, std::string{"job-7"}, std::string{"model"}));
  ASSERT_TRUE(o->value);
  EXPECT_EQ(o->value->job_id, 7);
  EXPECT_EQ(o->value->bytes, 5);
  EXPECT_EQ(o->value->kind, "weights");
  EXPECT_GT(o->value->created_at, timestamp{});
}

TEST_F(output_indexer_test, a_manifest_is_used) {
  root.put("results/job_7/model.pth", "1");
  root.put("results/job_7/manifest.json",
           R"({"experimentId": "e", "outputs": [{"id": "w", "path": "model.pth"}]})");
  EXPECT_EQ(index(over(7))->value->experiment_id, "e");
  EXPECT_EQ(paths({7, "", ""}), names{"model.pth"});
}

TEST_F(output_indexer_test, a_manifest_that_is_no_regular_file_is_as_good_as_none) {
  root.put("results/job_7/model.pth", "1");
  temp_folder outside;
  outside.put("manifest.json", R"({"experimentId": "stolen", "outputs": []})");
  const auto where = root / "results/job_7/manifest.json";
  std::filesystem::create_symlink(outside / "manifest.json", where);
  EXPECT_EQ(index(over(7))->value->experiment_id, "job-7");
  std::filesystem::remove(where);
  ASSERT_EQ(mkfifo(where.c_str(), 0600), 0);
  EXPECT_EQ(index(over(7))->value->count, 1);
  std::filesystem::remove(where);
  std::filesystem::create_directory(where);
  EXPECT_EQ(index(over(7))->value->count, 1);
}

TEST_F(output_indexer_test, a_manifest_that_is_too_large_is_as_good_as_none) {
  root.put("results/job_7/manifest.json", R"({"experimentId": "e", "outputs": []})");
  std::filesystem::resize_file(root / "results/job_7/manifest.json", (16U << 20U) + 1); // sparse
  EXPECT_EQ(index(over(7))->value->experiment_id, "job-7");
  EXPECT_EQ(paths({7, "", ""}), names{"manifest.json"});
}

TEST_F(output_indexer_test, indexing_again_replaces_and_leaves_other_jobs_alone) {
  root.put("results/job_7/a.txt", "1");
  root.put("results/job_8/c.txt", "1");
  index(over(7));
  index(over(8));
  std::filesystem::remove(root / "results/job_7/a.txt");
  root.put("results/job_7/b.txt", "1");
  index(over(7));
  EXPECT_EQ(paths({7, "", ""}), names{"b.txt"});
  EXPECT_EQ(paths({8, "", ""}), names{"c.txt"});
}

TEST_F(output_indexer_test, a_folder_that_is_gone_is_not_found_and_keeps_what_was_known) {
  root.put("results/job_7/a.txt", "1");
  const auto j = over(7);
  index(j);
  std::filesystem::remove_all(j.result_dir);
  EXPECT_EQ(index(j)->error->code(), errc::not_found);
  EXPECT_EQ(paths({7, "", ""}), names{"a.txt"});
}

TEST_F(output_indexer_test, an_output_of_another_name_is_not_found) {
  const auto o = start(ask(reader, 60s, atom::find_v, std::string{"e"}, std::string{"x"}));
  ASSERT_TRUE(o->error);
  EXPECT_EQ(o->error->code(), errc::not_found);
}

TEST_F(output_indexer_test, lists_go_on_where_the_page_before_ended) {
  for (const auto* name : {"a", "b", "c"})
    root.put(std::string{"results/job_7/"} + name, "1");
  index(over(7));
  const auto first = list({7, "", "", 0, 2});
  EXPECT_EQ(first.items.size(), 2U);
  EXPECT_EQ(paths({7, "", "", first.next_cursor, 2}), names{"c"});
}

} // namespace

} // namespace jobrunner
