// Who may append to a resumable upload, and what is kept of it. Parts alone: nothing is made of
// them.
#include "actors/upload_store.hpp"
#include "stage.hpp"
#include "world.hpp"

#include <thread>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct upload_store_test : world, stage {
  upload_actor store;

  upload_store_test() {
    settings.upload_expires = 1h;
    go();
  }
  ~upload_store_test() override { stop(store); }

  void go() {
    if (store)
      stop(store);
    store = sys.spawn(upload_store_actor, std::cref(with), dataset_actor{});
    settle();
  }
  upload part(std::uint64_t length) {
    upload u;
    u.length = length;
    u.partial = true;
    return start(ask(store, 60s, atom::begin_v, u))->value.value();
  }
  auto get(const std::string& id) { return start(ask(store, 60s, atom::get_v, id)); }
  auto lock(const std::string& id, std::uint64_t at) {
    return start(ask(store, 60s, atom::lock_v, id, at));
  }
  upload commit(const std::string& id, std::uint64_t at) {
    return start(ask(store, 60s, atom::commit_v, id, at))->value.value();
  }
  auto remove(const std::string& id) { return start(ask(store, 60s, atom::remove_v, id)); }
  fs::path file(const std::string& id) { return root / ("datasets/.uploads/" + id); }
  template <class T>
  static errc code(const std::shared_ptr<outcome<T>>& o) {
    return o->error ? o->error->code() : errc::none;
  }
};

TEST_F(upload_store_test, only_one_may_append_and_only_where_it_ends) {
  const auto id = part(10).id;
  EXPECT_EQ(code(lock(id, 1)), errc::conflict);
  ASSERT_TRUE(lock(id, 0)->value);
  EXPECT_EQ(code(lock(id, 0)), errc::locked);
  EXPECT_EQ(code(remove(id)), errc::locked);
  EXPECT_EQ(commit(id, 4).offset, 4U);
  EXPECT_EQ(code(lock(id, 0)), errc::conflict);
  ASSERT_TRUE(lock(id, 4)->value);
  EXPECT_EQ(commit(id, 10).state, "complete");
  EXPECT_EQ(code(lock(id, 10)), errc::conflict);
}

TEST_F(upload_store_test, no_more_than_the_limit_append_at_once) {
  const auto a = part(10).id, b = part(10).id, c = part(10).id;
  EXPECT_TRUE(lock(a, 0)->value && lock(b, 0)->value); // of two
  EXPECT_EQ(code(lock(c, 0)), errc::unavailable);
  commit(a, 0);
  EXPECT_TRUE(lock(c, 0)->value);
}

TEST_F(upload_store_test, what_was_promised_is_there_after_a_crash_and_no_more) {
  const auto id = part(10).id;
  lock(id, 0);
  root.put("datasets/.uploads/" + id, "12345678"); // of which 5 were synced
  caf::anon_send(store, atom::advance_v, id, std::uint64_t{5});
  settle();
  go();
  EXPECT_EQ(get(id)->value->offset, 5U);
  EXPECT_EQ(root.get("datasets/.uploads/" + id), "12345");
  EXPECT_TRUE(lock(id, 5)->value);
}

TEST_F(upload_store_test, rows_without_bytes_and_bytes_without_rows_go_at_the_start) {
  const auto id = part(10).id;
  lock(id, 0);
  commit(id, 5);
  root.put("datasets/.uploads/" + id, "123");
  root.put("datasets/.uploads/stray", "1");
  go();
  EXPECT_EQ(code(get(id)), errc::not_found);
  EXPECT_TRUE(fs::is_empty(root / "datasets/.uploads"));
}

TEST_F(upload_store_test, one_at_rest_expires_and_is_forgotten_later) {
  settings.upload_expires = 0s;
  go();
  const auto id = part(10).id;
  EXPECT_TRUE(fs::exists(file(id)));
  std::this_thread::sleep_for(2ms);
  pass(1s);
  EXPECT_EQ(code(get(id)), errc::gone);
  EXPECT_FALSE(fs::exists(file(id)));
  std::this_thread::sleep_for(2ms);
  pass(1s);
  EXPECT_EQ(code(get(id)), errc::not_found);
}

TEST_F(upload_store_test, one_that_is_being_appended_to_does_not_expire) {
  settings.upload_expires = 0s;
  go();
  const auto id = part(10).id;
  lock(id, 0);
  std::this_thread::sleep_for(2ms);
  pass(5s);
  EXPECT_TRUE(get(id)->value);
}

TEST_F(upload_store_test, what_does_not_fit_beside_what_is_promised_is_refused) {
  upload u;
  u.length = std::uint64_t{1} << 60U;
  EXPECT_EQ(code(start(ask(store, 60s, atom::begin_v, u))), errc::disk_full);
  settings.min_free_bytes = std::uint64_t{1} << 60U;
  u.length = 1;
  EXPECT_EQ(code(start(ask(store, 60s, atom::begin_v, u))), errc::disk_full);
  EXPECT_TRUE(fs::is_empty(root / "datasets/.uploads"));
}

TEST_F(upload_store_test, a_final_one_needs_parts_that_are_complete) {
  const auto id = part(10).id;
  upload u;
  u.parts = {id};
  EXPECT_EQ(code(start(ask(store, 60s, atom::begin_v, u))), errc::conflict);
  u.parts = {"none"};
  EXPECT_EQ(code(start(ask(store, 60s, atom::begin_v, u))), errc::not_found);
}

TEST_F(upload_store_test, a_wait_ends_with_the_patience) {
  const auto id = part(10).id;
  const auto waiting = start(ask(store, 1h, atom::wait_v, id, std::chrono::milliseconds{30s}));
  pass(29s);
  EXPECT_FALSE(waiting->over());
  pass(1s);
  ASSERT_TRUE(waiting->value);
  EXPECT_EQ(waiting->value->state, "receiving");
}

TEST_F(upload_store_test, a_removed_one_leaves_nothing) {
  const auto id = part(10).id;
  EXPECT_TRUE(remove(id)->value);
  EXPECT_FALSE(fs::exists(file(id)));
  EXPECT_EQ(code(get(id)), errc::not_found);
  go();
  EXPECT_EQ(code(get(id)), errc::not_found);
}

} // namespace

} // namespace jobrunner
