// Reads the configuration, makes the launchers while it is still root, gives root up, makes the
// actors, serves, and stops all in the reverse order.
#include "actors/root.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/privileges.hpp"
#include "http/log_watch.hpp"
#include "http/server.hpp"
#include "http/shown_jobs.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

namespace {

using namespace jobrunner;
using namespace std::chrono_literals;

constexpr auto stop_within =
    4s; // Slurm stops after this server, and docker stop waits 10 s for all

/// On SIGTERM or SIGINT: no new connections, those at work may end, then the rest is closed.
void stop_on_signal(boost::asio::signal_set& signals, boost::asio::steady_timer& patience,
                    boost::asio::io_context& io, http::server& serving) {
  signals.async_wait([&](boost::system::error_code ec, int) {
    if (ec)
      return;
    log("main", "stopping");
    serving.drain();
    const auto until = std::chrono::steady_clock::now() + stop_within;
    auto again = std::make_shared<std::function<void()>>();
    *again = [&, until, again] {
      const bool late = std::chrono::steady_clock::now() > until;
      if (late)
        serving.close_all();
      if (serving.sessions() == 0 || late)
        return io.stop();
      patience.expires_after(20ms);
      patience.async_wait([again](boost::system::error_code) { (*again)(); });
    };
    (*again)();
  });
}

/// Without a launcher nothing works, and without root there is none to be had: a new process can.
void end_with(const launcher& one, const char* name, boost::asio::io_context& io) {
  using descriptor = boost::asio::posix::stream_descriptor;
  const auto end = std::make_shared<descriptor>(io, one.watch().release());
  end->async_wait(descriptor::wait_read, [end, name](boost::system::error_code ec) {
    if (ec)
      return;
    log("main", "launcher_died", {{"of", name}});
    std::_Exit(EXIT_FAILURE); // all that was acknowledged is on the disk
  });
}

void serve(const config& settings) {
  auto users = become_server(settings); // before any thread
  const data_lock lock{settings.root};
  slurm::client slurm{users.jobs, settings.slurm_bin, settings.programs_dir / "jobrunner-job",
                      settings.slurm_timeout};
  boards published;
  const services with{settings, users.extractors, slurm, published, users.job_group};
  const auto extraction = archive::extraction_of(users.extractors, settings);
  archive::tar_planner plans; // outlives those that sessions of `io` still have
  boost::asio::io_context io; // outlives the actors: a late reply still posts to it
  caf_settings caf_config;
  caf::actor_system sys{caf_config}; // its destructor waits for every actor
  root everybody{sys, with};         // its destructor sends the exits, newest first
  boost::asio::thread_pool files{8}, uploads{settings.max_uploads};
  const auto logs = std::make_shared<http::log_watch>(io, files);
  http::shown_jobs shown;
  const auto found = http::load_host_report(settings.root);
  const http::context shared{settings,
                             everybody.handles(),
                             published,
                             extraction,
                             found,
                             files,
                             uploads,
                             *logs,
                             shown,
                             plans,
                             std::chrono::steady_clock::now()};
  http::server serving{io, shared};
  end_with(users.jobs, "jobs", io);
  end_with(users.extractors, "extractors", io);
  boost::asio::signal_set signals{io, SIGTERM, SIGINT};
  boost::asio::steady_timer patience{io};
  stop_on_signal(signals, patience, io, serving);
  log("main", "serving",
      {{"address", settings.bind_address},
       {"port", std::to_string(serving.port())},
       {"root", settings.root.string()},
       {"isolation", users.isolated ? "users" : "none"}});
  if (settings.default_token)
    log("main", "default_token",
        {{"warning", "JR_AUTH_TOKEN is still change-me: only this machine itself is served"}});
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < settings.io_threads; ++i)
    threads.emplace_back([&io] { io.run(); });
  for (auto& t : threads)
    t.join();
  log("main", "stopped");
}

} // namespace

int main() try {
  serve(load_config());
  return EXIT_SUCCESS;
} catch (const std::exception& e) {
  std::cerr << "jobrunner cannot run: " << e.what() << '\n';
  return EXIT_FAILURE;
}
