// jobrunner-extract: the short-lived child in which libarchive runs.
//
//   jobrunner-extract extract tar|zip DIR [list=FILE] [max_bytes=N] [max_files=N] ... < ARCHIVE
//   jobrunner-extract remove DIR
//
// The budgets are those of archive/budget.hpp, by their names; max_bytes and max_files must be
// given. The list of the files (core/file_list.hpp) goes to FILE, which must not be there yet.
//
// One line of JSON on standard output, {"files":N,"bytes":N} or {"error":"a sentence"}. Exit
// status: 0 done, 1 the archive is refused or broken, 2 the disk is full, 3 our own fault.
#include "archive/extract.hpp"
#include "archive/remove.hpp"
#include "archive/sandbox.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "core/unique_fd.hpp"
#include "core/worker.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <vector>

using namespace jobrunner;

namespace {

using arguments = std::vector<std::string_view>;

std::uint64_t number(std::string_view text) {
  std::uint64_t x = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (wrong != std::errc{} || end != text.data() + text.size())
    throw failure{errc::internal, "not a number: " + std::string{text}};
  return x;
}

unique_fd open_folder(std::string_view path) {
  unique_fd folder{
      ::open(std::string{path}.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!folder)
    throw errno_failure("opening the folder " + std::string{path});
  return folder;
}

unique_fd create(const std::string& path) {
  unique_fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640)};
  if (!file)
    throw errno_failure("making the file " + path);
  return file;
}

struct settings {
  archive::limits most;
  std::string list;
};

settings options(const arguments& given) {
  settings s;
  const std::map<std::string_view, std::uint64_t*> budgets{
      {"max_bytes", &s.most.max_bytes},
      {"max_files", &s.most.max_files},
      {"min_free_bytes", &s.most.min_free_bytes},
      {"max_ratio", &s.most.max_ratio},
      {"max_path", &s.most.max_path},
      {"max_seconds", &s.most.max_seconds}};
  for (const auto one : given) {
    const auto name = one.substr(0, one.find('='));
    const auto value = one.substr(std::min(name.size() + 1, one.size()));
    if (name == "list")
      s.list = value;
    else if (const auto it = budgets.find(name); it != budgets.end())
      *it->second = number(value);
    else
      throw failure{errc::internal, "unknown option: " + std::string{one}};
  }
  if (s.most.max_bytes == 0 || s.most.max_files == 0 || s.most.max_ratio == 0)
    throw failure{errc::internal, "max_bytes, max_files and max_ratio must be more than 0"};
  return s;
}

archive::totals run(const arguments& args) {
  if (args.size() == 2 && args[0] == "remove") {
    const auto folder = open_folder(args[1]);
    archive::confine({folder.get()}, archive::task::remove);
    archive::no_more_threads();
    return archive::remove_below(folder.get());
  }
  if (args.size() < 3 || args[0] != "extract" || (args[1] != "tar" && args[1] != "zip"))
    throw failure{errc::internal, "usage: jobrunner-extract extract tar|zip DIR [NAME=VALUE...], "
                                  "or: jobrunner-extract remove DIR"};
  const auto given = options({args.begin() + 3, args.end()});
  const auto what = args[1] == "zip" ? archive::kind::zip : archive::kind::tar;
  const auto folder = open_folder(args[2]);
  const auto list = given.list.empty() ? unique_fd{} : create(given.list);
  sha256{}.finish();         // what OpenSSL reads once it reads here
  archive::set_locale(what); // the locale's files cannot be opened any more later
  const auto& most = given.most;
  constexpr std::uint64_t longest_line = 2048; // of the list
  const auto list_size = most.max_files > most.max_bytes / longest_line && list
                             ? most.max_files * longest_line
                             : most.max_bytes;
  archive::confine({folder.get(), list.get(), list_size, most.max_seconds}, archive::task::extract);
  worker beside; // after Landlock, which holds for the threads that come after it
  archive::no_more_threads();
  return archive::extract(0, what, folder.get(), list.get(), most, beside);
}

int explain(int status, std::string_view why) {
  std::cout << boost::json::serialize(boost::json::object{{"error", why}}) << std::endl;
  return status;
}

} // namespace

int main(int argc, char** argv) {
  try {
    const auto done = run(arguments(argv + 1, argv + argc));
    std::cout << R"({"files":)" << done.files << R"(,"bytes":)" << done.bytes << "}" << std::endl;
    return std::cout ? 0 : 3;
  } catch (const failure& f) {
    return explain(f.code() == errc::unprocessable ? 1
                   : f.code() == errc::disk_full   ? 2
                                                   : 3,
                   f.what());
  } catch (const std::bad_alloc&) {
    return explain(1, "The archive was refused: reading it takes more than 1 GiB of memory.");
  } catch (const std::exception& e) {
    return explain(3, e.what());
  }
}
