#include "core/buckets.hpp"
#include "expect_failure.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

const std::string one =
    R"({"buckets": [{"name": "models", "endpoint": "s3.eu-central-003.backblazeb2.com/",
  "key_id": "K", "app_key": "S"}, {"name": "public", "bucket": "real", "endpoint": "https://minio:9000", "region": "r"}]})";

TEST(buckets, a_file_s_buckets_are_read_with_what_they_leave_out) {
  const auto all = parse_buckets(one);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].remote, "models");
  EXPECT_EQ(all[0].endpoint, "https://s3.eu-central-003.backblazeb2.com");
  EXPECT_EQ(all[0].region, "eu-central-003");
  EXPECT_EQ(all[0].app_key.reveal(), "S");
  EXPECT_EQ(all[1].remote, "real");
  EXPECT_EQ(all[1].region, "r");
  EXPECT_EQ(all[1].key_id, "");
}

TEST(buckets, what_cannot_be_used_is_refused_without_being_quoted) {
  for (const std::string bad :
       {"", "[]", "{}", R"({"buckets": {}})", R"({"buckets": [1]})", R"({"buckets": [{}]})",
        R"({"buckets": [{"name": "a", "endpoint": "x", "key_id": "k"}]})",
        R"({"buckets": [{"name": "a", "endpoint": "x", "app_key": "s3cret"}]})",
        R"({"buckets": [{"name": "a", "endpoint": "x", "secret": "s3cret"}]})",
        R"({"buckets": [{"name": "a", "endpoint": 7, "key_id": "k", "app_key": "s3cret"}]})",
        R"({"buckets": [{"name": "a", "endpoint": "x"}, {"name": "a", "endpoint": "y"}]})"}) {
    const auto why = refusal([&] { parse_buckets(bad); });
    EXPECT_FALSE(why.empty() || says(why, "s3cret")) << bad << why;
  }
}

TEST(buckets, a_file_that_others_may_read_is_refused) {
  namespace fs = std::filesystem;
  const temp_folder folder;
  const auto file = folder.put("b.json", one);
  fs::permissions(file, fs::perms{0644});
  EXPECT_TRUE(says(refusal([&] { read_buckets(file); }), "0400"));
  fs::permissions(file, fs::perms{0400});
  EXPECT_EQ(read_buckets(file).size(), 2U);
  EXPECT_TRUE(says(refusal([&] { read_buckets(folder / "none"); }), "JR_S3_BUCKETS_FILE"));
}

TEST(buckets, an_endpoint_is_https_unless_it_says_otherwise) {
  EXPECT_EQ(tidy_endpoint("s3.example.org"), "https://s3.example.org");
  EXPECT_EQ(tidy_endpoint("http://minio:9000//"), "http://minio:9000");
  EXPECT_EQ(tidy_endpoint(""), "");
}

TEST(buckets, a_region_is_told_by_b2_s_and_aws_s_names) {
  EXPECT_EQ(region_of("https://s3.us-west-004.backblazeb2.com"), "us-west-004");
  EXPECT_EQ(region_of("https://s3.eu-west-1.amazonaws.com:443/x"), "eu-west-1");
  EXPECT_EQ(region_of("http://127.0.0.1:9000"), "us-east-1");
  EXPECT_EQ(region_of(""), "us-east-1");
}

} // namespace

} // namespace jobrunner
