#include "slurm/job_dir.hpp"

#include "core/beneath.hpp"
#include "core/error.hpp"
#include "core/unique_fd.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sys/stat.h>

namespace jobrunner::slurm {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_spec = 16U << 20U;
constexpr std::size_t longest_note = 64U << 10U; // of what a job could have written
constexpr int most_attempts = 1'000'000;
constexpr auto abandoned_text = "abandoned";

// Paths are bytes, and a client's text is passed on as it came.
json::value parse_bytes(const std::string& text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  return json::parse(text, {}, options);
}

unique_fd open_folder(const std::filesystem::path& path) {
  unique_fd folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder)
    throw errno_failure("opening " + path.string());
  return folder;
}

void write_all(const unique_fd& file, std::string_view text, const std::string& name) {
  for (std::size_t at = 0; at < text.size();) {
    const auto size = ::write(file.get(), text.data() + at, text.size() - at);
    if (size < 0 && errno != EINTR)
      throw errno_failure("writing " + name);
    at += size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  if (::fsync(file.get()) != 0)
    throw errno_failure("fsync " + name);
}

/// A new file `name`, never an old one nor what a link of that name points to.
unique_fd create(const unique_fd& folder, const std::string& name) {
  unique_fd file{::openat(folder.get(), name.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)};
  // The two users read each other's files, whatever the umask is; the folder keeps others out.
  if (file && ::fchmod(file.get(), 0644) != 0)
    throw errno_failure("fchmod " + name);
  return file;
}

void sync_folder(const unique_fd& folder) {
  if (::fsync(folder.get()) != 0)
    throw errno_failure("fsync of a job's folder");
}

void replace(const std::filesystem::path& folder_path, const std::string& name,
             std::string_view text) {
  const auto folder = open_folder(folder_path);
  const auto temporary = name + ".tmp";
  ::unlinkat(folder.get(), temporary.c_str(), 0); // a crash left it
  const auto file = create(folder, temporary);
  if (!file)
    throw errno_failure("creating " + (folder_path / temporary).string());
  write_all(file, text, name);
  if (::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) != 0)
    throw errno_failure("renaming " + temporary);
  sync_folder(folder);
}

/// Throws not_found where there is no such regular file, invalid where it is too long.
std::string read(const std::filesystem::path& folder, std::string_view name, std::size_t most) {
  const auto file = open_beneath(folder, name);
  std::string text(most + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto size = ::read(file.get(), text.data() + have, text.size() - have);
    if (size < 0 && errno != EINTR)
      throw errno_failure("reading " + std::string{name});
    if (size == 0)
      break;
    have += size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  if (have > most)
    throw failure{errc::invalid, std::string{name} + " is too long"};
  text.resize(have);
  return text;
}

timestamp milliseconds(const json::value& v) {
  constexpr std::int64_t end_of_9999 = 253'402'300'799'999;
  const auto count = v.as_int64();
  if (count < 0 || count > end_of_9999)
    throw failure{errc::invalid, "a time out of range"};
  return timestamp{std::chrono::milliseconds{count}};
}

int in_range(const json::value& v, int most) {
  const auto number = v.as_int64();
  if (number < 0 || number > most)
    throw failure{errc::invalid, "a number out of range"};
  return static_cast<int>(number);
}

bool mark(const std::filesystem::path& job_dir, const std::string& who) {
  const auto folder = open_folder(job_dir / "run");
  const auto file = create(folder, "start");
  if (!file && errno == EEXIST)
    return false;
  if (!file)
    throw errno_failure("creating " + (job_dir / "run/start").string());
  write_all(file, who + "\n", "start");
  sync_folder(folder);
  return true;
}

/// "7", "7 2" or "abandoned", in a line.
start start_in(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  start s;
  s.abandoned = text == abandoned_text;
  const auto* end = text.data() + text.size();
  const auto [rest, ec] = std::from_chars(text.data(), end, s.slurm_id);
  std::int64_t attempt = 0;
  if (ec == std::errc{} && rest != end && *rest == ' ')
    std::from_chars(rest + 1, end, attempt);
  if (attempt > 0 && attempt <= most_attempts)
    s.attempt = attempt;
  s.slurm_id = std::max<std::int64_t>(s.slurm_id, 0);
  return s;
}

} // namespace

void write_spec(const std::filesystem::path& job_dir, const spec& s) {
  json::array argv, env;
  for (const auto& item : s.argv)
    argv.emplace_back(item);
  for (const auto& variable : s.env)
    env.emplace_back(variable);
  const json::object all{{"uuid", s.uuid},
                         {"argv", std::move(argv)},
                         {"dataset_dir", s.dataset_dir},
                         {"result_dir", s.result_dir},
                         {"params_json", s.params_json},
                         {"path", s.path},
                         {"env", std::move(env)}};
  replace(job_dir, "spec.json", json::serialize(all) + "\n");
}

spec read_spec(const std::filesystem::path& job_dir) {
  const auto text = read(job_dir, "spec.json", longest_spec);
  try {
    const auto all = parse_bytes(text).as_object();
    const auto field = [&](const char* name) { return std::string{all.at(name).as_string()}; };
    spec s{field("uuid"), {}, field("dataset_dir"), field("result_dir"), field("params_json"),
           field("path"), {}};
    for (const auto& item : all.at("argv").as_array())
      s.argv.emplace_back(item.as_string());
    if (const auto* env = all.if_contains("env")) // the first versions wrote none
      for (const auto& variable : env->as_array())
        s.env.emplace_back(variable.as_string());
    if (s.argv.empty())
      throw failure{errc::invalid, "spec.json has an empty argv"};
    return s;
  } catch (const std::exception& e) { // Boost.JSON's, of several kinds
    throw failure{errc::invalid, (job_dir / "spec.json").string() + ": " + e.what()};
  }
}

bool abandon(const std::filesystem::path& job_dir) {
  return mark(job_dir, abandoned_text);
}

bool take_start(const std::filesystem::path& job_dir, std::int64_t slurm_id) {
  return mark(job_dir, std::to_string(slurm_id));
}

void take_over_start(const std::filesystem::path& job_dir, std::int64_t slurm_id,
                     std::int64_t attempt) {
  replace(job_dir / "run", "start",
          std::to_string(slurm_id) + " " + std::to_string(attempt) + "\n");
}

std::optional<start> read_start(const std::filesystem::path& job_dir) {
  struct stat about {};
  if (::lstat((job_dir / "run/start").c_str(), &about) != 0)
    return std::nullopt;
  try { // taken, whatever a job has made of the file since, or a crash has left of it
    return start_in(read(job_dir, "run/start", longest_note));
  } catch (const failure&) {
    return start{};
  }
}

void write_exit(const std::filesystem::path& job_dir, const exit_record& e) {
  const json::object all{{"exit_code", e.exit_code},
                         {"signal", e.signal},
                         {"started_at", e.started_at.time_since_epoch().count()},
                         {"ended_at", e.ended_at.time_since_epoch().count()},
                         {"attempt", e.attempt}};
  replace(job_dir / "run", "exit.json", json::serialize(all) + "\n");
}

std::optional<exit_record> read_exit(const std::filesystem::path& job_dir) {
  try {
    const auto all = json::parse(read(job_dir, "run/exit.json", longest_note)).as_object();
    const auto* attempt = all.if_contains("attempt"); // the first versions wrote none
    return exit_record{in_range(all.at("exit_code"), 255), in_range(all.at("signal"), 64),
                       milliseconds(all.at("started_at")), milliseconds(all.at("ended_at")),
                       attempt ? in_range(*attempt, most_attempts) : 1};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

} // namespace jobrunner::slurm
