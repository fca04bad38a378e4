#include "slurm/sbatch_answer.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace jobrunner::slurm {

namespace {

using words = std::string_view;

// The request was not sent, or slurmctld said that it did not take it for reasons of its own.
constexpr std::array not_taken{words{"connect failure"},
                               words{"Protocol authentication error"},
                               words{"Munge encode failed"},
                               words{"Invalid authentication credential"},
                               words{"Unable to process configuration file"},
                               words{"Could not establish a configuration source"},
                               words{"temporarily unable to accept job"},
                               words{"Resource temporarily unavailable"},
                               words{"Slurm backup controller in standby mode"},
                               words{"job queue is full"}};

// The request was under way when the line broke: a hung slurmctld runs such a job later.
constexpr std::array perhaps_taken{words{"timed out"},
                                   words{"send failure"},
                                   words{"receive failure"},
                                   words{"shutdown failure"},
                                   words{"Zero Bytes"},
                                   words{"Unexpected message"},
                                   words{"Connection reset"},
                                   words{"Message receive"},
                                   words{"No response"},
                                   words{"Insane message"},
                                   words{"slurm_msg_sendto"},
                                   words{"missing socket"},
                                   words{"Unable to contact slurm controller"},
                                   words{"Header lengths are longer"}};

constexpr std::array no_room{words{"I/O error writing script/environment"},
                             words{"No space left on device"}};

template <std::size_t N>
bool has_any(words text, const std::array<words, N>& phrases) {
  return std::ranges::any_of(phrases, [&](words p) { return text.find(p) != words::npos; });
}

constexpr std::array prefixes{words{"sbatch: "},
                              words{"squeue: "},
                              words{"sacct: "},
                              words{"scancel: "},
                              words{"scontrol: "},
                              words{"error: "},
                              words{"fatal: "},
                              words{"slurm_load_jobs error: "},
                              words{"Batch job submission failed: "}};

words without_prefixes(words line) {
  for (bool again = true; again;) {
    again = false;
    for (const auto p : prefixes)
      if (line.starts_with(p)) {
        line.remove_prefix(p.size());
        again = true;
      }
  }
  return line;
}

} // namespace

std::string in_words(std::string_view text) {
  std::string all;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = without_prefixes(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty())
      all += (all.empty() ? "" : "; ") + std::string{line};
  }
  return all;
}

std::int64_t read_answer(const finished& sbatch) {
  const auto said = in_words(sbatch.err);
  if (!sbatch.started)
    throw failure{errc::unavailable, "Slurm cannot be reached: " + said};
  if (sbatch.timed_out)
    throw unknown_outcome{"sbatch did not answer in time"};
  if (sbatch.signal != 0)
    throw unknown_outcome{"sbatch was ended by signal " + std::to_string(sbatch.signal)};
  if (sbatch.exit_code == 0) {
    std::int64_t id = 0; // "15\n", or "15;cluster\n"
    std::from_chars(sbatch.out.data(), sbatch.out.data() + sbatch.out.size(), id);
    if (id <= 0)
      throw unknown_outcome{"sbatch gave no job id but " + sbatch.out.substr(0, 100)};
    return id;
  }
  if (has_any(sbatch.err, no_room))
    throw failure{errc::disk_full, "Slurm has no room for the job: " + said};
  if (has_any(sbatch.err, not_taken))
    throw failure{errc::unavailable, "Slurm cannot be reached: " + said};
  if (has_any(sbatch.err, perhaps_taken))
    throw unknown_outcome{said};
  throw failure{errc::invalid, "Slurm refuses the job: " + (said.empty() ? "no reason" : said)};
}

std::optional<timestamp> read_forecast(const finished& sbatch) {
  const auto said = in_words(sbatch.err);
  if (!sbatch.started || sbatch.timed_out || sbatch.signal != 0 || has_any(said, not_taken) ||
      has_any(said, perhaps_taken))
    throw failure{errc::unavailable, "Slurm cannot be reached: " + said};
  if (sbatch.exit_code != 0)
    throw failure{errc::invalid, "Slurm would refuse the job: " + said};
  constexpr words mark{" to start at "}; // "Job 7 to start at 1795652809 using 1 processors ..."
  const auto at = said.find(mark);
  if (at == std::string::npos)
    return std::nullopt;
  std::int64_t seconds = 0;
  std::from_chars(said.data() + at + mark.size(), said.data() + said.size(), seconds);
  return seconds > 0 ? std::optional{timestamp{std::chrono::seconds{seconds}}} : std::nullopt;
}

} // namespace jobrunner::slurm
