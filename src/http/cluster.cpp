// What the server and the cluster offer: health, commands, the description of this API.
#include "actors/ask.hpp"
#include "core/duration.hpp"
#include "http/blocking.hpp"
#include "http/handlers.hpp"
#include "http/problem.hpp"
#include "http/transfer.hpp"
#include "slurm/commands.hpp"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

namespace jobrunner::http {

using namespace std::chrono_literals;

namespace {

using boost::json::array;
using boost::json::object;

constexpr auto slurm_patience = 5s; // the rest of the answer does not depend on Slurm

bool works(const slurm_view& slurm) {
  return slurm.up && slurm.capacity.trouble.empty();
}

/// What is not as it should be, a sentence each.
array problems(const context& with, const slurm_view& slurm) {
  auto list = with.found.problems;
  if (!slurm.up)
    list.emplace_back("Slurm does not answer: " + slurm.problem);
  else if (!slurm.capacity.trouble.empty())
    list.emplace_back("Slurm can start no job now: " + slurm.capacity.trouble);
  if (with.settings.default_token)
    list.emplace_back("JR_AUTH_TOKEN is still change-me: only this machine itself is served");
  if (with.settings.b2_enabled && !slurm.b2_mounted)
    list.emplace_back("JR_B2_ENABLE=1, but nothing is mounted at " +
                      with.settings.b2_mount.string() +
                      (slurm.b2_problem.empty() ? "" : ": " + slurm.b2_problem));
  return list;
}

object amount(std::int64_t total, std::int64_t used) {
  return {{"total", total}, {"used", used}, {"free", std::max<std::int64_t>(total - used, 0)}};
}

array nodes_to_json(const std::vector<slurm::node>& nodes) {
  array list;
  for (const auto& n : nodes)
    list.push_back(object{{"name", n.name},
                          {"state", n.state},
                          {"reason", n.reason},
                          {"gpu_type", n.gpu_type},
                          {"gpus", amount(n.gpus, n.gpus_used)},
                          {"cpus", amount(n.cpus, n.cpus_used)},
                          {"mem_mb", amount(n.mem_mb, n.mem_mb_used)}});
  return list;
}

array partitions_to_json(const std::vector<slurm::partition>& partitions) {
  array list;
  for (const auto& p : partitions)
    list.push_back(
        object{{"name", p.name},
               {"state", p.state},
               {"default", p.is_default},
               {"max_time", p.max_time_s == 0 ? boost::json::value(nullptr)
                                              : boost::json::value(to_time_limit(p.max_time_s))}});
  return list;
}

object disk(const config& settings) {
  std::error_code ec;
  const auto space = std::filesystem::space(settings.root, ec);
  return {{"total_bytes", ec ? 0 : space.capacity},
          {"free_bytes", ec ? 0 : space.available},
          {"kept_free_bytes", settings.min_free_bytes}};
}

} // namespace

// GET /health: 200 even while Slurm is down; from snapshots alone.
asio::awaitable<response> get_health(exchange& x) {
  const auto slurm = x.with.published.slurm.view();
  boost::json::value checked_at; // null: not yet
  if (slurm.checked_at != timestamp{})
    checked_at = to_rfc3339(slurm.checked_at);
  const auto up = std::chrono::steady_clock::now() - x.with.started;
  co_return json(beast::status::ok,
                 {{"ok", true},
                  {"slurm", works(slurm)},
                  {"b2_mounted", slurm.b2_mounted},
                  {"slurm_checked_at", std::move(checked_at)},
                  {"version", JOBRUNNER_VERSION},
                  {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(up).count()},
                  {"problems", problems(x.with, slurm)}});
}

// GET /cluster: what there is and what of it is free, and what the host allows; without nodes while
// Slurm does not answer.
asio::awaitable<response> get_cluster(exchange& x) {
  const auto measure = [&x] { return disk(x.with.settings); };
  const auto space = co_await on(x.with.files, measure);
  slurm::cluster seen;
  const bool up = x.with.published.slurm.view().up; // otherwise the poller waits for it already
  try {
    if (up)
      seen = co_await ask(x.with.to.slurm, slurm_patience, atom::get_v);
  } catch (const failure&) {
    // Said among the problems, as in health.
  }
  const auto slurm = x.with.published.slurm.view();
  co_return json(beast::status::ok, {{"slurm", works(slurm)},
                                     {"problems", problems(x.with, slurm)},
                                     {"nodes", nodes_to_json(seen.nodes)},
                                     {"partitions", partitions_to_json(seen.partitions)},
                                     {"disk", space},
                                     {"host", x.with.found.host}});
}

// GET /openapi.json
asio::awaitable<response> get_openapi(exchange& x) {
  const auto path = x.with.settings.share_dir / "openapi.json";
  const auto open = [&path] { return unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}; };
  auto file = co_await on(x.with.files, open);
  if (!file)
    throw failure(errc::not_found, "this installation has no openapi.json (see JR_SHARE_DIR)");
  co_return serve_file(std::move(file), {"", "application/json"}, x.headers);
}

// GET /commands
asio::awaitable<response> list_commands(exchange& x) {
  const auto load = [&x] { return slurm::load_commands(x.with.settings.commands_dir); };
  const auto all = co_await on(x.with.files, load);
  boost::json::array list;
  for (const auto& [key, command] : all)
    list.emplace_back(describe(command));
  co_return json(beast::status::ok, {{"commands", std::move(list)}});
}

// GET /commands/{key}
asio::awaitable<response> get_command(exchange& x) {
  const auto load = [&x] { return slurm::load_commands(x.with.settings.commands_dir); };
  const auto all = co_await on(x.with.files, load);
  const auto it = all.find(x.args.at(0));
  if (it == all.end())
    throw failure(errc::not_found, "there is no such command; GET /commands lists those there are");
  co_return json(beast::status::ok, describe(it->second));
}

} // namespace jobrunner::http
