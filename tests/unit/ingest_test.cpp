#include "archive/ingest.hpp"
#include "core/error.hpp"
#include "core/launcher.hpp"
#include "temp_folder.hpp"

#include <unistd.h>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace jobrunner::archive {

namespace {

struct ingest_test : testing::Test {
  temp_folder folder;
  launcher extractors = launcher::start({getuid(), getgid(), {}}, {"PATH=/usr/bin:/bin"});

  /// An extractor that is this script of a shell's.
  extraction extractor(const std::string& script) {
    const auto program = folder.put("extractor", "#!/bin/sh\n" + script);
    chmod(program.c_str(), 0755);
    return {extractors, program, 1000, 10, 0, 100, 100, 10};
  }
  std::filesystem::path staging() {
    const auto made = folder / "staging";
    std::filesystem::create_directory(made);
    return made;
  }
};

TEST_F(ingest_test, what_an_extractor_says_besides_its_answer_is_in_the_log) {
  const auto how = extractor("cat >/dev/null; echo 'heap is broken' >&2; echo '{\"bytes\": 3}'\n");
  ingest into{how, staging(), "a.tar", true};
  testing::internal::CaptureStderr();
  EXPECT_EQ(into.finish().bytes, 3);
  EXPECT_NE(testing::internal::GetCapturedStderr().find(
                "at=ingest event=extractor_says err=\"heap is broken"),
            std::string::npos);
}

TEST_F(ingest_test, also_when_it_removes_what_was_left) {
  const auto how = extractor("rm -r \"$2\"; echo 'heap is broken' >&2\n");
  const auto left = staging();
  folder.put("staging/data/file", "1");
  testing::internal::CaptureStderr();
  discard(how, left);
  EXPECT_NE(testing::internal::GetCapturedStderr().find(
                "at=ingest event=extractor_says err=\"heap is broken"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST_F(ingest_test, an_extractor_that_is_quiet_leaves_no_line) {
  const auto how = extractor("cat >/dev/null; echo '{\"bytes\": 3}'\n");
  ingest into{how, staging(), "a.tar", true};
  testing::internal::CaptureStderr();
  into.finish();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace

} // namespace jobrunner::archive
