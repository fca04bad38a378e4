#include "expect_failure.hpp"
#include "http/routes.hpp"

#include <gtest/gtest.h>
#include <set>

namespace jobrunner::http {

namespace {

using beast::verb;
using strings = std::vector<std::string>;

std::string allowed(verb asked, std::string_view path) {
  const auto found = find_route(asked, path);
  const auto* no = std::get_if<not_allowed>(&found);
  return no ? no->allow : "?";
}

bool exists(std::string_view path) {
  return !std::holds_alternative<no_such_path>(find_route(verb::get, path));
}

TEST(routes, each_is_reached_and_gets_what_fills_its_holes) {
  for (const auto& r : routes()) {
    std::string path{r.path.text()};
    strings wanted;
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{')) {
      wanted.push_back("x" + std::to_string(wanted.size()));
      path.replace(at, path.find('}') - at + 1, wanted.back());
    }
    const auto found = find_route(r.verb, path);
    const auto* hit = std::get_if<matched>(&found);
    ASSERT_NE(hit, nullptr) << path;
    EXPECT_EQ(&hit->to, &r) << path << " goes to " << hit->to.path.text();
    EXPECT_EQ(hit->args, wanted) << path;
    EXPECT_NE(r.handle, nullptr) << path;
  }
}

TEST(routes, no_two_have_one_verb_and_pattern) {
  std::set<std::pair<verb, std::string>> all;
  for (const auto& r : routes())
    EXPECT_TRUE(all.emplace(r.verb, r.path.text()).second) << r.path.text();
}

TEST(routes, all_but_health_and_the_description_need_the_token) {
  std::set<std::string> open;
  for (const auto& r : routes())
    if (r.needs == auth::none)
      open.emplace(r.path.text());
  EXPECT_EQ(open, (std::set<std::string>{"/health", "/openapi.json"}));
}

TEST(routes, the_seed_s_calls_are_all_there) {
  const std::vector<std::pair<verb, std::string>> calls{{verb::get, "/health"},
                                                        {verb::get, "/datasets/exists/abc"},
                                                        {verb::post, "/datasets/upload"},
                                                        {verb::post, "/datasets/import_path"},
                                                        {verb::post, "/jobs"},
                                                        {verb::get, "/jobs/7"},
                                                        {verb::get, "/jobs/7/log"},
                                                        {verb::post, "/jobs/7/cancel"},
                                                        {verb::get, "/jobs/7/result"},
                                                        {verb::post, "/outputs/index/7"},
                                                        {verb::get, "/outputs/by_job/7"},
                                                        {verb::get, "/outputs"},
                                                        {verb::get, "/outputs/download"},
                                                        {verb::get, "/outputs/download_by_job"}};
  for (const auto& [how, path] : calls)
    EXPECT_TRUE(std::holds_alternative<matched>(find_route(how, path))) << path;
}

TEST(routes, head_goes_where_get_does) {
  const auto found = find_route(verb::head, "/jobs/7/log");
  ASSERT_TRUE(std::holds_alternative<matched>(found));
  EXPECT_EQ(std::get<matched>(found).args, strings{"7"});
}

TEST(routes, another_verb_is_told_which_would_do) {
  EXPECT_EQ(allowed(verb::post, "/health"), "GET, HEAD");
  EXPECT_EQ(allowed(verb::delete_, "/jobs/7/cancel"), "POST");
  EXPECT_EQ(allowed(verb::head, "/jobs/7/cancel"), "POST");
  EXPECT_EQ(allowed(verb::put, "/jobs/7"), "GET, HEAD, DELETE");
}

TEST(routes, paths_that_only_look_like_one_are_none) {
  for (const auto* path : {"/", "/jobs/7/", "/jobs//log", "//health", "/health/x", "/HEALTH",
                           "/jobs/7/log/x", "/outputs/by_job", "/jobs%2F7", "/../health"})
    EXPECT_FALSE(exists(path)) << path;
}

TEST(routes, a_segment_is_decoded_once_and_stays_one) {
  const auto found = find_route(verb::get, "/jobs/..%2F%252e/log");
  ASSERT_TRUE(std::holds_alternative<matched>(found));
  EXPECT_EQ(std::get<matched>(found).args, strings{"../%2e"});
}

TEST(routes, a_malformed_path_is_refused) {
  for (const auto* path : {"/jobs/%zz", "/jobs/%0", "/jobs/%00", "/jobs/%ff"})
    refusal([&] { find_route(verb::get, path); });
}

} // namespace

} // namespace jobrunner::http
