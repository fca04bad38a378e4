// The worker with a false sbatch, which the test writes.
#include "actors/slurm_worker.hpp"
#include "slurm/job_dir.hpp"
#include "stage.hpp"
#include "world.hpp"

namespace jobrunner {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct slurm_worker_test : world, stage {
  slurm::client fake{job_user, root / "bin", "/nonexistent/jobrunner-job", 1s};
  services faked{settings, extractors, fake, published, getgid()};
  slurm_actor worker = sys.spawn(slurm_worker, std::cref(faked));

  slurm_worker_test() { fs::create_directories(job_dir() / "run"); }
  ~slurm_worker_test() override { stop(worker); }

  fs::path job_dir() const { return root / "jobs/u"; }
  void sbatch(const std::string& does) {
    fs::permissions(root.put("bin/sbatch", "#!/bin/sh\n" + does + "\n"), fs::perms{0755});
  }
  auto submit(std::chrono::seconds left = 60s, bool again = false) {
    const submit_order order{{"u", job_dir(), root / "logs/u", {0, 1, 100, 60}},
                             std::chrono::steady_clock::now() + left,
                             again};
    return start(ask(worker, 60s, atom::submit_v, order));
  }
};

TEST_F(slurm_worker_test, slurm_s_number_comes_back) {
  sbatch("echo 7");
  EXPECT_EQ(submit()->value, 7);
}

TEST_F(slurm_worker_test, a_job_without_an_answer_in_time_is_withdrawn_for_good) {
  sbatch("sleep 20");
  EXPECT_EQ(submit()->error->code(), errc::unavailable);
  EXPECT_TRUE(slurm::read_start(job_dir())->abandoned);
}

TEST_F(slurm_worker_test, one_that_is_submitted_again_is_not_withdrawn) {
  sbatch("sleep 20");
  EXPECT_EQ(submit(60s, true)->error->code(), errc::unavailable);
  EXPECT_FALSE(slurm::read_start(job_dir()));
}

TEST_F(slurm_worker_test, a_job_that_has_started_although_there_was_no_answer_is_taken) {
  sbatch("printf '7\\n' > " + (job_dir() / "run/start").string() + "; sleep 20");
  EXPECT_EQ(submit()->value, 7);
}

TEST_F(slurm_worker_test, the_number_may_come_a_moment_after_the_marker) {
  const auto marker = (job_dir() / "run/start").string();
  sbatch(": > " + marker + "; (setsid sh -c 'sleep 1.3; echo 7 > " + marker + "' &); sleep 20");
  EXPECT_EQ(submit()->value, 7);
}

TEST_F(slurm_worker_test, an_order_that_waited_too_long_is_not_submitted) {
  sbatch("touch " + (root / "called").string() + "; echo 7");
  EXPECT_EQ(submit(-1s)->error->code(), errc::unavailable);
  EXPECT_FALSE(fs::exists(root / "called"));
}

} // namespace

} // namespace jobrunner
