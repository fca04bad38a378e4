#include "core/beneath.hpp"
#include "core/error.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <thread>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

std::string text_of(const unique_fd& file) {
  std::array<char, 64> buffer{};
  const auto size = ::read(file.get(), buffer.data(), buffer.size());
  return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

/// A folder with a file, and outside it the canary that must never be read.
class beneath_test : public testing::TestWithParam<bool> {
protected:
  beneath_test() {
    std::string pattern = fs::temp_directory_path() / "beneathXXXXXX";
    top_ = ::mkdtemp(pattern.data());
    root_ = top_ / "root";
    fs::create_directories(root_ / "sub/deep");
    fs::create_directories(top_ / "outside");
    std::ofstream{top_ / "outside/canary"} << "canary";
    std::ofstream{root_ / "file"} << "file";
    std::ofstream{root_ / "sub/deep/file"} << "deep";
    std::ofstream{root_ / "back\\slash"} << "backslash";
    std::ofstream{root_ / "..."} << "dots";
    std::ofstream{root_ / "..file"} << "dots";
    std::ofstream{root_ / "new\nline"} << "newline";
    std::ofstream{root_ / "%2e%2e"} << "percent";
  }
  ~beneath_test() override { fs::remove_all(top_); }

  /// The parameter says which of the two ways is tested.
  unique_fd open(std::string_view relative) const {
    if (GetParam())
      return open_beneath(root_, relative);
    const unique_fd root{::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    return walk_beneath(root.get(), relative);
  }

  errc refusal(std::string_view relative) const {
    try {
      ADD_FAILURE() << "opened " << relative << ": " << text_of(open(relative));
      return errc::none;
    } catch (const failure& f) {
      return f.code();
    }
  }

  fs::path top_, root_;
};

TEST_P(beneath_test, a_regular_file_is_opened_however_its_path_is_spelled) {
  for (const auto* spelling : {"file", "./file", ".//file", "././file"})
    EXPECT_EQ(text_of(open(spelling)), "file") << spelling;
  for (const auto* spelling : {"sub/deep/file", "sub//deep/./file", "./sub/deep///file"})
    EXPECT_EQ(text_of(open(spelling)), "deep") << spelling;
  EXPECT_EQ(text_of(open("back\\slash")), "backslash");
  EXPECT_EQ(text_of(open("...")), "dots");
  EXPECT_EQ(text_of(open("..file")), "dots");
  EXPECT_EQ(text_of(open("new\nline")), "newline");
  EXPECT_EQ(text_of(open("%2e%2e")), "percent"); // decoding is done once, and not here
}

TEST_P(beneath_test, a_path_that_climbs_or_is_malformed_is_invalid) {
  using namespace std::string_view_literals;
  const std::string longest(5000, 'a');
  for (const auto bad : {""sv,
                         "\0"sv,
                         "file\0"sv,
                         "file\0.txt"sv,
                         "\0/../outside/canary"sv,
                         "/"sv,
                         "//"sv,
                         "/etc/passwd"sv,
                         "//etc/passwd"sv,
                         "/file"sv,
                         "/proc/self/root/etc/passwd"sv,
                         "/dev/stdin"sv,
                         ".."sv,
                         "../"sv,
                         "../."sv,
                         "../.."sv,
                         "../outside/canary"sv,
                         "./../outside/canary"sv,
                         ".//../outside/canary"sv,
                         "sub/../../outside/canary"sv,
                         "sub/../file"sv,
                         "sub/deep/../../file"sv,
                         "sub/.."sv,
                         "sub/../"sv,
                         "file/.."sv,
                         "file/../file"sv,
                         "missing/../file"sv,
                         "sub/deep/../../../outside/canary"sv,
                         "../root/file"sv,
                         "..//file"sv,
                         "sub/./../file"sv,
                         "../../../../../../../../../../../../etc/passwd"sv,
                         std::string_view{longest}})
    EXPECT_EQ(refusal(bad), errc::invalid) << bad;
}

TEST_P(beneath_test, what_is_no_file_is_not_found) {
  const std::string long_name(256, 'a');
  std::string deep;
  while (deep.size() < 4000)
    deep += "sub/";
  for (const auto& bad : std::initializer_list<std::string>{"missing",
                                                            "sub/missing",
                                                            "missing/file",
                                                            "file/",
                                                            "file/.",
                                                            "file/file",
                                                            "sub",
                                                            "sub/",
                                                            "sub/deep",
                                                            ".",
                                                            "./",
                                                            "./.",
                                                            "....",
                                                            ".../file",
                                                            R"(..\outside\canary)",
                                                            R"(..\..\etc\passwd)",
                                                            R"(C:\file)",
                                                            "C:/file",
                                                            "~",
                                                            "~root/.profile",
                                                            "%2e%2e/file",
                                                            "%2e%2e%2foutside",
                                                            "..%2foutside",
                                                            "..%00/canary",
                                                            "%252e%252e/canary",
                                                            "file ",
                                                            " file",
                                                            "FILE",
                                                            "file\n",
                                                            "\xc0\xae\xc0\xae/canary",
                                                            "\xe2\x80\xa5/canary",
                                                            "\xef\xbc\x8e\xef\xbc\x8e/canary",
                                                            "..;/canary",
                                                            "file::$DATA",
                                                            "nul",
                                                            "*",
                                                            "f*",
                                                            "$HOME/x",
                                                            "`id`",
                                                            long_name,
                                                            deep + "file"})
    EXPECT_EQ(refusal(bad), errc::not_found) << bad;
}

TEST_P(beneath_test, links_are_never_followed) {
  fs::create_symlink(top_ / "outside/canary", root_ / "absolute");
  fs::create_symlink("../outside/canary", root_ / "relative");
  fs::create_symlink("file", root_ / "inside");
  fs::create_symlink("../outside", root_ / "folder");
  fs::create_symlink("sub", root_ / "sub_link");
  fs::create_symlink("/proc/self/root", root_ / "proc");
  fs::create_symlink("loop", root_ / "loop");
  fs::create_symlink("nowhere", root_ / "dangling");
  fs::create_symlink("/dev/zero", root_ / "zero");
  for (const auto* bad : {"absolute", "relative", "inside", "folder/canary", "sub_link/deep/file",
                          "proc/etc/passwd", "loop", "loop/file", "dangling", "zero", "folder"})
    EXPECT_EQ(refusal(bad), errc::not_found) << bad;
}

TEST_P(beneath_test, special_files_are_refused_without_blocking) {
  ASSERT_EQ(::mkfifo((root_ / "fifo").c_str(), 0600), 0);
  const unique_fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (root_ / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  for (const auto* bad : {"fifo", "socket", "fifo/file"})
    EXPECT_EQ(refusal(bad), errc::not_found) << bad;
  if (::mknod((root_ / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0)
    GTEST_SKIP() << "a device node needs root";
  EXPECT_EQ(refusal("null"), errc::not_found);
}

TEST_P(beneath_test, the_descriptor_does_not_pass_to_children) {
  const auto file = open("file");
  EXPECT_TRUE(::fcntl(file.get(), F_GETFD) & FD_CLOEXEC);
}

/// Lets openat2 answer `error` on this thread alone, as a container engine's filter does.
bool deny_openat2(int error) {
  std::array<sock_filter, 4> code{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_openat2},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog program{code.size(), code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_P(beneath_test, where_openat2_is_denied_the_walk_takes_its_place) {
  fs::create_symlink("../outside", root_ / "folder");
  for (const int error : {EPERM, ENOSYS}) {
    std::thread{[&] {
      ASSERT_TRUE(deny_openat2(error));
      EXPECT_EQ(text_of(open("sub/deep/file")), "deep");
      EXPECT_EQ(refusal("folder/canary"), errc::not_found);
      EXPECT_EQ(refusal("../outside/canary"), errc::invalid);
      EXPECT_EQ(refusal("missing"), errc::not_found);
    }}.join();
  }
}

TEST_P(beneath_test, a_missing_root_is_not_found) {
  if (!GetParam())
    GTEST_SKIP() << "the walk is given an open root";
  fs::remove_all(root_);
  EXPECT_EQ(refusal("file"), errc::not_found);
}

INSTANTIATE_TEST_SUITE_P(both, beneath_test, testing::Values(true, false),
                         [](const auto& way) { return way.param ? "openat2" : "walk"; });

} // namespace

} // namespace jobrunner
