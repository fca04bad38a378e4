#include "archive/tar_planner.hpp"

#include "core/error.hpp"

#include <string>
#include <utility>

namespace jobrunner::archive {

/// One of the few for large plans.
class tar_planner::place {
public:
  explicit place(tar_planner& of) : of_(of) {
    const auto most = of.how_.large_at_once;
    if (++of_.large_ <= most)
      return;
    --of_.large_;
    throw failure(errc::too_many, std::to_string(most) + " archives of more than " +
                                      std::to_string(of.how_.small.entries) +
                                      " files are being sent, which is the limit; try again when "
                                      "one is over");
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;
  ~place() { --of_.large_; }

private:
  tar_planner& of_;
};

std::shared_ptr<const tar_plan>
tar_planner::plan(const std::filesystem::path& folder,
                  const std::function<bool(std::string_view)>& skip) {
  if (auto walked = look_through(folder, how_.small, skip); walked.cut.empty())
    return std::make_shared<const tar_plan>(std::move(walked.files));
  struct large {
    large(std::unique_ptr<place> one, std::vector<found_file> files)
        : held(std::move(one)),
          plan(std::move(files)) {}
    std::unique_ptr<place> held; // given back after the plan's memory
    tar_plan plan;
  };
  auto held = std::make_unique<place>(*this);
  auto walked = look_through(folder, how_.large, skip);
  if (!walked.cut.empty()) // it would look complete
    throw failure(errc::unprocessable, walked.cut);
  const auto made = std::make_shared<const large>(std::move(held), std::move(walked.files));
  return {made, &made->plan};
}

} // namespace jobrunner::archive
