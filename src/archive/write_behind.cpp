#include "archive/write_behind.hpp"

#include <utility>

namespace jobrunner::archive {

namespace {
constexpr std::size_t most_waiting = 2U << 20U; // bytes; as many are being written
}

write_behind::write_behind(writer& to, worker& thread) : to_(to), thread_(thread) {
  thread_.start([this] { write_all(); });
}

write_behind::~write_behind() {
  try {
    finish();
  } catch (...) { // NOLINT(bugprone-empty-catch): whoever wanted to know has called finish()
  }
}

void write_behind::write(const block& b) {
  add(bytes{b.offset, {b.bytes.begin(), b.bytes.end()}}, small + b.bytes.size());
}

void write_behind::add(step next, std::size_t size) {
  std::unique_lock held{lock_};
  changed_.wait(held, [this] { return size_ < most_waiting || failed_; });
  if (failed_) {
    held.unlock();
    finish();
    return;
  }
  steps_.push_back(std::move(next));
  size_ += size;
  if (steps_.size() == 1)
    changed_.notify_all();
}

std::vector<write_behind::step> write_behind::take() {
  std::unique_lock held{lock_};
  changed_.wait(held, [this] { return !steps_.empty() || closed_; });
  size_ = 0;
  changed_.notify_all();
  return std::exchange(steps_, {});
}

void write_behind::write_all() {
  try {
    for (auto some = take(); !some.empty(); some = take())
      for (const auto& next : some)
        write_one(next);
  } catch (...) {
    const std::lock_guard held{lock_};
    failed_ = true;
    changed_.notify_all();
    throw;
  }
}

void write_behind::write_one(const step& next) {
  if (const auto* b = std::get_if<bytes>(&next))
    to_.write({b->offset, b->copy});
  else if (const auto* file = std::get_if<begun_file>(&next))
    to_.begin_file(file->e);
  else if (const auto* made = std::get_if<made_folder>(&next))
    to_.folder(made->e);
  else
    to_.end_file();
}

void write_behind::close() noexcept {
  const std::lock_guard held{lock_};
  closed_ = true;
  changed_.notify_all();
}

void write_behind::finish() {
  if (std::exchange(over_, true))
    return;
  close();
  thread_.wait();
}

} // namespace jobrunner::archive
