#include "places.hpp"
#include "slurm/cluster.hpp"

#include <gtest/gtest.h>
#include <string>

namespace jobrunner::slurm {

namespace {

cluster parse_cluster(const std::string& nodes, const std::string& partitions) {
  return {parse_nodes(nodes), parse_partitions(partitions)};
}

capacity capacity_in(const std::string& nodes, const std::string& partitions) {
  return capacity_of(parse_cluster(nodes, partitions));
}

TEST(parse_nodes, what_a_node_has_and_what_of_it_is_used) {
  const auto c =
      parse_cluster(fixture("scontrol_node_mixed.txt"), fixture("scontrol_partition.txt"));
  ASSERT_EQ(c.nodes.size(), 1U);
  const auto& n = c.nodes[0];
  EXPECT_EQ(n.name, "jr-9d4cd0");
  EXPECT_EQ(n.state, "MIXED");
  EXPECT_EQ(n.reason, "");
  EXPECT_EQ(n.cpus, 2);
  EXPECT_EQ(n.cpus_used, 1);
  EXPECT_EQ(n.mem_mb, 24105);
  EXPECT_EQ(n.mem_mb_used, 500);
  EXPECT_EQ(n.gpus, 2);
  EXPECT_EQ(n.gpus_used, 1);
  EXPECT_EQ(n.gpu_type, "nvidia");
  ASSERT_EQ(c.partitions.size(), 1U);
  EXPECT_TRUE(c.partitions[0].is_default);
  EXPECT_EQ(c.partitions[0].state, "UP");
  EXPECT_EQ(c.partitions[0].max_time_s, 86400);
  EXPECT_EQ(capacity_of(c).trouble, "");
}

TEST(parse_nodes, a_node_that_takes_no_jobs_is_a_problem_with_its_reason) {
  const auto c = parse_cluster(fixture("scontrol_node_drain.txt"), "");
  EXPECT_EQ(c.nodes.at(0).reason, "two words = x");
  EXPECT_EQ(capacity_of(c).trouble, "jr-9d4cd0 is MIXED+DRAIN (two words = x)");
}

std::string trouble_in(const std::string& nodes) {
  return capacity_in(nodes, "").trouble;
}

TEST(parse_nodes, lines_that_are_none_of_scontrols_are_left_out) {
  const auto c = parse_cluster("\nslurm_load_node error\nx NodeName=n CPUTot=3\n",
                               "No partitions in the system\n");
  EXPECT_TRUE(c.nodes.empty());
  EXPECT_TRUE(c.partitions.empty());
}

TEST(capacity_of, what_the_node_and_the_default_partition_give) {
  const auto c = capacity_in(fixture("scontrol_node.txt"), fixture("scontrol_partition.txt"));
  EXPECT_EQ(c.cpus, 2);
  EXPECT_EQ(c.mem_mb, 16000);
  EXPECT_EQ(c.gpus, 1);
  EXPECT_EQ(c.max_time_s, 86400);
}

TEST(capacity_of, gpus_of_every_spelling_are_counted) {
  const auto gpus = [](const std::string& gres) {
    return capacity_in("NodeName=n1 CPUTot=4 Gres=" + gres + " NodeAddr=n1\n", "").gpus;
  };
  EXPECT_EQ(gpus("(null)"), 0);
  EXPECT_EQ(gpus("gpu"), 1);
  EXPECT_EQ(gpus("gpu:2"), 2);
  EXPECT_EQ(gpus("gpu:a100:4(S:0-1)"), 4);
  EXPECT_EQ(gpus("gpu:a100:4(S:0,2),gpu:v100:2,shard:8"), 6);
}

TEST(capacity_of, no_limit_and_other_partitions) {
  const auto limit = [](const char* partitions) { return capacity_in("", partitions).max_time_s; };
  EXPECT_EQ(limit("PartitionName=a Default=YES MaxTime=UNLIMITED State=UP"), 0);
  EXPECT_EQ(limit("PartitionName=a Default=NO MaxTime=00:10:00\n"
                  "PartitionName=b Default=YES MaxTime=00:30:00\n"),
            1800);
  EXPECT_EQ(limit("PartitionName=b Default=YES MaxTime=nonsense\n"), 0);
}

TEST(capacity_of, one_good_node_is_enough) {
  EXPECT_EQ(trouble_in("NodeName=a CPUTot=2 State=DOWN* Reason=Not responding [slurm@2026]\n"
                       "NodeName=b CPUTot=2 State=MIXED ThreadsPerCore=1\n"),
            "");
}

TEST(capacity_of, why_the_first_does_not_is_said_in_slurms_words) {
  EXPECT_EQ(trouble_in("NodeName=n1 Arch=x86_64 RealMemory=1 State=DOWN* ThreadsPerCore=1 "
                       "Reason=Not responding [slurm@2026-11-25T10:00:00]\n"
                       "NodeName=n2 State=UNKNOWN\n"),
            "n1 is DOWN* (Not responding)");
  EXPECT_EQ(trouble_in("NodeName=n1 State=UNKNOWN+NOT_RESPONDING Weight=1\n"),
            "n1 is UNKNOWN+NOT_RESPONDING");
  const auto longest = trouble_in("NodeName=n1 State=DOWN Reason=" + std::string(5000, 'x'));
  EXPECT_LT(longest.size(), 300U);
}

TEST(capacity_of, no_node_is_trouble) {
  EXPECT_FALSE(trouble_in("").empty());
  EXPECT_FALSE(trouble_in("No nodes in the system\n").empty());
}

} // namespace

} // namespace jobrunner::slurm
