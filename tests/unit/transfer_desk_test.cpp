#include "actors/transfer_desk.hpp"
#include "expect_failure.hpp"
#include "world.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

caf::behavior idle(caf::event_based_actor*) {
  return {[](int) {}};
}

struct transfer_desk_test : testing::Test, world {
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
  struct started {
    transfer what;
    std::shared_ptr<transfer_orders> orders;
    caf::actor task;
  };
  std::vector<started> tasks;

  transfer_desk_test() {
    settings.s3.buckets = {{"data", "data", "https://s3.example.org", "r", "k", secret{"s"}},
                           {"more", "more", "https://s3.example.org", "r", "k", secret{"s"}}};
    settings.s3.transfers = 2;
  }
  transfer_desk::starter starter() {
    return [this](const transfer& t, const std::shared_ptr<transfer_orders>& orders) {
      tasks.push_back({t, orders, sys.spawn(idle)});
      return tasks.back().task.address();
    };
  }
  static transfer of_key(const std::string& key) {
    transfer t;
    t.key = key;
    return t;
  }
  static transfer_report end(const std::string& id, const std::string& state) {
    transfer_report r;
    r.id = id;
    r.state = state;
    return r;
  }
  fs::path folder(const std::string& id) const { return transfer_folder(settings, id); }
};

TEST_F(transfer_desk_test, an_import_is_written_down_before_it_is_answered_and_starts_at_once) {
  transfer_desk desk{with, starter()};
  const auto made = desk.submit(of_key("sets/a.tar"));
  EXPECT_EQ(made.state, "RUNNING");
  EXPECT_EQ(made.bucket, "data"); // the first one is the default
  EXPECT_EQ(made.id.size(), 36U);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].what.key, "sets/a.tar");
  auto db = store::open(root.path());
  EXPECT_EQ(store::transfers{db}.find(made.id)->state, "RUNNING");
}

TEST_F(transfer_desk_test, what_cannot_be_meant_is_refused_and_leaves_no_row) {
  transfer_desk desk{with, starter()};
  refusal([&] { desk.submit({}); });
  auto both = of_key("a");
  both.prefix = "b";
  refusal([&] { desk.submit(both); });
  auto unknown = of_key("a");
  unknown.bucket = "nope";
  refusal([&] { desk.submit(unknown); }, errc::not_found);
  refusal([&] { desk.submit(of_key("../a")); }, errc::unprocessable);
  transfer climbs;
  climbs.prefix = "a/../../b/";
  refusal([&] { desk.submit(climbs); }, errc::unprocessable);
  climbs.way = direction::out;
  refusal([&] { desk.submit(climbs); });
  EXPECT_TRUE(tasks.empty());
  EXPECT_TRUE(desk.list({direction::import, 0, 10}).items.empty());
}

TEST_F(transfer_desk_test, an_endpoint_of_the_client_s_needs_leave_and_https) {
  transfer_desk desk{with, starter()};
  auto t = of_key("a");
  t.bucket = "theirs";
  t.endpoint = "https://example.org";
  EXPECT_TRUE(says(refusal([&] { desk.submit(t); }), "JR_S3_ANY_ENDPOINT"));
  settings.s3.any_endpoint = true;
  EXPECT_EQ(desk.submit(t).endpoint, "https://example.org");
  t.endpoint = "http://example.org";
  EXPECT_TRUE(says(refusal([&] { desk.submit(t); }), "https"));
  t.endpoint = "file:///etc/passwd";
  refusal([&] { desk.submit(t); });
}

TEST_F(transfer_desk_test, no_more_than_the_limit_run_and_the_next_follows_an_end) {
  transfer_desk desk{with, starter()};
  const auto first = desk.submit(of_key("1")).id;
  desk.submit(of_key("2"));
  const auto third = desk.submit(of_key("3")).id;
  EXPECT_EQ(desk.get(third).state, "QUEUED");
  EXPECT_EQ(tasks.size(), 2U);
  desk.report(end(first, "COMPLETED"));
  EXPECT_EQ(desk.get(third).state, "QUEUED"); // its thread still cleans up
  EXPECT_TRUE(desk.ended(tasks[0].task.address()));
  EXPECT_EQ(desk.get(third).state, "RUNNING");
  EXPECT_EQ(tasks.size(), 3U);
}

TEST_F(transfer_desk_test, progress_is_seen_and_grows_the_sequence) {
  transfer_desk desk{with, starter()};
  const auto made = desk.submit(of_key("1"));
  transfer_report r;
  r.id = made.id;
  r.bytes_done = 5;
  r.bytes_total = 10;
  desk.report(r);
  const auto now = desk.get(made.id);
  EXPECT_EQ(now.bytes_done, 5);
  EXPECT_GT(now.seq, made.seq);
  EXPECT_EQ(desk.list({direction::import, 0, 10}).items.at(0).bytes_done, 5);
}

TEST_F(transfer_desk_test, an_end_is_durable_and_its_folder_goes) {
  std::string id;
  {
    transfer_desk desk{with, starter()};
    id = desk.submit(of_key("1")).id;
    fs::create_directories(folder(id) / "data");
    auto last = end(id, "FAILED");
    last.error_code = "too_large";
    last.error = "much too large";
    desk.report(last);
    desk.report(end(id, "COMPLETED")); // too late
    desk.ended(tasks[0].task.address());
  }
  EXPECT_FALSE(fs::exists(folder(id)));
  transfer_desk again{with, starter()};
  EXPECT_EQ(again.get(id).state, "FAILED");
  EXPECT_EQ(again.get(id).error, "much too large");
  EXPECT_EQ(errc_named(again.get(id).error_code), errc::too_large);
  EXPECT_EQ(tasks.size(), 1U);
}

TEST_F(transfer_desk_test, a_task_that_ends_without_a_word_has_failed) {
  transfer_desk desk{with, starter()};
  const auto id = desk.submit(of_key("1")).id;
  EXPECT_FALSE(desk.ended(sys.spawn(idle).address())); // somebody else's
  EXPECT_TRUE(desk.ended(tasks[0].task.address()));
  EXPECT_EQ(desk.get(id).state, "FAILED");
}

TEST_F(transfer_desk_test, a_cancelled_one_is_over_at_once_and_its_task_is_told) {
  transfer_desk desk{with, starter()};
  const auto running = desk.submit(of_key("1")).id;
  desk.submit(of_key("2"));
  const auto queued = desk.submit(of_key("3")).id;
  EXPECT_EQ(desk.cancel(queued).state, "CANCELLED");
  EXPECT_EQ(desk.cancel(running).state, "CANCELLED");
  EXPECT_TRUE(tasks[0].orders->stop.stop_requested());
  EXPECT_TRUE(tasks[0].orders->cancelled.load());
  EXPECT_FALSE(tasks[1].orders->stop.stop_requested());
  desk.report(end(running, "COMPLETED"));
  EXPECT_EQ(desk.get(running).state, "CANCELLED");
  desk.ended(tasks[0].task.address());
  EXPECT_EQ(tasks.size(), 2U); // nobody was left to start
  refusal([&] { desk.cancel("nope"); }, errc::not_found);
}

TEST_F(transfer_desk_test, after_a_restart_what_was_open_goes_on_in_order) {
  std::vector<std::string> ids;
  {
    transfer_desk desk{with, starter()};
    for (const auto* key : {"1", "2", "3"})
      ids.push_back(desk.submit(of_key(key)).id);
    fs::create_directories(folder(ids[0]));
    fs::create_directories(folder("of-nobody"));
  }
  for (const auto& t : tasks) {
    EXPECT_TRUE(t.orders->stop.stop_requested());
    EXPECT_FALSE(t.orders->cancelled.load()); // to go on later
  }
  tasks.clear();
  transfer_desk again{with, starter()};
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].what.id, ids[0]);
  EXPECT_EQ(tasks[1].what.id, ids[1]);
  EXPECT_TRUE(fs::exists(folder(ids[0])));
  EXPECT_FALSE(fs::exists(folder("of-nobody")));
}

TEST_F(transfer_desk_test, numbers_grow_over_crashes_though_progress_is_not_written_down) {
  std::string id;
  std::int64_t told = 0;
  for (int life = 0; life < 3; ++life) {
    transfer_desk desk{with, starter()};
    if (id.empty())
      id = desk.submit(of_key("1")).id;
    EXPECT_GT(desk.get(id).seq, told);
    transfer_report r;
    r.id = id;
    for (r.bytes_done = 0; r.bytes_done < 1000; ++r.bytes_done)
      desk.report(r);
    told = desk.get(id).seq;
  }
  transfer_desk desk{with, starter()};
  desk.report(end(id, "COMPLETED"));
  EXPECT_GT(desk.get(id).seq, told);
  EXPECT_LT(desk.get(id).seq, std::int64_t{1} << 53U);
}

TEST_F(transfer_desk_test, what_is_known_already_is_not_fetched) {
  a_dataset_is_there();
  transfer_desk desk{with, starter()};
  auto t = of_key("1");
  t.sha256 = sha;
  const auto made = desk.submit(t);
  EXPECT_EQ(made.state, "COMPLETED");
  EXPECT_EQ(made.dataset_sha, sha);
  EXPECT_TRUE(tasks.empty());
}

TEST_F(transfer_desk_test, lists_have_pages_and_know_imports_from_exports) {
  transfer_desk desk{with, starter()};
  std::vector<std::string> ids;
  for (const auto* key : {"1", "2", "3"})
    ids.push_back(desk.submit(of_key(key)).id);
  transfer out;
  out.way = direction::out;
  out.job_id = 7;
  desk.submit(out);
  const auto page = desk.list({direction::import, 0, 2});
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].id, ids[2]);
  EXPECT_GT(page.next_cursor, 0);
  const auto rest = desk.list({direction::import, page.next_cursor, 2});
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_EQ(rest.items[0].id, ids[0]);
  EXPECT_EQ(rest.next_cursor, 0);
  EXPECT_EQ(desk.list({direction::out, 0, 2}).items.at(0).job_id, 7);
}

} // namespace

} // namespace jobrunner
