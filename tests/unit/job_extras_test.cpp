#include "expect_failure.hpp"
#include "slurm/job_extras.hpp"

#include <gtest/gtest.h>

namespace jobrunner::slurm {

namespace {

job_extras with_labels(std::string text) {
  job_extras e;
  e.labels_json = std::move(text);
  return e;
}

job_extras with_env(std::string text) {
  job_extras e;
  e.env_json = std::move(text);
  return e;
}

job_extras with_signal(std::string text) {
  job_extras e;
  e.signal = std::move(text);
  return e;
}

TEST(job_extras, none_are_fine) {
  const auto e = checked({});
  EXPECT_EQ(e.labels_json, "{}");
  EXPECT_TRUE(variables_of(e).empty());
  EXPECT_TRUE(e.signal.empty());
}

TEST(job_extras, variables_keep_their_bytes) {
  const auto e = checked(with_env(R"({"A": "x=y,z", "_b2": "\n$(id) 'ä' \u0001", "EMPTY": ""})"));
  EXPECT_EQ(variables_of(e),
            (std::vector<std::string>{"A=x=y,z", "_b2=\n$(id) 'ä' \x01", "EMPTY="}));
}

TEST(job_extras, names_that_are_somebody_s_own_cannot_be_set) {
  for (const char* name :
       {"PATH", "HOME", "USER", "LANG", "TMPDIR", "DATASET_DIR", "RESULT_DIR", "JR_PARAMS",
        "JR_ARRAY_INDEX", "PYTHONUNBUFFERED", "SLURM_JOB_ID", "SLURM_CONF", "SBATCH_ACCOUNT",
        "SRUN_DEBUG", "LD_PRELOAD", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"}) {
    const auto why = refusal([&] { checked(with_env("{\"" + std::string{name} + "\":\"x\"}")); });
    EXPECT_TRUE(says(why, "env: \"" + std::string{name})) << why;
  }
}

TEST(job_extras, what_is_no_variable_is_refused) {
  for (const char* bad :
       {R"({"": "x"})", R"({"1A": "x"})", R"({"A B": "x"})", R"({"A=B": "x"})", R"({"A-B": "x"})",
        R"({"\u00e4": "x"})", R"({"A\n": "x"})", R"({"A": 1})", R"({"A": null})", R"({"A": ["x"]})",
        R"({"A": "\u0000"})", "[]", "{", "", "\"A=x\""})
    EXPECT_TRUE(says(refusal([&] { checked(with_env(bad)); }), "env")) << bad;
  checked(with_env(R"({"A": ")" + std::string(90'000, 'x') + "\"}"));
  refusal([] { checked(with_env(R"({"A": ")" + std::string(100'001, 'x') + "\"}")); });
}

TEST(job_extras, labels_are_short_strings) {
  EXPECT_EQ(checked(with_labels(R"( {"team": "vision",  "ä b/c": ""} )")).labels_json,
            R"({"team":"vision","ä b/c":""})");
  for (const char* bad : {R"({"": "x"})", R"({"a:b": "x"})", R"({"a\n": "x"})",
                          R"({"status": "x"})", R"({"a": 1})", R"({"a": {"b": "c"}})", "[]", "x"})
    EXPECT_TRUE(says(refusal([&] { checked(with_labels(bad)); }), "labels")) << bad;
  const auto one = [](std::size_t key, std::size_t value) {
    return with_labels("{\"" + std::string(key, 'k') + "\":\"" + std::string(value, 'v') + "\"}");
  };
  checked(one(64, 256));
  refusal([&] { checked(one(65, 1)); });
  refusal([&] { checked(one(1, 257)); });
  std::string many;
  for (int i = 0; i < 33; ++i)
    many += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"\"";
  refusal([&] { checked(with_labels("{" + many + "}")); });
}

TEST(job_extras, a_warning_signal_is_written_as_sbatch_takes_it) {
  EXPECT_EQ(checked(with_signal("USR1@60")).signal, "USR1@60");
  EXPECT_EQ(checked(with_signal("sigint@5")).signal, "INT@5");
  EXPECT_EQ(checked(with_signal("12@65535")).signal, "USR2@65535");
  EXPECT_EQ(checked(with_signal("HUP")).signal, "HUP@60");
  for (const char* bad : {"TERM@60", "KILL@60", "CONT@5", "STOP@5", "USR1@", "USR1@0", "USR1@65536",
                          "USR1@-1", "USR1@1@2", "@60", "B:USR1@60", "USR1 @60", "USR1@60 ", "64",
                          "ALRM", "USR1@1;id", "1-2", "R:USR1@5"})
    EXPECT_TRUE(says(refusal([&] { checked(with_signal(bad)); }), "signal is ")) << bad;
}

TEST(job_extras, a_cancel_s_signal_may_be_any_that_the_wrapper_knows) {
  EXPECT_EQ(signal_name("TERM", "signal"), "TERM");
  EXPECT_EQ(signal_name("SIGKILL", "signal"), "KILL");
  EXPECT_EQ(signal_name("10", "signal"), "USR1");
  for (const char* bad : {"", "0", "-9", "99", "SIG", "SIGSIGTERM", "TERM ", "11", "STOP"})
    EXPECT_TRUE(says(refusal([&] { signal_name(bad, "signal"); }), "signal is ")) << bad;
}

TEST(job_extras, names_are_short_and_what_must_succeed_first_is_named_once) {
  job_extras e;
  e.name = std::string(256, 'n');
  e.after = {9, 3, 9};
  EXPECT_EQ(checked(e).after, (std::vector<std::int64_t>{3, 9}));
  for (std::int64_t id = 1; id <= 101; ++id)
    e.after.push_back(id);
  EXPECT_TRUE(says(refusal([&] { checked(e); }), "after names 101"));
  e.after.clear();
  e.name += "n";
  EXPECT_TRUE(says(refusal([&] { checked(e); }), "name is longer"));
  e.name.clear();
  e.experiment_id = std::string(257, 'e');
  EXPECT_TRUE(says(refusal([&] { checked(e); }), "experiment_id is longer"));
}

} // namespace

} // namespace jobrunner::slurm
