#include "expect_failure.hpp"
#include "store/output_hashes.hpp"
#include "store/outputs.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace jobrunner::store {

namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

output make(std::int64_t job, const std::string& id, const std::string& path,
            const std::string& experiment = "e") {
  return {experiment, id, path, job, 5, "file", timestamp{1700000000123ms}};
}

texts paths(const output_page& page) {
  texts found;
  for (const auto& o : page.items)
    found.push_back(o.path);
  return found;
}

struct output_rows : testing::Test {
  temp_folder root;
  sqlite::database db{(migrate(root.path()), open(root.path()))};
  outputs rows{db};
  texts list(const output_filter& f) { return paths(rows.list(f, 0, 100)); }
};

TEST_F(output_rows, a_row_comes_back_as_it_was_given) {
  rows.replace(7, {{"exp", "id", "a/b.pth", 7, 12, "weights", timestamp{1700000000123ms}}});
  const auto page = rows.list({7, "", ""}, 0, 100);
  ASSERT_EQ(page.items.size(), 1U);
  const auto& o = page.items[0];
  EXPECT_EQ(o.experiment_id, "exp");
  EXPECT_EQ(o.output_id, "id");
  EXPECT_EQ(o.path, "a/b.pth");
  EXPECT_EQ(o.job_id, 7);
  EXPECT_EQ(o.bytes, 12);
  EXPECT_EQ(o.kind, "weights");
  EXPECT_EQ(o.created_at, timestamp{1700000000123ms});
}

TEST_F(output_rows, the_newest_job_comes_first_and_its_outputs_in_the_order_given) {
  rows.replace(1, {make(1, "a", "1a"), make(1, "b", "1b")});
  rows.replace(2, {make(2, "a", "2a"), make(2, "b", "2b")});
  EXPECT_EQ(list({}), (texts{"2a", "2b", "1a", "1b"}));
}

TEST_F(output_rows, pages_hold_every_row_once_and_end) {
  std::vector<output> many;
  for (int i = 0; i < 25; ++i)
    many.push_back(make(1, std::to_string(i), std::to_string(i)));
  rows.replace(1, many);
  texts all;
  std::int64_t cursor = 0;
  std::size_t pages = 0;
  do {
    const auto page = rows.list({1, "", ""}, cursor, 10);
    EXPECT_LE(page.items.size(), 10U);
    std::ranges::copy(paths(page), std::back_inserter(all));
    cursor = page.next;
    ++pages;
  } while (cursor != 0 && pages < 10);
  EXPECT_EQ(pages, 3U);
  texts wanted;
  for (const auto& o : many)
    wanted.push_back(o.path);
  EXPECT_EQ(all, wanted);
}

TEST_F(output_rows, a_page_that_holds_exactly_the_rest_is_the_last) {
  rows.replace(1, {make(1, "a", "a"), make(1, "b", "b")});
  EXPECT_EQ(rows.list({}, 0, 2).next, 0);
  EXPECT_NE(rows.list({}, 0, 1).next, 0);
}

TEST_F(output_rows, a_row_that_was_listed_is_not_listed_again_when_a_job_is_indexed_anew) {
  rows.replace(1, {make(1, "a", "a"), make(1, "b", "b"), make(1, "c", "c")});
  const auto first = rows.list({}, 0, 1);
  ASSERT_EQ(paths(first), texts{"a"});
  rows.replace(1, {make(1, "a", "a"), make(1, "c", "c")});
  const auto rest = paths(rows.list({}, first.next, 100));
  EXPECT_EQ(std::ranges::count(rest, "a"), 0);
}

TEST_F(output_rows, a_prefix_is_taken_letter_for_letter) {
  rows.replace(1, {make(1, "1", "a%b/x"), make(1, "2", "acb/x"), make(1, "3", "a_b/x"),
                   make(1, "4", "A%b/x"), make(1, "5", "ä/x")});
  EXPECT_EQ(list({{}, "", "a%"}), texts{"a%b/x"});
  EXPECT_EQ(list({{}, "", "a_"}), texts{"a_b/x"});
  EXPECT_EQ(list({{}, "", "ä/"}), texts{"ä/x"});
  EXPECT_EQ(list({{}, "", "a"}), (texts{"a%b/x", "acb/x", "a_b/x"}));
  EXPECT_EQ(list({{}, "", "a%b/x/longer than any"}), texts{});
}

TEST_F(output_rows, filters_hold_together) {
  rows.replace(1, {make(1, "1", "a", "x"), make(1, "2", "b", "y")});
  rows.replace(2, {make(2, "1", "a2", "x")});
  EXPECT_EQ(list({{}, "x", ""}), (texts{"a2", "a"}));
  EXPECT_EQ(list({1, "x", ""}), texts{"a"});
  EXPECT_EQ(list({1, "", "b"}), texts{"b"});
  EXPECT_EQ(list({{}, "x", "a2"}), texts{"a2"});
  EXPECT_EQ(list({{}, "none", ""}), texts{});
}

TEST_F(output_rows, the_newest_output_of_a_name_is_found) {
  rows.replace(1, {make(1, "weights", "old.pth")});
  rows.replace(2, {make(2, "weights", "new.pth")});
  EXPECT_EQ(rows.find("e", "weights")->path, "new.pth");
  EXPECT_FALSE(rows.find("e", "other"));
  EXPECT_FALSE(rows.find("other", "weights"));
}

TEST_F(output_rows, replacing_leaves_other_jobs_alone) {
  rows.replace(1, {make(1, "a", "1")});
  rows.replace(2, {make(2, "a", "2")});
  rows.replace(1, {});
  EXPECT_EQ(list({}), texts{"2"});
}

TEST_F(output_rows, a_replacement_that_fails_half_way_changes_nothing) {
  rows.replace(1, {make(1, "a", "1")});
  refusal([&] { rows.replace(1, {make(1, "b", "2"), make(1, "b", "3")}); }, errc::conflict);
  EXPECT_EQ(list({}), texts{"1"});
  rows.replace(1, {make(1, "c", "4")}); // and the connection is as good as before
  EXPECT_EQ(list({}), texts{"4"});
}

output stamped(std::string id, std::string stamp) {
  auto o = make(1, id, "path of " + id);
  o.stamp = std::move(stamp);
  return o;
}

TEST_F(output_rows, indexing_again_keeps_the_place_of_what_is_there_and_takes_no_short_address) {
  rows.replace(1, {make(1, "weights", "older job")});
  rows.replace(2, {make(2, "weights", "newer job")});
  rows.replace(1, {make(1, "weights", "older job"), make(1, "new", "new")});
  EXPECT_EQ(rows.find("e", "weights")->path, "newer job");
  EXPECT_EQ(list({1, "", ""}), (texts{"new", "older job"}));
}

TEST_F(output_rows, a_page_goes_on_while_the_job_is_indexed_again) {
  rows.replace(1, {make(1, "a", "a"), make(1, "b", "b"), make(1, "c", "c")});
  const auto first = rows.list({1, "", ""}, 0, 1);
  rows.replace(1, {make(1, "a", "a"), make(1, "b", "b"), make(1, "c", "c")});
  EXPECT_EQ(paths(rows.list({1, "", ""}, first.next, 100)), (texts{"b", "c"}));
}

TEST_F(output_rows, problems_are_those_of_the_last_time) {
  problem_list some;
  for (int i = 0; i < 150; ++i)
    some.add("number " + std::to_string(i));
  rows.replace(1, {}, some);
  EXPECT_EQ(rows.problems(1).total, 150);
  EXPECT_EQ(rows.problems(1).first, some.first);
  rows.replace(1, {});
  EXPECT_EQ(rows.problems(1).total, 0);
  EXPECT_EQ(rows.problems(2).total, 0);
}

TEST_F(output_rows, a_hash_lasts_as_long_as_the_stamp) {
  db.run("INSERT INTO jobs(uuid, job_id, dataset_sha, command_key, params_json, result_dir, "
         "log_path, gpus, cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, seq, "
         "reason, node, created_at) VALUES('u', 1, '', '', '', '/r', '', 0, 0, 0, 0, '', 0, 0, 0, "
         "0, '', '', 0)");
  output_hashes hashes{db};
  const auto hash = [&](const std::string& id) { return rows.find("e", id)->sha256; };
  rows.replace(1, {stamped("a", "1"), stamped("b", "1"), stamped("c", "1")});
  EXPECT_EQ(hash("a"), "");
  auto todo = hashes.next(0, 100);
  ASSERT_EQ(todo.size(), 3U);
  EXPECT_EQ(todo[2].path, "path of a");
  EXPECT_EQ(todo[2].result_dir, "/r");
  hashes.put({{todo[2], "hash a", "1"}, {todo[1], "hash b", "1"}, {todo[0], "", "1"}});
  EXPECT_EQ(hash("a"), "hash a");
  EXPECT_EQ(hash("c"), "");
  EXPECT_TRUE(hashes.next(0, 100).empty());
  rows.replace(1, {stamped("a", "1"), stamped("b", "2"), stamped("c", "1")});
  EXPECT_EQ(hash("a"), "hash a");
  EXPECT_EQ(hash("b"), "");
  const auto again = hashes.next(0, 100);
  ASSERT_EQ(again.size(), 2U); // b, which has changed, and c, which is worth another try
  EXPECT_EQ(again[1].path, "path of b");
}

TEST_F(output_rows, a_hash_that_comes_too_late_is_not_taken) {
  db.run("INSERT INTO jobs(uuid, job_id, dataset_sha, command_key, params_json, result_dir, "
         "log_path, gpus, cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, seq, "
         "reason, node, created_at) VALUES('u', 1, '', '', '', '/r', '', 0, 0, 0, 0, '', 0, 0, 0, "
         "0, '', '', 0)");
  output_hashes hashes{db};
  rows.replace(1, {stamped("a", "1")});
  const auto todo = hashes.next(0, 100);
  rows.replace(1, {stamped("a", "2")});
  hashes.put({{todo[0], "hash of the old one", "1"}});
  EXPECT_EQ(rows.find("e", "a")->sha256, "");
  EXPECT_EQ(hashes.next(0, 100).size(), 1U);
}

TEST_F(output_rows, a_reader_sees_a_job_s_outputs_all_or_not_at_all) {
  rows.replace(1, {make(1, "a", "old")});
  auto reading = open(root.path());
  outputs reader{reading};
  {
    sqlite::transaction t{db};
    db.run("DELETE FROM outputs");
    EXPECT_EQ(paths(reader.list({}, 0, 10)), texts{"old"});
  }
}

} // namespace

} // namespace jobrunner::store
