// jobrunner-extract: the short-lived child in which libarchive runs.
//
//   jobrunner-extract extract tar|zip DIR MAX_BYTES MAX_FILES MIN_FREE_BYTES < ARCHIVE
//   jobrunner-extract remove DIR
//
// One line of JSON on standard output, {"files":N,"bytes":N} or {"error":"a sentence"}. Exit
// status: 0 done, 1 the archive is refused or broken, 2 the disk is full, 3 our own fault.
#include "archive/extract.hpp"
#include "archive/remove.hpp"
#include "archive/sandbox.hpp"
#include "core/error.hpp"
#include "core/unique_fd.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>

#include <charconv>
#include <iostream>
#include <new>
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

archive::totals run(const arguments& args) {
  if (args.size() == 2 && args[0] == "remove") {
    const auto folder = open_folder(args[1]);
    archive::confine(folder.get(), archive::task::remove, 0);
    return archive::remove_below(folder.get());
  }
  if (args.size() != 6 || args[0] != "extract" || (args[1] != "tar" && args[1] != "zip"))
    throw failure{errc::internal, "usage: jobrunner-extract extract tar|zip DIR MAX_BYTES "
                                  "MAX_FILES MIN_FREE_BYTES, or: jobrunner-extract remove DIR"};
  const archive::limits most{number(args[3]), number(args[4]), number(args[5])};
  const auto what = args[1] == "zip" ? archive::kind::zip : archive::kind::tar;
  const auto folder = open_folder(args[2]);
  archive::set_locale(what); // the locale's files cannot be opened any more later
  archive::confine(folder.get(), archive::task::extract, most.max_bytes);
  return archive::extract(0, what, folder.get(), most);
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
