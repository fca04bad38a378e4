#include "archive/tar_planner.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace jobrunner::archive {

namespace {

constexpr std::uint64_t allocators = 16; // bytes for each piece of memory

/// Bytes of a plan: a file's entry, where it starts, and its path, which is memory of its own.
std::uint64_t bytes_of(walk_limits files) {
  return files.entries * (sizeof(found_file) + sizeof(std::uint64_t) + allocators) +
         files.path_bytes;
}

} // namespace

/// Of all that large plans may take, as much as one may need; less once it is known.
class tar_planner::memory {
public:
  explicit memory(tar_planner& of) : of_(of), bytes_(bytes_of(of.how_.large)) {
    const std::lock_guard lock{of_.guard_};
    if (of_.taken_ + bytes_ > bytes_of(of_.how_.large) * of_.how_.largest_at_once)
      throw failure(errc::too_many, "archives of more than " +
                                        std::to_string(of_.how_.small.entries) +
                                        " files are being sent, and there is no memory for another "
                                        "one; try again when one of them is over");
    of_.taken_ += bytes_;
  }
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;
  ~memory() { shrink(0); }

  void shrink(std::uint64_t bytes) {
    const std::lock_guard lock{of_.guard_};
    of_.taken_ -= bytes_;
    bytes_ = std::min(bytes, bytes_);
    of_.taken_ += bytes_;
  }

private:
  tar_planner& of_;
  std::uint64_t bytes_;
};

struct tar_planner::large {
  large(std::unique_ptr<memory> its, std::vector<found_file> files)
      : held(std::move(its)),
        plan(std::move(files)) {
    walk_limits needs{plan.files().capacity(), 0};
    for (const auto& f : plan.files())
      needs.path_bytes += f.path.capacity();
    held->shrink(bytes_of(needs));
  }
  std::unique_ptr<memory> held; // given back after the plan's memory
  tar_plan plan;
};

tar_planner::shared tar_planner::living(const std::filesystem::path& folder) {
  const std::lock_guard lock{guard_};
  const auto known = large_.find(folder);
  return known == large_.end() ? nullptr : known->second.lock();
}

/// The plan that another thread made of the same files meanwhile, or this one.
tar_planner::shared tar_planner::only(const std::filesystem::path& folder, shared made) {
  shared there; // may be the last who has it, and then takes the lock itself
  const std::lock_guard lock{guard_};
  std::erase_if(large_, [](const auto& one) { return one.second.expired(); });
  auto& known = large_[folder];
  there = known.lock();
  if (there && there->etag() == made->etag())
    return there;
  known = made;
  return made;
}

tar_planner::shared tar_planner::plan(const std::filesystem::path& folder,
                                      const std::function<bool(std::string_view)>& skip) {
  if (auto known = living(folder); known && look_again(known->files(), folder, how_.large, skip))
    return known;
  if (auto walked = look_through(folder, how_.small, skip); walked.cut.empty())
    return std::make_shared<const tar_plan>(std::move(walked.files));
  auto held = std::make_unique<memory>(*this);
  auto walked = look_through(folder, how_.large, skip);
  if (!walked.cut.empty()) // it would look complete
    throw failure(errc::unprocessable, walked.cut);
  const auto made = std::make_shared<const large>(std::move(held), std::move(walked.files));
  return only(folder, {made, &made->plan});
}

} // namespace jobrunner::archive
