#include "actors/output_hasher.hpp"
#include "actors/output_indexer.hpp"
#include "core/sha256.hpp"
#include "stage.hpp"
#include "world.hpp"

#include <sys/stat.h>
#include <thread>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;
using names = std::vector<std::string>;

struct output_indexer_test : world, stage {
  hasher_actor hasher = sys.spawn(output_hasher, std::cref(with));
  indexer_actor indexer = sys.spawn(output_indexer, std::cref(with), hasher);
  output_actor reader = sys.spawn(output_reader, std::cref(with));
  ~output_indexer_test() override {
    stop(indexer);
    stop(hasher);
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

TEST_F(output_indexer_test, what_is_wrong_is_told_with_the_list) {
  root.put("results/job_7/a.txt", "1");
  root.put("results/job_7/manifest.json", "{");
  std::filesystem::create_symlink("/etc/passwd", root / "results/job_7/link");
  index(over(7));
  const auto found = list({7, "", ""}).problems;
  ASSERT_EQ(found.total, 2);
  EXPECT_TRUE(found.first[0].starts_with("manifest.json is not used: it is not JSON"));
  EXPECT_EQ(found.first[1], R"("link" is a symbolic link: left out)");
  EXPECT_EQ(list({{}, "job-7", ""}).problems.total, 0); // of one job alone
}

struct output_hasher_test : output_indexer_test {
  /// As the registry has it.
  void known(const job& j) {
    auto db = store::open(root.path());
    db.run(("INSERT INTO jobs(uuid, job_id, dataset_sha, command_key, params_json, result_dir, "
            "log_path, gpus, cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, "
            "seq, reason, node, created_at) VALUES('u', " +
            std::to_string(j.id) + ", '', '', '', '" + j.result_dir +
            "', '', 0, 0, 0, 0, '', 0, 0, 0, 0, '', '', 0)")
               .c_str());
  }
  void all_hashed() {
    std::this_thread::sleep_for(60ms); // files are left to settle
    pass(1s);
  }
  std::string hash(const std::string& path) {
    for (const auto& o : list({7, "", ""}).items)
      if (o.path == path)
        return o.sha256;
    return "not listed";
  }
};

TEST_F(output_hasher_test, outputs_get_their_hash) {
  root.put("results/job_7/empty", "");
  root.put("results/job_7/large", std::string(40U << 20U, 'x')); // more than a step
  root.put("results/job_7/small", "small");
  const auto j = over(7);
  known(j);
  index(j);
  all_hashed();
  EXPECT_EQ(hash("empty"), sha256_of(""));
  EXPECT_EQ(hash("large"), sha256_of(std::string(40U << 20U, 'x')));
  EXPECT_EQ(hash("small"), sha256_of("small"));
}

TEST_F(output_hasher_test, a_file_that_changed_has_no_hash_until_it_is_indexed_again) {
  const auto path = root.put("results/job_7/a", "one");
  const auto j = over(7);
  known(j);
  index(j);
  all_hashed();
  const auto time = std::filesystem::last_write_time(path);
  root.put("results/job_7/a", "two");
  std::filesystem::last_write_time(path, time); // as if nothing had happened
  EXPECT_EQ(hash("a"), "");
  index(j);
  all_hashed();
  EXPECT_EQ(hash("a"), sha256_of("two"));
}

TEST_F(output_hasher_test, a_file_that_is_gone_or_a_link_keeps_no_other_waiting) {
  for (const auto* name : {"a", "b", "c", "d"})
    root.put(std::string{"results/job_7/"} + name, name);
  const auto j = over(7);
  known(j);
  index(j);
  std::filesystem::remove(root / "results/job_7/b");
  std::filesystem::remove(root / "results/job_7/c");
  std::filesystem::create_symlink(root / "results/job_7/a", root / "results/job_7/c");
  all_hashed();
  EXPECT_EQ(hash("a"), sha256_of("a"));
  EXPECT_EQ(hash("b"), "");
  EXPECT_EQ(hash("c"), "");
  EXPECT_EQ(hash("d"), sha256_of("d"));
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
