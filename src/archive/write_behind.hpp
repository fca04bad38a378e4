// What is unpacked, on its way to a writer in another thread: unpacking, which is slow, does not
// wait for the disk, nor for the hash of each file.
#pragma once

#include "archive/writer.hpp"
#include "core/worker.hpp"

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <variant>
#include <vector>

namespace jobrunner::archive {

class write_behind {
public:
  /// Both must outlive it; `thread` has nothing else to do.
  write_behind(writer& to, worker& thread);
  write_behind(const write_behind&) = delete;
  write_behind& operator=(const write_behind&) = delete;
  ~write_behind(); // what has been handed over is written first, or fails

  /// As the writer's, which are called later, in the same order. They wait while there is much to
  /// do, and throw what an earlier one threw there.
  void folder(entry e) { add(made_folder{std::move(e)}, small); }
  void begin_file(entry e) { add(begun_file{std::move(e)}, small); }
  void write(const block& b);
  void end_file() { add(ended_file{}, small); }

  /// Until all is written. Throws what the writer threw.
  void finish();

private:
  struct made_folder {
    entry e;
  };
  struct begun_file {
    entry e;
  };
  struct bytes {
    std::uint64_t offset = 0;
    std::vector<std::byte> copy;
  };
  struct ended_file {};
  using step = std::variant<made_folder, begun_file, bytes, ended_file>;

  static constexpr std::size_t small = 256; // what a step takes besides its bytes, about

  void add(step next, std::size_t size);
  std::vector<step> take(); // empty at the end
  void write_all();
  void write_one(const step& next);
  void close() noexcept;

  writer& to_;
  worker& thread_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<step> steps_;
  std::size_t size_ = 0; // of steps_
  bool closed_ = false, failed_ = false, over_ = false;
};

} // namespace jobrunner::archive
