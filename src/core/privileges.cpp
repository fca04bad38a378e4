#include "core/privileges.hpp"

#include "core/error.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace jobrunner {

namespace {

const passwd& find_user(const char* variable, const std::string& name) {
  const auto* found = getpwnam(name.c_str());
  if (!found)
    throw failure(errc::invalid,
                  std::string{variable} + "=" + name + " is no user of this machine");
  return *found;
}

void set_limits() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max; // one descriptor a connection
    setrlimit(RLIMIT_NOFILE, &files);
  }
  const rlimit none{0, 0}; // a core would hold the token
  setrlimit(RLIMIT_CORE, &none);
}

void become(uid_t uid, gid_t gid, gid_t job_group) {
  const std::array groups{gid, job_group};
  if (setgroups(groups.size(), groups.data()) != 0 || setresgid(gid, gid, gid) != 0 ||
      setresuid(uid, uid, uid) != 0)
    throw errno_failure("become the server's user");
  prctl(PR_SET_DUMPABLE, 0); // nobody reads our memory or environment through /proc
}

} // namespace

users become_server(const config& c) {
  const std::vector<std::string> slurm_environment{
      "PATH=" + c.slurm_bin.string() + ":/usr/bin:/bin", "HOME=/nonexistent",
      "SLURM_CONF=" + c.slurm_conf.string()};
  const bool isolated = geteuid() == 0;
  identity server, runner, extractor;
  if (isolated) {
    const auto& s = find_user("JR_SERVER_USER", c.server_user);
    server = {s.pw_uid, s.pw_gid, {}};
    const auto& r = find_user("JR_JOB_USER", c.job_user); // reuses the buffer of `s`
    runner = {r.pw_uid, r.pw_gid, {r.pw_gid}};
    extractor = {c.extract_uid, server.gid, {server.gid}};
  } else {
    server = runner = extractor = {geteuid(), getegid(), {}};
  }
  users made{launcher::start(runner, slurm_environment), launcher::start(extractor, {}), runner.gid,
             isolated};
  set_limits();
  if (isolated)
    become(server.uid, server.gid, runner.gid);
  umask(027);
  signal(SIGPIPE, SIG_IGN); // NOLINT(performance-no-int-to-ptr): the macro's cast
  return made;
}

data_lock::data_lock(const std::filesystem::path& root) {
  const auto path = root / "jobrunner.lock";
  file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_)
    throw errno_failure("open " + path.string());
  if (flock(file_.get(), LOCK_EX | LOCK_NB) != 0)
    throw failure(errc::conflict, "another server runs on JR_ROOT=" + root.string() +
                                      " (it holds " + path.string() + ")");
}

} // namespace jobrunner
