#include "slurm/job_turn.hpp"

#include "slurm/run_lock.hpp"

namespace jobrunner::slurm {

namespace {

std::string by_job(const start& s) {
  return s.slurm_id > 0 ? "Slurm's job " + std::to_string(s.slurm_id) : "another start of it";
}

} // namespace

job_turn take_turn(const std::filesystem::path& job_dir, std::int64_t slurm_id,
                   const std::function<void(const std::string&)>& say,
                   const std::function<bool()>& wait) {
  job_turn turn;
  bool said = false;
  while (!(turn.lock = try_lock(job_dir))) {
    if (!said)
      say("this job runs already, by " + by_job(read_start(job_dir).value_or(start{})) +
          "; waiting for its end");
    said = true;
    if (!wait()) {
      say("ended while waiting for the end of the other start");
      return turn;
    }
  }
  turn.before = read_exit(job_dir);
  if (turn.before) {
    say("not run: this job has run before, as attempt " + std::to_string(turn.before->attempt) +
        ", and ended with exit code " + std::to_string(turn.before->exit_code));
    return turn;
  }
  if (take_start(job_dir, slurm_id)) {
    turn.attempt = 1;
    return turn;
  }
  const auto last = read_start(job_dir).value_or(start{});
  if (last.abandoned) {
    say("not run: this job was withdrawn before it started");
    return turn;
  }
  turn.attempt = last.attempt + 1;
  say("attempt " + std::to_string(last.attempt) + ", by " + by_job(last) +
      ", died without a record; this is attempt " + std::to_string(turn.attempt));
  take_over_start(job_dir, slurm_id, turn.attempt);
  return turn;
}

} // namespace jobrunner::slurm
