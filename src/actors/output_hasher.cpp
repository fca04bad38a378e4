#include "actors/output_hasher.hpp"

#include "core/beneath.hpp"
#include "core/file_stamp.hpp"
#include "core/growing_file.hpp"
#include "core/log.hpp"
#include "store/output_hashes.hpp"
#include "store/schema.hpp"

#include <deque>
#include <optional>
#include <sys/resource.h>
#include <utility>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr auto pause_after_trouble = 30s;
constexpr std::size_t piece = 256U << 10U;
constexpr std::uint64_t bytes_a_step = 16U << 20U; // between two messages
constexpr std::int64_t page = 1000;
constexpr auto keep_for = 1s; // hashes that are not written down: a commit each would cost more
constexpr int nicer = 10;     // than requests: there is no hurry

/// A write within the same tick of the kernel's clock as the one before changes no time.
constexpr auto settling = 50ms;

} // namespace

struct hasher_state::work {
  explicit work(const services& with)
      : db(store::open(with.settings.root)),
        rows(db),
        buffer(piece) {}

  void more() { after = 0; }

  /// How long to wait before the next step; nothing: there is nothing to do.
  std::optional<std::chrono::milliseconds> step() {
    if (!std::exchange(nice, true))
      setpriority(PRIO_PROCESS, 0, nicer); // of this thread: Linux counts them as processes here
    for (std::uint64_t done = 0; done < bytes_a_step; done += piece / 16) {
      if (!file && queue.empty() && !fill())
        return std::nullopt;
      if (!file && !begin())
        return settling;
      done += file ? read_on(bytes_a_step - done) : 0;
    }
    if (std::chrono::steady_clock::now() - written > keep_for)
      write();
    return 0ms;
  }

private:
  /// False if nothing is left to hash; all that is known is written down then.
  bool fill() {
    write();
    for (auto& u : rows.next(after, page))
      queue.push_back(std::move(u));
    if (queue.empty())
      return false;
    after = queue.back().n;
    return true;
  }

  /// Opens the next file, or says that it has no hash. False if it is too young.
  bool begin() {
    try {
      file = open_beneath(queue.front().result_dir, queue.front().path);
      stamp = stamp_of(file.get());
    } catch (const failure& f) {
      file.reset();
      if (f.code() == errc::internal) // it says nothing about the file
        throw;
      end("");
      return true;
    }
    const auto age = now() - timestamp{std::chrono::duration_cast<std::chrono::milliseconds>(
                                 std::chrono::nanoseconds{stamp.touched})};
    const auto& indexed = queue.front().stamp;
    if (!indexed.empty() && to_text(stamp) != indexed) {
      end("");
    } else if (age >= 0ms && age < settling) {
      file.reset();
      return false;
    } else {
      hash.emplace();
      at = 0;
    }
    return true;
  }

  std::uint64_t read_on(std::uint64_t most) {
    for (std::uint64_t done = 0; done < most;) {
      std::size_t n = 0;
      try {
        n = read_at(file.get(), buffer, at);
      } catch (const failure& f) { // the disk: another try would keep all others waiting
        log("hasher", "not_read", {{"path", queue.front().path}, {"why", f.what()}});
        end("");
        return done;
      }
      hash->update(buffer.data(), n);
      at += n;
      done += n;
      if (n < buffer.size()) {
        end(stamp_of(file.get()) == stamp && at == stamp.size ? hash->finish() : "");
        return done;
      }
    }
    return most;
  }

  void end(const std::string& sha256) {
    known.push_back({std::move(queue.front()), sha256, ""});
    auto& k = known.back();
    k.stamp = sha256.empty() ? k.of.stamp : to_text(stamp);
    queue.pop_front();
    file.reset();
  }

  void write() {
    rows.put(known);
    known.clear();
    written = std::chrono::steady_clock::now();
  }

  sqlite::database db;
  store::output_hashes rows;
  std::vector<char> buffer;
  std::deque<store::unhashed> queue;
  std::vector<store::hashed> known; // and not written down
  std::chrono::steady_clock::time_point written{};
  bool nice = false;      // that is done
  std::int64_t after = 0; // rows up to here are in the queue or done
  // Of queue.front():
  unique_fd file;
  file_stamp stamp;
  std::optional<sha256> hash;
  std::uint64_t at = 0;
};

hasher_state::hasher_state() = default;
hasher_state::~hasher_state() = default;

hasher_actor::behavior_type output_hasher(hasher_actor::stateful_pointer<hasher_state> self,
                                          const services& with) {
  self->state.it = std::make_unique<hasher_state::work>(with);
  auto* work = self->state.it.get();
  const auto runs = std::make_shared<bool>(true); // a tick is on its way
  self->send(self, atom::tick_v);
  return {
      [=](atom::hint) {
        work->more();
        if (!std::exchange(*runs, true))
          self->send(self, atom::tick_v);
      },
      [=](atom::tick) {
        std::optional<std::chrono::milliseconds> pause = pause_after_trouble;
        try {
          pause = work->step();
        } catch (const std::exception& e) { // it says nothing about the files
          log("hasher", "failed", {{"why", e.what()}});
        }
        *runs = pause.has_value();
        if (pause && *pause > 0ms)
          self->delayed_send(self, *pause, atom::tick_v);
        else if (pause)
          self->send(self, atom::tick_v);
      },
  };
}

} // namespace jobrunner
