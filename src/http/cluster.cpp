// What the server and the cluster offer: health, commands, the description of this API.
#include "http/blocking.hpp"
#include "http/handlers.hpp"
#include "http/problem.hpp"
#include "http/transfer.hpp"
#include "slurm/commands.hpp"

#include <fcntl.h>

namespace jobrunner::http {

// GET /health: 200 even while Slurm is down; from snapshots alone.
asio::awaitable<response> get_health(exchange& x) {
  const auto slurm = x.with.published.slurm.view();
  boost::json::array problems;
  if (!slurm.up)
    problems.emplace_back("Slurm does not answer: " + slurm.problem);
  else if (!slurm.capacity.trouble.empty())
    problems.emplace_back("Slurm can start no job now: " + slurm.capacity.trouble);
  if (x.with.settings.default_token)
    problems.emplace_back("JR_AUTH_TOKEN is still change-me: only this machine itself is served");
  if (x.with.settings.b2_enabled && !slurm.b2_mounted)
    problems.emplace_back("JR_B2_ENABLE=1, but nothing is mounted at " +
                          x.with.settings.b2_mount.string());
  boost::json::value checked_at; // null: not yet
  if (slurm.checked_at != timestamp{})
    checked_at = to_rfc3339(slurm.checked_at);
  const auto up = std::chrono::steady_clock::now() - x.with.started;
  co_return json(beast::status::ok,
                 {{"ok", true},
                  {"slurm", slurm.up && slurm.capacity.trouble.empty()},
                  {"b2_mounted", slurm.b2_mounted},
                  {"slurm_checked_at", std::move(checked_at)},
                  {"version", JOBRUNNER_VERSION},
                  {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(up).count()},
                  {"problems", std::move(problems)}});
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
