#include "slurm/completion_log.hpp"

#include "core/error.hpp"

#include <charconv>
#include <fstream>
#include <string_view>
#include <unordered_set>

namespace jobrunner::slurm {

namespace {

/// Whether a line is as slurmctld writes it for a job of ours. The name is the one text of a
/// user's in it: a newline in another job's name makes lines that sacct gives up at, for all jobs.
bool is_whole(std::string_view line) {
  constexpr std::string_view before = " Name=jr-", after = " JobState=";
  constexpr std::size_t uuid = 36;
  const auto name = line.find(before);
  if (name == std::string_view::npos)
    return false;
  const auto state = line.find(after);
  return state == name + before.size() + uuid && line.rfind(after) == state &&
         line.find(" ExitCode=", state) != std::string_view::npos;
}

/// Adds those of one file, of its last 256 MiB.
void add_lines(std::ifstream& file, const std::unordered_set<std::int64_t>& wanted,
               std::string& found) {
  constexpr std::streamoff most = 256LL << 20;
  file.seekg(0, std::ios::end);
  const auto size = file.tellg();
  file.seekg(size > most ? size - std::streampos{most} : 0);
  constexpr std::string_view start = "JobId=";
  std::string line;
  while (std::getline(file, line)) {
    std::int64_t id = 0;
    if (!line.starts_with(start))
      continue;
    std::from_chars(line.data() + start.size(), line.data() + line.size(), id);
    if (wanted.contains(id) && is_whole(line))
      found.append(line).push_back('\n');
  }
}

} // namespace

std::string lines_about(const std::filesystem::path& log, std::span<const std::int64_t> ids) {
  // Opened in this order nothing escapes between them when the log becomes the one before.
  std::ifstream now{log, std::ios::binary};
  std::ifstream before{log.string() + ".1", std::ios::binary};
  if (!now)
    throw failure{errc::unavailable,
                  "Slurm's completion log " + log.string() + " cannot be read by the server"};
  const std::unordered_set<std::int64_t> wanted(ids.begin(), ids.end());
  std::string found;
  if (before)
    add_lines(before, wanted, found);
  add_lines(now, wanted, found);
  return found;
}

} // namespace jobrunner::slurm
