#include "core/error.hpp"
#include "slurm/job_dir.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

namespace jobrunner::slurm {

namespace {

namespace fs = std::filesystem;

class job_dir_test : public testing::Test {
protected:
  job_dir_test() {
    std::string pattern = fs::temp_directory_path() / "job_dirXXXXXX";
    dir_ = ::mkdtemp(pattern.data());
    fs::create_directory(dir_ / "run");
  }
  ~job_dir_test() override { fs::remove_all(dir_); }

  void put(const char* name, const std::string& text) { std::ofstream{dir_ / name} << text; }

  fs::path dir_;
};

spec hostile() {
  return {"0f0e1d2c-0000-4000-8000-000000000000",
          {"python3", "", "$(id)", "a\nb", "\"'\\", "\xff\xfe", "-x", "ünï"},
          "/data/set dir",
          "/results/%j",
          R"({"k": "\u0000 \" ' ; rm -rf /"})",
          "/usr/bin:/bin",
          {"A=", "B=x=y,z", "C=\xff\n"}};
}

TEST_F(job_dir_test, a_specification_is_read_back_byte_for_byte) {
  write_spec(dir_, hostile());
  const auto back = read_spec(dir_);
  const auto s = hostile();
  EXPECT_EQ(back.uuid, s.uuid);
  EXPECT_EQ(back.argv, s.argv);
  EXPECT_EQ(back.dataset_dir, s.dataset_dir);
  EXPECT_EQ(back.result_dir, s.result_dir);
  EXPECT_EQ(back.params_json, s.params_json);
  EXPECT_EQ(back.path, s.path);
  EXPECT_EQ(back.env, s.env);
}

TEST_F(job_dir_test, a_specification_of_an_older_version_has_no_variables) {
  put("spec.json", R"({"uuid":"u","argv":["true"],"dataset_dir":"/","result_dir":"/",)"
                   R"("params_json":"{}","path":"/bin"})");
  EXPECT_TRUE(read_spec(dir_).env.empty());
}

TEST_F(job_dir_test, a_specification_can_be_written_again_and_leaves_nothing_temporary) {
  put("spec.json.tmp", "left by a crash");
  write_spec(dir_, hostile());
  auto other = hostile();
  other.argv = {"true"};
  write_spec(dir_, other);
  EXPECT_EQ(read_spec(dir_).argv, other.argv);
  EXPECT_FALSE(fs::exists(dir_ / "spec.json.tmp"));
}

TEST_F(job_dir_test, the_job_user_can_read_the_specification_whatever_the_umask) {
  const auto old = ::umask(077);
  write_spec(dir_, hostile());
  ::umask(old);
  EXPECT_EQ(fs::status(dir_ / "spec.json").permissions(), fs::perms{0644});
}

TEST_F(job_dir_test, a_missing_or_broken_specification_is_a_failure) {
  EXPECT_THROW(read_spec(dir_), failure);
  for (const auto* bad :
       {"", "{", "[]", "{}", R"({"uuid": 1})",
        R"({"uuid":"u","argv":[],"dataset_dir":"","result_dir":"","params_json":"","path":""})",
        R"({"uuid":"u","argv":[1],"dataset_dir":"","result_dir":"","params_json":"","path":""})"}) {
    put("spec.json", bad);
    EXPECT_THROW(read_spec(dir_), failure) << bad;
  }
}

TEST_F(job_dir_test, the_start_marker_is_taken_once) {
  EXPECT_FALSE(read_start(dir_));
  EXPECT_TRUE(take_start(dir_, 17));
  EXPECT_FALSE(abandon(dir_));
  EXPECT_FALSE(take_start(dir_, 18));
  EXPECT_EQ(read_start(dir_)->slurm_id, 17);
  EXPECT_EQ(read_start(dir_)->attempt, 1);
  EXPECT_FALSE(read_start(dir_)->abandoned);
}

TEST_F(job_dir_test, what_is_abandoned_cannot_start) {
  EXPECT_TRUE(abandon(dir_));
  EXPECT_FALSE(take_start(dir_, 17));
  EXPECT_TRUE(read_start(dir_)->abandoned);
  EXPECT_EQ(read_start(dir_)->slurm_id, 0);
}

TEST_F(job_dir_test, a_later_attempt_says_which_it_is) {
  take_start(dir_, 17);
  take_over_start(dir_, 18, 2);
  EXPECT_EQ(read_start(dir_)->slurm_id, 18);
  EXPECT_EQ(read_start(dir_)->attempt, 2);
}

TEST_F(job_dir_test, of_many_who_try_at_once_one_gets_the_start_marker) {
  std::atomic<int> winners = 0;
  std::vector<std::thread> all;
  for (int i = 0; i < 16; ++i)
    all.emplace_back([&, i] { winners += take_start(dir_, i); });
  for (auto& t : all)
    t.join();
  EXPECT_EQ(winners, 1);
}

TEST_F(job_dir_test, a_marker_that_a_crash_or_a_job_spoilt_still_counts_as_taken) {
  for (const auto* spoilt : {"", "-7", "x", "7 -2", "7 99999999999999999999", "7 x"}) {
    put("run/start", spoilt);
    EXPECT_EQ(read_start(dir_)->slurm_id, spoilt[0] == '7' ? 7 : 0) << spoilt;
    EXPECT_EQ(read_start(dir_)->attempt, 1) << spoilt;
    EXPECT_FALSE(take_start(dir_, 1));
  }
  fs::remove(dir_ / "run/start");
  fs::create_symlink("/etc/passwd", dir_ / "run/start");
  EXPECT_EQ(read_start(dir_)->slurm_id, 0);
  EXPECT_FALSE(take_start(dir_, 1));
  fs::remove(dir_ / "run/start");
  ASSERT_EQ(::mkfifo((dir_ / "run/start").c_str(), 0600), 0);
  EXPECT_EQ(read_start(dir_)->slurm_id, 0); // and does not block
}

TEST_F(job_dir_test, a_marker_in_a_missing_folder_is_a_failure) {
  fs::remove_all(dir_ / "run");
  EXPECT_THROW(take_start(dir_, 1), failure);
}

TEST_F(job_dir_test, an_exit_record_is_read_back) {
  EXPECT_FALSE(read_exit(dir_));
  const timestamp start{std::chrono::milliseconds{1795394424125}};
  write_exit(dir_, {137, 9, start, start + std::chrono::seconds{5}, 2});
  const auto back = read_exit(dir_);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->exit_code, 137);
  EXPECT_EQ(back->signal, 9);
  EXPECT_EQ(back->started_at, start);
  EXPECT_EQ(back->ended_at, start + std::chrono::seconds{5});
  EXPECT_EQ(back->attempt, 2);
}

TEST_F(job_dir_test, a_job_cannot_make_the_exit_record_leave_its_folder) {
  put("canary", "canary");
  fs::create_symlink("../canary", dir_ / "run/exit.json.tmp");
  fs::create_symlink("../canary", dir_ / "run/exit.json");
  EXPECT_FALSE(read_exit(dir_));
  write_exit(dir_, {1, 0, {}, {}, 1});
  EXPECT_EQ(read_exit(dir_)->exit_code, 1);
  std::string text;
  std::getline(std::ifstream{dir_ / "canary"}, text);
  EXPECT_EQ(text, "canary");
}

TEST_F(job_dir_test, an_exit_record_that_a_job_forged_badly_is_none) {
  const std::string rest = R"(,"signal":0,"started_at":0,"ended_at":0})";
  for (const auto& bad :
       {std::string{}, std::string{"null"}, std::string{"{\"exit_code\":0}"},
        R"({"exit_code":256)" + rest, R"({"exit_code":-1)" + rest, R"({"exit_code":1e99)" + rest,
        R"({"exit_code":"0")" + rest, std::string(100'000, '['), std::string(100'000, ' ') + "{}",
        std::string{
            R"({"exit_code":0,"signal":0,"started_at":0,"ended_at":9223372036854775807})"}}) {
    put("run/exit.json", bad);
    EXPECT_FALSE(read_exit(dir_)) << bad.substr(0, 100);
  }
  put("run/exit.json", R"({"exit_code":0)" + rest);
  EXPECT_TRUE(read_exit(dir_));
}

} // namespace

} // namespace jobrunner::slurm
