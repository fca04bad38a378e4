#include "http/archive_transfer.hpp"

#include "core/beneath.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "http/transfer.hpp"

#include <array>
#include <limits>

namespace jobrunner::http {

namespace {

using kind = archive::tar_plan::place::kind;

constexpr std::array<char, 1024> zeros{};

class archive_steps {
public:
  explicit archive_steps(archive_part& part) : part_(part) {}

  sent take(int socket) {
    sent all;
    while (all.bytes < slice && part_.size > 0 && all.error == 0) {
      const auto one = send_place(socket, part_.plan->at(part_.first));
      part_.first += one.bytes;
      part_.size -= one.bytes;
      all.bytes += one.bytes;
      all.error = one.error;
    }
    return all;
  }

private:
  sent send_place(int socket, const archive::tar_plan::place& at) {
    const auto size = std::min(at.size, part_.size);
    switch (at.what) {
      case kind::head:
        return send_bytes(socket, part_.plan->head(at.member).substr(at.first, size));
      case kind::data:
        open(at.member);
        return send_data(socket, file_.get(), at.first, size, part_.plan->file(at.member).stamp);
      case kind::zeros:
        break;
    }
    return send_bytes(socket, {zeros.data(), size});
  }

  void open(std::size_t member) {
    if (member == member_)
      return;
    const auto& f = part_.plan->file(member);
    file_ = open_beneath(part_.folder, f.path);
    member_ = member;
    if (stamp_of(file_.get()) != f.stamp)
      cut_short("a file was changed after the archive had begun");
  }

  archive_part& part_;
  unique_fd file_;
  std::size_t member_ = std::numeric_limits<std::size_t>::max(); // that file_ is of
};

} // namespace

asio::awaitable<void> send_archive(asio::ip::tcp::socket& socket, archive_part& part,
                                   asio::thread_pool& pool, std::function<void()> progress) {
  const auto steps = std::make_shared<archive_steps>(part);
  send_step step = [steps, &part](int out) {
    try {
      return steps->take(out);
    } catch (const std::exception& e) { // the client can be told in no other way
      log("http", "archive_cut", {{"folder", part.folder}, {"why", e.what()}});
      throw;
    }
  };
  co_await send_all(socket, part.size, pool, step, progress);
}

} // namespace jobrunner::http
