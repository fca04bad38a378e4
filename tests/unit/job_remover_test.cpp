#include "actors/job_remover.hpp"
#include "stage.hpp"
#include "store/deletions.hpp"
#include "store/jobs.hpp"
#include "world.hpp"

#include <caf/send.hpp>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

struct job_remover_test : world, stage {
  remover_actor remover;
  ~job_remover_test() override {
    if (remover)
      stop(remover);
  }
  /// With its files, and its row deleted.
  void deleted(const job& j) {
    root.put("jobs/" + j.uuid + "/spec.json", "{}");
    root.put("jobs/" + j.uuid + "/run/exit.json", "{}");
    root.put(j.log_path, "log");
    auto db = store::open(root.path());
    store::jobs rows{db};
    rows.insert_intent(j);
    rows.update(j);
    store::deletions{db}.remove(j);
  }
  job one(const std::string& uuid) const {
    job j;
    j.uuid = uuid;
    j.id = j.slurm_id = 7;
    j.params_json = "{}";
    j.result_dir = root / ("results/job_" + uuid);
    j.log_path = "logs/job_" + uuid + ".out";
    return j;
  }
  void go() {
    remover = sys.spawn(job_remover, std::cref(with)); // looks by itself when it starts
    settle();
  }
  std::size_t left() {
    auto db = store::open(root.path());
    return store::deletions{db}.leftovers().size();
  }
};

TEST_F(job_remover_test, everything_of_a_deleted_job_goes_and_nothing_else) {
  root.put("results/job_u/deep/er/file", "x");
  root.put("results/job_other/file", "x");
  root.put("outside", "canary");
  fs::create_symlink(root / "outside", root / "results/job_u/link");
  fs::create_directory_symlink(root / "results/job_other", root / "results/job_u/folder");
  fs::permissions(root / "results/job_u/deep", fs::perms::none); // closed by its job
  deleted(one("u"));
  go();
  EXPECT_TRUE(fs::is_empty(root / "jobs"));
  EXPECT_TRUE(fs::is_empty(root / "logs"));
  EXPECT_FALSE(fs::exists(root / "results/job_u"));
  EXPECT_TRUE(fs::exists(root / "results/job_other/file"));
  EXPECT_EQ(root.get("outside"), "canary");
  EXPECT_EQ(left(), 0U);
}

TEST_F(job_remover_test, a_folder_that_two_jobs_share_stays) {
  auto j = one("seed-7"), other = one("seed-8");
  other.id = other.slurm_id = 8;
  j.result_dir = other.result_dir = root / "results/job_1700000000_1";
  root.put("results/job_1700000000_1/file", "x");
  {
    auto db = store::open(root.path());
    store::jobs rows{db};
    rows.insert_intent(other);
    rows.update(other);
  }
  deleted(j);
  go();
  EXPECT_TRUE(fs::exists(root / "results/job_1700000000_1/file"));
  EXPECT_EQ(left(), 0U);
}

TEST_F(job_remover_test, a_row_that_names_other_places_removes_nothing_there) {
  root.put("elsewhere/file", "canary");
  root.put("secret", "canary");
  auto j = one("");
  j.result_dir = root / "elsewhere";
  j.log_path = "secret";
  {
    auto db = store::open(root.path());
    store::jobs rows{db};
    rows.insert_intent(j);
    rows.update(j);
    store::deletions{db}.remove(j);
  }
  root.put("jobs/other/spec.json", "{}");
  go();
  EXPECT_EQ(root.get("elsewhere/file"), "canary");
  EXPECT_EQ(root.get("secret"), "canary");
  EXPECT_TRUE(fs::exists(root / "jobs/other/spec.json"));
}

TEST_F(job_remover_test, what_is_deleted_while_it_runs_goes_too) {
  go();
  root.put("results/job_u/file", "x");
  deleted(one("u"));
  caf::anon_send(remover, atom::tick_v);
  settle();
  EXPECT_FALSE(fs::exists(root / "results/job_u"));
}

} // namespace

} // namespace jobrunner
