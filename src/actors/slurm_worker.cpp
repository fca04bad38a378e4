#include "actors/slurm_worker.hpp"

#include "actors/errors.hpp"
#include "core/log.hpp"
#include "slurm/job_dir.hpp"

#include <thread>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

/// Slurm did not say whether it took the job. Whoever takes the start marker decides: if we get it
/// the job will never run, whatever Slurm does later; if the wrapper has it, it runs and is ours.
std::int64_t settle_unknown(const slurm::submission& s, const std::string& why) {
  if (slurm::abandon(s.job_dir))
    throw failure(errc::unavailable,
                  "Slurm did not answer in time, so the job was withdrawn and will "
                  "not run; try again (" +
                      why + ")");
  std::int64_t id = 0;
  for (int i = 0; i < 50 && id <= 0; ++i) { // the wrapper takes it first and writes its number then
    if (i > 0)
      std::this_thread::sleep_for(20ms);
    id = slurm::read_start(s.job_dir).value_or(slurm::start{}).slurm_id;
  }
  if (id <= 0)
    throw failure(errc::unavailable, "Slurm did not answer in time: " + why);
  log("slurm", "adopted", {{"job", std::to_string(id)}, {"uuid", s.uuid}});
  return id;
}

} // namespace

slurm_actor::behavior_type slurm_worker(slurm_actor::pointer, const services& with) {
  auto& slurm = with.slurm;
  return {
      [&slurm](atom::submit, const submit_order& order) -> caf::result<std::int64_t> {
        return answer([&] {
          if (std::chrono::steady_clock::now() > order.not_after)
            throw failure(errc::unavailable,
                          "Slurm takes jobs too slowly; this one was not submitted, try again");
          try {
            return slurm.submit(order.what);
          } catch (const slurm::unknown_outcome& e) {
            if (order.again) // a look will show whether it is there
              throw failure(errc::unavailable, e.what());
            return settle_unknown(order.what, e.what());
          }
        });
      },
      [&slurm](atom::cancel, std::int64_t id, const std::string& uuid) -> caf::result<bool> {
        return answer([&] {
          slurm.cancel(id, uuid);
          return true;
        });
      },
      [&slurm](atom::cancel, const std::vector<std::string>& uuids) -> caf::result<bool> {
        return answer([&] {
          slurm.cancel(uuids);
          return true;
        });
      },
      [&slurm](atom::signal, const std::string& uuid,
               const std::string& name) -> caf::result<bool> {
        return answer([&] {
          slurm.signal(uuid, name);
          return true;
        });
      },
      [&slurm](atom::hold, const std::vector<std::string>& uuids, bool on) -> caf::result<bool> {
        return answer([&] {
          slurm.hold(uuids, on);
          return true;
        });
      },
      [&slurm](atom::plan, const slurm::submission& s) -> caf::result<slurm::forecast> {
        return answer([&] { return slurm.test(s); });
      },
  };
}

} // namespace jobrunner
