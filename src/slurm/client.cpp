#include "slurm/client.hpp"

#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/memory_file.hpp"
#include "slurm/completion_log.hpp"
#include "slurm/parse.hpp"
#include "slurm/state.hpp"

#include <algorithm>
#include <set>

namespace jobrunner::slurm {

namespace {

// The largest answer is squeue's: some 200 bytes for each job, and Slurm keeps 10,000 or more.
constexpr std::size_t longest_answer = 64U << 20U;

// sbatch takes nothing but scripts. The wrapper's path and its argument are arguments of this
// one: no text of anybody's becomes part of it, and no "#SBATCH" line can.
constexpr const char* batch_script = "#!/bin/sh\nexec \"$@\"\n";

// Times as seconds since 1970 instead of local time without its zone.
constexpr const char* env = "/usr/bin/env";
constexpr const char* epoch = "SLURM_TIME_FORMAT=%s";

// glibc's manual, "Memory Allocation Tunables". With 10,000 jobs squeue spends most of its time on
// page faults: by large pages, asked for 64 MiB at a time, it takes 85 ms of CPU time instead of
// 246.
constexpr const char* large_pages =
    "GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864";

std::string name_of(const std::string& uuid) {
  return "jr-" + uuid;
}

/// `path` as sbatch -o takes it literally: it replaces "%j" and the like, and drops backslashes.
std::string output_pattern(const std::filesystem::path& path) {
  std::string escaped;
  for (const char c : path.string()) {
    if (c == '\\' || c == '\n')
      throw failure{errc::invalid, "the path " + path.string() +
                                       " contains a backslash or a newline; Slurm cannot use it"};
    escaped.append(c == '%' ? 2 : 1, c);
  }
  return escaped;
}

bool has_ended(const std::string& said) {
  return said.find("Invalid job id specified") != std::string::npos ||
         said.find("already completing or completed") != std::string::npos ||
         said.find("Job has already finished") != std::string::npos;
}

/// ids as one argument of Slurm's, each after `between`.
std::string list(const std::vector<std::int64_t>& ids, const char* between) {
  std::string text;
  for (const auto id : ids)
    text += between + std::to_string(id);
  return text;
}

/// "afterok:7:8,afterany:9"
std::string dependency(const submission& s) {
  auto text = s.after_ok.empty() ? "" : "afterok" + list(s.after_ok, ":");
  if (!s.after_any.empty())
    text += (text.empty() ? "afterany" : ",afterany") + list(s.after_any, ":");
  return text;
}

failure unreachable(const std::string& why) {
  return {errc::unavailable, "Slurm does not answer: " + why};
}

/// sbatch that could not be started has certainly submitted nothing.
child start_sbatch(launcher& as_job_user, const std::vector<std::string>& argv, int script) {
  try {
    return as_job_user.spawn(argv, script);
  } catch (const failure& f) {
    throw unreachable(f.what());
  }
}

/// Once it runs, only its own answer says whether it has.
finished finish(child sbatch, std::chrono::seconds limit) {
  try {
    return sbatch.wait(limit);
  } catch (const failure& f) {
    throw unknown_outcome{f.what()};
  }
}

} // namespace

client::client(launcher& as_job_user, std::filesystem::path bin, std::filesystem::path wrapper,
               std::chrono::seconds limit)
    : launcher_(as_job_user),
      bin_(std::move(bin)),
      wrapper_(std::move(wrapper)),
      limit_(limit) {}

finished client::run(const std::vector<std::string>& argv, clock::time_point deadline,
                     int stdin_fd) {
  try {
    return launcher_.spawn(argv, stdin_fd).wait(deadline - clock::now(), longest_answer);
  } catch (const failure& f) { // no launcher, no descriptors: to the caller Slurm is not there
    throw unreachable(f.what());
  }
}

std::string client::ask(const std::vector<std::string>& argv, clock::time_point deadline,
                        int stdin_fd) {
  auto answer = run(argv, deadline, stdin_fd);
  if (answer.timed_out)
    throw unreachable("no answer within " + std::to_string(limit_.count()) + " s");
  if (!answer.started || answer.exit_code != 0)
    throw unreachable(in_words(answer.err));
  if (answer.cut) // half of the jobs is not "the others are gone"
    throw unreachable("its answer is too long");
  return std::move(answer.out);
}

std::vector<std::string> client::arguments(const submission& s) const {
  std::vector<std::string> argv{
      command("sbatch"), "--parsable", "--job-name=" + name_of(s.uuid),
      "--output=" + output_pattern(s.log_path), "--open-mode=append",
      "--chdir=/", // the wrapper goes to the dataset, and says so if it cannot
      "--nodes=1", "--ntasks=1", "--cpus-per-task=" + std::to_string(s.wanted.cpus),
      "--mem=" + std::to_string(s.wanted.mem_mb) + "M",
      "--time=" + to_time_limit(s.wanted.time_limit_s),
      // A failed node shows as NODE_FAIL, not as a second run.
      "--no-requeue"};
  if (s.wanted.gpus > 0)
    argv.push_back("--gres=gpu:" + std::to_string(s.wanted.gpus));
  if (const auto after = dependency(s); !after.empty())
    argv.insert(argv.end(), {"--dependency=" + after, "--kill-on-invalid-dep=yes"});
  if (!s.signal.empty())
    argv.push_back("--signal=B:" + s.signal); // the wrapper passes it on
  if (s.hold)
    argv.emplace_back("--hold");
  // Only by a name can the script have arguments; a pipe of ours the job user could not open.
  argv.insert(argv.end(), {"/dev/stdin", wrapper_.string(), s.job_dir.string()});
  return argv;
}

std::int64_t client::submit(const submission& s) {
  const auto script = memory_file(batch_script);
  return read_answer(finish(start_sbatch(launcher_, arguments(s), script.get()), limit_));
}

forecast client::test(const submission& s) {
  auto argv = arguments(s);
  argv.insert(argv.begin(), {env, epoch});
  argv.insert(argv.begin() + 3, "--test-only");
  const auto script = memory_file(batch_script);
  return {read_forecast(run(argv, deadline(), script.get()))};
}

std::vector<report> client::squeue(std::vector<std::string> filter) {
  std::vector<std::string> argv{env,
                                epoch,
                                large_pages,
                                command("squeue"),
                                "--noheader",
                                "--all",
                                "--me",
                                "--states=all",
                                "--Format=" + std::string{queue_format}};
  std::ranges::move(filter, std::back_inserter(argv));
  return parse_queue(ask(argv, deadline()));
}

std::vector<report> client::queue() {
  return squeue({});
}

std::optional<report> client::find(const std::string& uuid) {
  auto found = squeue({"--name=" + name_of(uuid)});
  std::erase_if(found, [&](const report& r) { return r.name != name_of(uuid); });
  const auto newest = std::ranges::max_element(found, {}, &report::id);
  return newest == found.end() ? std::nullopt : std::optional{std::move(*newest)};
}

std::vector<report> client::history(std::span<const std::int64_t> ids) {
  if (ids.empty())
    return {};
  const auto wanted = "--jobs=" + list({ids.begin(), ids.end()}, ",").substr(1);
  const auto until = deadline();
  std::vector<std::string> argv{env,    epoch, command("sacct"), "--parsable2", "-n", "-X",
                                wanted, "-o",  history_format};
  const auto answer = run(argv, until);
  if (answer.exit_code == 0 && !answer.cut)
    return parse_history(answer.out);
  if (answer.err.find("accounting storage is disabled") == std::string::npos)
    throw unreachable(answer.timed_out ? "no answer in time" : in_words(answer.err));
  const auto log = completion_log(until);
  if (!log)
    return {};
  // sacct opens the log for writing, which the job user must not be able to do (seen with 22.05):
  // it gets a copy of the lines that matter.
  const auto lines = memory_file(lines_about(*log, ids));
  argv = {env,           epoch, command("sacct"), "--completion", "--file=/dev/stdin",
          "--parsable2", "-n",  wanted,           "-o",           history_format};
  return parse_history(ask(argv, until, lines.get()));
}

std::optional<std::filesystem::path> client::completion_log() {
  return completion_log(deadline());
}

std::optional<std::filesystem::path> client::completion_log(clock::time_point until) {
  const auto config = ask({command("scontrol"), "show", "config"}, until);
  if (parse_setting(config, "JobCompType") != "jobcomp/filetxt")
    return std::nullopt;
  return parse_setting(config, "JobCompLoc");
}

void client::cancel(std::int64_t id, const std::string& uuid) {
  // The name too: after a loss of its state Slurm gives ids out again.
  const auto answer =
      run({command("scancel"), "--name=" + name_of(uuid), std::to_string(id)}, deadline());
  if (answer.timed_out)
    throw unreachable("scancel did not end in time");
  if (answer.exit_code != 0 && !has_ended(answer.err))
    throw unreachable(in_words(answer.err));
}

/// Those of them that slurmctld knows and that have not ended, by one squeue.
std::vector<report> client::find_all(const std::vector<std::string>& uuids) {
  std::set<std::string> names;
  for (const auto& uuid : uuids)
    names.insert(name_of(uuid));
  auto found = uuids.size() == 1 ? squeue({"--name=" + *names.begin()}) : queue();
  std::erase_if(found,
                [&](const report& r) { return !names.contains(r.name) || is_final(r.state); });
  return found;
}

/// Runs a command for these jobs; those that have ended meanwhile need none.
void client::change(std::vector<std::string> argv, const std::vector<std::int64_t>& ids) {
  if (ids.empty())
    return;
  argv.push_back(list(ids, ",").substr(1));
  const auto answer = run(argv, deadline());
  if (answer.timed_out)
    throw unreachable(argv.front() + " did not end in time");
  if (answer.exit_code != 0 && !has_ended(answer.err))
    throw unreachable(in_words(answer.err));
}

void client::cancel(const std::vector<std::string>& uuids) {
  std::vector<std::int64_t> waiting, others;
  for (const auto& r : find_all(uuids))
    (r.state == "PENDING" ? waiting : others).push_back(r.id);
  change({command("scancel")}, waiting);
  change({command("scancel")}, others);
}

void client::signal(const std::string& uuid, const std::string& name) {
  for (const auto& r : find_all({uuid})) {
    std::vector<std::string> argv{command("scancel")};
    // TERM and CONT go to every process of the job, and the wrapper takes them as sent to all; the
    // others to the wrapper alone, which passes them on to the command.
    if (r.state == "RUNNING")
      argv.insert(argv.end(),
                  {"--signal=" + name, name == "TERM" || name == "CONT" ? "--full" : "--batch"});
    change(std::move(argv), {r.id});
  }
}

void client::hold(const std::vector<std::string>& uuids, bool on) {
  std::vector<std::int64_t> ids;
  for (const auto& r : find_all(uuids))
    if (r.state == "PENDING" && (on || r.reason.starts_with("JobHeld")))
      ids.push_back(r.id);
  if (on && ids.empty())
    throw failure{errc::conflict, "it does not wait any more, so it cannot be held"};
  change({command("scontrol"), on ? "hold" : "release"}, ids);
}

void client::empty(const std::filesystem::path& folder) {
  // What a job has closed to itself it can open again.
  for (const std::vector<std::string>& argv :
       {std::vector<std::string>{"/bin/chmod", "-R", "u+rwX", "--", folder.string()},
        {"/usr/bin/find", folder.string(), "-xdev", "-mindepth", "1", "-delete"}})
    launcher_.spawn(argv).wait(std::chrono::hours{1}, longest_answer);
}

std::vector<node> client::nodes() {
  return parse_nodes(ask({command("scontrol"), "-d", "show", "node", "-o"}, deadline()));
}

std::vector<partition> client::partitions() {
  return parse_partitions(ask({command("scontrol"), "show", "partition", "-o"}, deadline()));
}

} // namespace jobrunner::slurm
