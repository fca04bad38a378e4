#include "slurm/cluster.hpp"

#include "core/duration.hpp"
#include "core/error.hpp"
#include "slurm/lines.hpp"
#include "slurm/node_state.hpp"

#include <algorithm>
#include <charconv>

namespace jobrunner::slurm {

namespace {

constexpr std::size_t longest_reason = 200;

/// The value of "key=" in one line of scontrol -o.
std::string_view value_of(std::string_view line, std::string_view key) {
  const auto wanted = std::string{key} + "=";
  if (!line.starts_with(wanted)) {
    const auto at = line.find(" " + wanted);
    if (at == std::string_view::npos)
      return {};
    line.remove_prefix(at + 1);
  }
  line.remove_prefix(wanted.size());
  return line.substr(0, line.find(' '));
}

/// The last one, and the only one with blanks in it: "Reason=two words [root@2026-11-26T00:11:22]".
std::string_view reason_in(std::string_view line) {
  constexpr std::string_view key = " Reason=";
  const auto at = line.find(key);
  if (at == std::string_view::npos)
    return {};
  line.remove_prefix(at + key.size());
  return line.substr(0, line.rfind(" ["));
}

std::int64_t number_or_0(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && stop == text.data() + text.size() ? value : 0;
}

struct gpus {
  std::int64_t count = 0;
  std::string type;
};

/// GPUs in "gpu:a100:4(S:0-1),gpu:2,shard:8".
gpus gpus_of(std::string_view gres) {
  gpus found;
  for (bool more = true; more;) {
    // A comma between parentheses, "(S:0,2)", begins no item that says gpu: it does no harm.
    const auto comma = gres.find(',');
    auto item = gres.substr(0, comma);
    more = comma != std::string_view::npos;
    gres.remove_prefix(more ? comma + 1 : gres.size());
    item = item.substr(0, item.find('('));
    if (item == "gpu") {
      ++found.count;
    } else if (item.starts_with("gpu:")) {
      const auto last = item.rfind(':');
      const auto count = item.substr(last + 1);
      const bool counted = count.find_first_not_of("0123456789") == std::string_view::npos;
      found.count += counted ? number_or_0(count) : 1;
      const auto type = counted ? item.substr(0, last) : item;
      if (found.type.empty() && type.size() > 4)
        found.type = type.substr(4);
    }
  }
  return found;
}

/// 0 for "UNLIMITED", and for what we do not understand: sbatch then has the last word.
std::int64_t seconds_of(std::string_view limit) {
  try {
    return parse_time_limit(limit);
  } catch (const failure&) {
    return 0;
  }
}

node node_in(std::string_view line) {
  const auto effective = value_of(line, "CPUEfctv"); // without those kept for the system
  const auto has = gpus_of(value_of(line, "Gres"));
  return {std::string{value_of(line, "NodeName")},
          std::string{value_of(line, "State")},
          std::string{reason_in(line)},
          number_or_0(effective.empty() ? value_of(line, "CPUTot") : effective),
          number_or_0(value_of(line, "CPUAlloc")),
          number_or_0(value_of(line, "RealMemory")) - number_or_0(value_of(line, "MemSpecLimit")),
          number_or_0(value_of(line, "AllocMem")),
          has.count,
          gpus_of(value_of(line, "GresUsed")).count,
          has.type};
}

std::string in_words(const node& n) {
  auto text = n.name + " is " + n.state;
  if (!n.reason.empty())
    text += " (" + n.reason.substr(0, longest_reason) + ")";
  return text;
}

/// Why no node starts jobs; empty if one does.
std::string trouble_of(const std::vector<node>& nodes) {
  if (nodes.empty())
    return "it has no node";
  const auto good = [](const node& n) { return takes_jobs(n.state); };
  return std::ranges::any_of(nodes, good) ? std::string{} : in_words(nodes.front());
}

} // namespace

std::vector<node> parse_nodes(std::string_view text) {
  std::vector<node> all;
  each_line(text, [&](std::string_view line) {
    if (line.starts_with("NodeName="))
      all.push_back(node_in(line));
  });
  return all;
}

std::vector<partition> parse_partitions(std::string_view text) {
  std::vector<partition> all;
  each_line(text, [&](std::string_view line) {
    if (line.starts_with("PartitionName="))
      all.push_back({std::string{value_of(line, "PartitionName")},
                     std::string{value_of(line, "State")}, value_of(line, "Default") == "YES",
                     seconds_of(value_of(line, "MaxTime"))});
  });
  return all;
}

capacity capacity_of(const cluster& c) {
  capacity most;
  most.trouble = trouble_of(c.nodes);
  for (const auto& n : c.nodes) {
    most.cpus = std::max(most.cpus, n.cpus);
    most.mem_mb = std::max(most.mem_mb, n.mem_mb);
    most.gpus = std::max(most.gpus, n.gpus);
  }
  for (const auto& p : c.partitions)
    if (p.is_default)
      most.max_time_s = p.max_time_s;
  return most;
}

} // namespace jobrunner::slurm
