#include "core/config.hpp"
#include "expect_failure.hpp"
#include "temp_folder.hpp"

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <map>

namespace jobrunner {

namespace {

/// Variables for the time of one test.
class variables {
public:
  explicit variables(const std::map<std::string, std::string>& all) : all_(all) {
    for (const auto& [name, value] : all_)
      ::setenv(name.c_str(), value.c_str(), 1);
  }
  variables(const variables&) = delete;
  variables& operator=(const variables&) = delete;
  ~variables() {
    for (const auto& [name, value] : all_)
      ::unsetenv(name.c_str());
  }

private:
  std::map<std::string, std::string> all_;
};

config load(const std::map<std::string, std::string>& all) {
  const variables set{all};
  return load_config();
}

TEST(config, without_variables_it_is_that_of_the_container) {
  const auto c = load({});
  EXPECT_EQ(c.root, "/opt/jobrunner");
  EXPECT_EQ(c.port, 8080);
  EXPECT_EQ(c.bind_address, "0.0.0.0");
  EXPECT_EQ(c.token.reveal(), "change-me");
  EXPECT_TRUE(c.default_token);
  EXPECT_EQ(c.server_user, "jobrunner");
  EXPECT_EQ(c.job_user, "runner");
  EXPECT_EQ(c.slurm_conf, "/opt/jobrunner/slurm/slurm.conf");
  EXPECT_EQ(c.b2_mount, "/mnt/b2");
  EXPECT_FALSE(c.b2_enabled);
  EXPECT_TRUE(c.import_roots.empty());
  EXPECT_TRUE(c.programs_dir.is_absolute());
}

TEST(config, secrets_are_taken_out_of_the_environment) {
  const variables set{{{"JR_AUTH_TOKEN", "s3cret"},
                       {"JR_B2_APP_KEY", "key"},
                       {"JR_B2_KEY_ID", "id"},
                       {"JR_WEBHOOK_SECRET", "whsec_x"}}};
  const char* where = std::getenv("JR_AUTH_TOKEN");
  const auto c = load_config();
  EXPECT_EQ(c.token.reveal(), "s3cret");
  EXPECT_FALSE(c.default_token);
  for (const auto* name : {"JR_AUTH_TOKEN", "JR_B2_APP_KEY", "JR_B2_KEY_ID", "JR_WEBHOOK_SECRET"})
    EXPECT_EQ(std::getenv(name), nullptr) << name;
  EXPECT_EQ(std::strlen(where), 0U); // the bytes that /proc/self/environ would show
}

TEST(config, the_token_can_come_from_a_file) {
  const temp_folder folder;
  const auto file = folder.put("token", "from a file\n");
  EXPECT_EQ(load({{"JR_AUTH_TOKEN_FILE", file}}).token.reveal(), "from a file");
  EXPECT_EQ(load({{"JR_AUTH_TOKEN_FILE", file}, {"JR_AUTH_TOKEN", "first"}}).token.reveal(),
            "first");
}

TEST(config, a_token_file_that_cannot_be_read_or_is_empty_is_refused) {
  const temp_folder folder;
  EXPECT_TRUE(says(refusal([&] {
                     load({{"JR_AUTH_TOKEN_FILE", folder / "none"}});
                   }),
                   "JR_AUTH_TOKEN_FILE"));
  const auto empty = folder.put("empty", "\n");
  refusal([&] { load({{"JR_AUTH_TOKEN_FILE", empty}}); });
}

TEST(config, a_bad_value_is_refused_with_its_name_and_what_would_be_right) {
  const std::map<std::string, std::string> bad{
      {"JR_PORT", "65536"},          {"JR_IO_THREADS", "0"},    {"JR_MAX_UPLOADS", "-1"},
      {"JR_POLL_INTERVAL_MS", "1s"}, {"JR_ROOT", "relative"},   {"JR_B2_ENABLE", "yes"},
      {"JR_MAX_UPLOAD_BYTES", "0"},  {"JR_MIN_FREE_BYTES", ""}, {"JR_SLURM_TIMEOUT_S", "0x10"},
      {"JR_IMPORT_ROOTS", "a:/b"},   {"JR_EXTRACT_UID", "0"},   {"JR_WEBHOOK_SENDERS", "0"}};
  for (const auto& [name, value] : bad) {
    if (value.empty()) { // an empty one is as good as none
      EXPECT_NO_THROW(load({{name, value}}));
      continue;
    }
    EXPECT_TRUE(says(refusal([&] { load({{name, value}}); }), name)) << name;
  }
  EXPECT_TRUE(says(refusal([] { load({{"JR_PORT", "x"}}); }), "0 to 65535"));
}

TEST(config, folders_are_known_by_one_spelling) {
  const auto c = load({{"JR_ROOT", "/data/../root/"},
                       {"JR_B2_MOUNT", "/mnt/b2//"},
                       {"JR_IMPORT_ROOTS", "/in/:/also/./in::/"}});
  EXPECT_EQ(c.root.string(), "/root");
  EXPECT_EQ(c.b2_mount.string(), "/mnt/b2");
  ASSERT_EQ(c.import_roots.size(), 3U);
  EXPECT_EQ(c.import_roots[0].string(), "/in");
  EXPECT_EQ(c.import_roots[1].string(), "/also/in");
  EXPECT_EQ(c.import_roots[2].string(), "/");
}

TEST(config, numbers_are_read_whole) {
  const auto c = load({{"JR_PORT", "0"},
                       {"JR_MAX_UPLOAD_BYTES", "18446744073709551615"},
                       {"JR_POLL_INTERVAL_MS", "20"}});
  EXPECT_EQ(c.port, 0);
  EXPECT_EQ(c.max_upload_bytes, 18446744073709551615ULL);
  EXPECT_EQ(c.poll_interval.count(), 20);
}

TEST(config, a_list_of_private_hosts_is_read_and_checked) {
  EXPECT_FALSE(load({}).outside.listed("minio", 9000));
  EXPECT_TRUE(load({{"JR_ALLOWED_PRIVATE_HOSTS", "minio:9000"}}).outside.listed("minio", 9000));
  EXPECT_TRUE(says(refusal([] { load({{"JR_ALLOWED_PRIVATE_HOSTS", "http://x"}}); }), "http://x"));
}

} // namespace

} // namespace jobrunner
