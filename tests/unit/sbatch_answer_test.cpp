#include "core/error.hpp"
#include "slurm/sbatch_answer.hpp"

#include <gtest/gtest.h>

namespace jobrunner::slurm {

namespace {

finished ended(int exit_code, std::string out, std::string err) {
  finished f;
  f.started = true;
  f.exit_code = exit_code;
  f.out = std::move(out);
  f.err = std::move(err);
  return f;
}

failure refusal(const std::string& err) {
  try {
    read_answer(ended(1, "", err));
  } catch (const failure& f) {
    return f;
  }
  return {errc::none, "no failure"};
}

TEST(read_forecast, it_is_the_time_that_slurm_names) {
  const auto f = read_forecast(ended(0, "",
                                     "sbatch: Job 2 to start at 1795652809 using 1 processors on "
                                     "nodes jr-d27d6e in partition main\n"));
  EXPECT_EQ(f, timestamp{std::chrono::seconds{1795652809}});
  EXPECT_EQ(read_forecast(ended(0, "", "sbatch: something else\n")), std::nullopt);
  EXPECT_EQ(read_forecast(ended(0, "", "Job 2 to start at N/A using")), std::nullopt);
}

TEST(read_forecast, a_refusal_is_passed_on_and_silence_is_unavailable) {
  const auto kind = [](const finished& f) {
    try {
      read_forecast(f);
    } catch (const failure& e) {
      return e.code();
    }
    return errc::none;
  };
  EXPECT_EQ(kind(ended(1, "", "allocation failure: More processors requested than permitted\n")),
            errc::invalid);
  EXPECT_EQ(kind(ended(1, "",
                       "sbatch: error: Batch job submission failed: Unable to contact slurm "
                       "controller (connect failure)\n")),
            errc::unavailable);
  auto late = ended(0, "", "");
  late.timed_out = true;
  EXPECT_EQ(kind(late), errc::unavailable);
}

TEST(read_answer, the_id_is_the_first_number) {
  EXPECT_EQ(read_answer(ended(0, "15\n", "")), 15);
  EXPECT_EQ(read_answer(ended(0, "5000001;cluster\n", "sbatch: warning\n")), 5000001);
}

// The messages below are what Slurm 22.05 printed.

TEST(read_answer, a_refusal_is_passed_on_in_slurms_words) {
  const auto f = refusal("sbatch: error: Memory specification can not be satisfied\n"
                         "sbatch: error: Batch job submission failed: Requested node configuration "
                         "is not available\n");
  EXPECT_EQ(f.code(), errc::invalid);
  EXPECT_STREQ(f.what(), "Slurm refuses the job: Memory specification can not be satisfied; "
                         "Requested node configuration is not available");
  for (const auto* text :
       {"sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or "
        "exceeds some limit)\n",
        "sbatch: error: Batch job submission failed: More processors requested than permitted\n",
        "sbatch: error: Batch job submission failed: Required partition not available (inactive or "
        "drain)\n",
        "sbatch: error: Invalid --mem specification\n",
        "sbatch: error: Invalid generic resource (gres) specification\n", ""})
    EXPECT_EQ(refusal(text).code(), errc::invalid) << text;
}

TEST(read_answer, what_was_never_sent_is_unavailable) {
  for (const auto* text :
       {"sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect "
        "failure)\n",
        "sbatch: error: If munged is up, restart with --num-threads=10\n"
        "sbatch: error: Munge encode failed: Failed to access \"/run/munge/socket\": No such file "
        "or directory (Did you start munged?)\n"
        "sbatch: error: slurm_send_node_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has "
        "authentication error\n"
        "sbatch: error: Batch job submission failed: Protocol authentication error\n",
        "sbatch: error: s_p_parse_file: cannot stat file /etc/slurm.conf: No such file or "
        "directory, retrying in 1sec up to 60sec\n"
        "sbatch: error: ClusterName needs to be specified\n"
        "sbatch: fatal: Unable to process configuration file\n",
        "sbatch: fatal: Could not establish a configuration source\n"})
    EXPECT_EQ(refusal(text).code(), errc::unavailable) << text;
  finished f;
  f.err = "cannot start /usr/bin/sbatch: No such file or directory";
  EXPECT_THROW(read_answer(f), failure);
}

TEST(read_answer, a_full_disk_is_one) {
  EXPECT_EQ(refusal("sbatch: error: Batch job submission failed: I/O error writing "
                    "script/environment to file\n")
                .code(),
            errc::disk_full);
}

TEST(read_answer, a_line_that_broke_leaves_the_outcome_open) {
  for (const auto* text :
       {"sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n",
        "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received\n",
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (receive "
        "failure)\n",
        "sbatch: error: Batch job submission failed: Unexpected message received\n",
        "sbatch: error: slurm_msg_sendto: address:port=127.0.0.1:30939 msg_type=4003: Unexpected "
        "missing socket error\nsbatch: error: Batch job submission failed: Unexpected missing "
        "socket error\n"})
    EXPECT_THROW(read_answer(ended(1, "", text)), unknown_outcome) << text;
  auto killed = ended(-1, "", "");
  killed.signal = 9;
  EXPECT_THROW(read_answer(killed), unknown_outcome);
  killed.timed_out = true;
  EXPECT_THROW(read_answer(killed), unknown_outcome);
  EXPECT_THROW(read_answer(ended(0, "", "")), unknown_outcome);
  EXPECT_THROW(read_answer(ended(0, "Submitted\n", "")), unknown_outcome);
}

} // namespace

} // namespace jobrunner::slurm
