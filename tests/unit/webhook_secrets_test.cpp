#include "expect_failure.hpp"
#include "temp_folder.hpp"
#include "webhook/secrets.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace jobrunner::webhook {

namespace {

const std::string one = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

TEST(webhook_secrets, one_is_made_at_the_first_start_and_stays_for_nobody_else_to_read) {
  const temp_folder root;
  config settings;
  settings.root = root.path();
  const auto first = load_secrets(settings);
  EXPECT_EQ(first.keys.at(0).reveal().size(), 32U);
  EXPECT_EQ(load_secrets(settings).shown.reveal(), first.shown.reveal());
  EXPECT_EQ(root.get("webhook_secret"), first.shown.reveal() + "\n");
  struct stat about {};
  ASSERT_EQ(stat((root / "webhook_secret").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0600U);
  const temp_folder other;
  settings.root = other.path();
  EXPECT_NE(load_secrets(settings).shown.reveal(), first.shown.reveal());
}

TEST(webhook_secrets, a_configured_one_goes_before_the_file) {
  const temp_folder root;
  config settings;
  settings.root = root.path();
  settings.webhooks.secrets = secret{one + " whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
  const auto both = load_secrets(settings);
  EXPECT_EQ(both.shown.reveal(), one);
  EXPECT_EQ(both.keys.size(), 2U);
  EXPECT_FALSE(std::filesystem::exists(root / "webhook_secret"));
}

TEST(webhook_secrets, what_is_none_is_refused_and_not_repeated) {
  const temp_folder root;
  config settings;
  settings.root = root.path();
  for (const auto* bad : {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=",
                          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_!!!!"}) {
    settings.webhooks.secrets = secret{bad};
    const auto why = refusal([&] { load_secrets(settings); });
    EXPECT_TRUE(says(why, "JR_WEBHOOK_SECRET")) << why;
    EXPECT_TRUE(bad == std::string{"whsec_"} || !says(why, bad)) << why;
  }
  settings.webhooks.secrets = {};
  root.put("webhook_secret", "nonsense");
  EXPECT_TRUE(says(refusal([&] { load_secrets(settings); }), "webhook_secret"));
}

} // namespace

} // namespace jobrunner::webhook
