// All actors together, with their real threads.
#include "actors/ask.hpp"
#include "actors/root.hpp"
#include "store/datasets.hpp"
#include "store/events.hpp"
#include "store/jobs.hpp"
#include "store/webhooks.hpp"
#include "tiny_server.hpp"
#include "world.hpp"

#include <caf/send.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <gtest/gtest.h>
#include <thread>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

struct everybody : testing::Test, world {
  boost::asio::io_context io;
  caf_settings cfg;
  std::optional<caf::actor_system> sys;
  std::optional<jobrunner::root> all;

  ~everybody() override { stop(); }
  void go() {
    sys.emplace(cfg);
    all.emplace(*sys, with);
  }
  void stop() {
    all.reset();
    sys.reset();
  }
  template <class T>
  T get(boost::asio::awaitable<T> task) {
    auto future = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
    io.restart();
    while (future.wait_for(0s) != std::future_status::ready)
      io.run_one_for(10ms);
    return future.get();
  }
  auto import(const std::string& path) {
    return get(ask(all->handles().importer, 30s, atom::import_v, path));
  }
  errc refused(const std::string& path) {
    try {
      import(path);
    } catch (const failure& f) {
      return f.code();
    }
    return errc::none;
  }
};

TEST_F(everybody, datasets_are_there_as_soon_as_somebody_can_ask) {
  {
    auto db = store::open(root.path());
    store::datasets{db}.put({sha, "datasets/" + sha + "/", 4, {}});
  }
  root.put("datasets/" + sha + "/a.txt", "data");
  go();
  EXPECT_NE(published.datasets.find(sha), nullptr);
}

TEST_F(everybody, they_stop_soon_although_a_receiver_of_webhooks_hangs) {
  const tiny_server hung{[](int connection, const std::string&) {
    for (char c = 0; ::recv(connection, &c, 1, 0) > 0;)
      continue; // until the sender goes
  }};
  settings.outside = address_guard{"127.0.0.1"};
  {
    auto db = store::open(root.path());
    store::jobs rows{db};
    job j;
    j.uuid = "u";
    j.extras.webhook_url = "http://127.0.0.1" + hung.port_text() + "/";
    rows.insert_intent(j);
    j.id = j.slurm_id = 7;
    j.state = "COMPLETED";
    j.done = j.indexed = true;
    rows.update(j);
    job_event e{0, 7, 1, "state", "COMPLETED", true, "", now()};
    store::events{db}.insert(e);
    store::webhooks{db}.note(7, now());
  }
  go();
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (hung.connections() == 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(hung.connections(), 1);
  const auto began = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
}

TEST_F(everybody, they_stop_within_a_second_although_somebody_waits) {
  {
    auto db = store::open(root.path());
    store::jobs rows{db};
    job j;
    j.uuid = "u";
    rows.insert_intent(j);
    j.id = j.slurm_id = 7;
    j.state = "RUNNING";
    rows.update(j);
  }
  go();
  EXPECT_EQ(get(ask(all->handles().jobs, 10s, atom::get_v, std::int64_t{7})).state, "RUNNING");
  boost::asio::cancellation_signal hang_up;
  boost::asio::co_spawn(io, ask(all->handles().jobs, 1h, atom::wait_v, event_wait{7, 0, 300s}),
                        boost::asio::bind_cancellation_slot(
                            hang_up.slot(), [](const std::exception_ptr&, std::int64_t) {}));
  io.restart();
  io.run_for(50ms);
  const auto began = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  hang_up.emit(boost::asio::cancellation_type::terminal);
  io.restart();
  io.poll();
}

TEST_F(everybody, a_slurm_that_is_not_there_is_down_with_a_reason) {
  go();
  for (int i = 0; i < 100 && published.slurm.view().checked_at == timestamp{}; ++i)
    std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(published.slurm.view().up);
  EXPECT_NE(published.slurm.view().problem.find("Slurm does not answer"), std::string::npos);
}

TEST_F(everybody, a_file_below_the_mount_is_imported) {
  root.put("b2/folder/data.txt", "imported");
  go();
  const auto made = import("folder/data.txt");
  EXPECT_EQ(made.bytes, 8);
  EXPECT_EQ(root.get(made.rel_path), "imported");
  EXPECT_EQ(import("folder/data.txt").rel_path, made.rel_path); // again
  EXPECT_EQ(import(root / "b2/folder/data.txt").rel_path, made.rel_path);
}

TEST_F(everybody, paths_outside_the_mount_are_refused) {
  root.put("b2/data.txt", "1");
  root.put("b2/bad\nname", "1");
  std::filesystem::create_symlink("/etc/passwd", root / "b2/link");
  go();
  EXPECT_EQ(refused("/etc/passwd"), errc::invalid);
  EXPECT_EQ(refused("../jr_slurm.db"), errc::invalid);
  EXPECT_EQ(refused(root / "b2/../jr_slurm.db"), errc::invalid);
  EXPECT_EQ(refused(""), errc::invalid);
  EXPECT_EQ(refused("bad\nname"), errc::invalid);
  EXPECT_EQ(refused("link"), errc::not_found);
  EXPECT_EQ(refused("none.txt"), errc::not_found);
  EXPECT_EQ(refused("."), errc::not_found);
}

TEST_F(everybody, imports_that_fail_leave_room_for_others) {
  root.put("b2/data.txt", "1");
  root.put("b2/bad.zip", "no archive");
  go();
  // Whoever is refused may be told so before the room is free again.
  const auto refused_for_itself = [&](const std::string& path) {
    auto why = refused(path);
    for (int i = 0; i < 200 && why == errc::too_many; ++i, why = refused(path))
      std::this_thread::sleep_for(50ms);
    return why;
  };
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(refused_for_itself("none.txt"), errc::not_found);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(refused_for_itself("bad.zip"), errc::unprocessable);
  EXPECT_EQ(refused_for_itself("data.txt"), errc::none);
}

TEST_F(everybody, without_a_mount_imports_are_unavailable) {
  go();
  EXPECT_EQ(refused("data.txt"), errc::unavailable);
}

} // namespace

} // namespace jobrunner
