#include "slurm/job_environment.hpp"

#include <algorithm>
#include <array>

namespace jobrunner::slurm {

namespace {

// SLURM_CONF is among the SLURM_ ones: srun inside the job needs it. What would change srun's
// or sbatch's behaviour in there cannot come from the server: it starts sbatch without any.
bool passes(std::string_view name) {
  constexpr std::array<std::string_view, 5> devices{"CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL",
                                                    "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK",
                                                    "TMPDIR"};
  return (name.starts_with("SLURM_") && name != "SLURM_TIME_FORMAT") ||
         std::ranges::find(devices, name) != devices.end();
}

} // namespace

std::vector<std::string> job_environment(const spec& s, const std::filesystem::path& home,
                                         const std::string& user, const char* const* mine) {
  std::vector<std::string> all{"PATH=" + s.path,
                               "HOME=" + home.string(),
                               "USER=" + user,
                               "LOGNAME=" + user,
                               "LANG=C.UTF-8",
                               "DATASET_DIR=" + s.dataset_dir,
                               "RESULT_DIR=" + s.result_dir,
                               "JR_PARAMS=" + s.params_json,
                               "PYTHONUNBUFFERED=1"};
  for (; mine && *mine; ++mine) {
    const std::string_view entry{*mine};
    const auto equals = entry.find('=');
    if (equals != std::string_view::npos && passes(entry.substr(0, equals)))
      all.emplace_back(entry);
  }
  all.insert(all.end(), s.env.begin(), s.env.end());
  return all;
}

} // namespace jobrunner::slurm
