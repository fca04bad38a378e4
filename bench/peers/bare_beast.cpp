// A bare server of Boost.Beast: what HTTP, a token, a look into a map and an answer of 300 bytes
// cost at least. A ceiling, no product: no deadlines, no limits, nothing durable.
//   bench_bare_beast PORT THREADS TOKEN
//   GET /jobs/{id}           at once
//   GET /jobs/{id}?wait=S    when somebody POSTs to /wake; it does not notice a client that hangs
//   up
#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

class session;

struct shared_state {
  std::string authorization;
  std::unordered_map<std::string, std::string> jobs;
  std::mutex mutex;
  std::vector<std::shared_ptr<session>> waiting;
};

class session : public std::enable_shared_from_this<session> {
public:
  session(tcp::socket socket, shared_state& state) : socket_(std::move(socket)), state_(state) {
    socket_.set_option(tcp::no_delay{true});
  }

  void read() {
    if (!work_)
      work_.emplace();
    work_->request = {};
    http::async_read(
        socket_, work_->buffer, work_->request,
        [self = shared_from_this()](beast::error_code ec, std::size_t) { self->have_read(ec); });
  }

  /// Answers a request that has waited.
  void wake() {
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      self->work_.emplace();
      self->answer(http::status::ok, self->body_);
    });
  }

private:
  void have_read(beast::error_code ec) {
    if (ec)
      return;
    const auto& request = work_->request;
    if (request[http::field::authorization] != state_.authorization)
      return answer(http::status::unauthorized, "{}");
    const std::string target{request.target()};
    if (target == "/wake")
      return wake_all();
    const auto question = target.find('?');
    const auto it = state_.jobs.find(target.substr(0, question));
    if (it == state_.jobs.end())
      return answer(http::status::not_found, "{}");
    if (question == std::string::npos)
      return answer(http::status::ok, it->second);
    body_ = it->second;
    work_.reset(); // buffers are not needed while it waits
    const std::lock_guard lock{state_.mutex};
    state_.waiting.push_back(shared_from_this());
  }

  void wake_all() {
    std::vector<std::shared_ptr<session>> woken;
    {
      const std::lock_guard lock{state_.mutex};
      woken.swap(state_.waiting);
    }
    for (const auto& one : woken)
      one->wake();
    answer(http::status::ok, "{}");
  }

  void answer(http::status status, const std::string& body) {
    auto& response = work_->response;
    response = {status, 11};
    response.set(http::field::content_type, "application/json");
    response.body() = body;
    response.prepare_payload();
    http::async_write(socket_, response,
                      [self = shared_from_this()](beast::error_code ec, std::size_t) {
                        if (!ec)
                          self->read();
                      });
  }

  struct work {
    beast::flat_buffer buffer;
    http::request<http::empty_body> request;
    http::response<http::string_body> response;
  };

  tcp::socket socket_;
  shared_state& state_;
  std::optional<work> work_;
  std::string body_;
};

void accept(tcp::acceptor& acceptor, shared_state& state) {
  acceptor.async_accept([&](beast::error_code ec, tcp::socket socket) {
    if (!ec)
      std::make_shared<session>(std::move(socket), state)->read();
    accept(acceptor, state);
  });
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: bench_bare_beast PORT THREADS TOKEN\n";
    return 2;
  }
  const int threads = std::stoi(argv[2]);
  asio::io_context io{threads};
  shared_state state;
  state.authorization = std::string{"Bearer "} + argv[3];
  for (int id = 1; id <= 10'000; ++id) {
    auto body = "{\"job_id\":" + std::to_string(id) +
                ",\"status\":\"RUNNING\",\"done\":false,\"meta\":{\"log\":\"";
    body.resize(297, '-');
    state.jobs.emplace("/jobs/" + std::to_string(id), body + "\"}}");
  }
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[1]));
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), port}};
  acceptor.listen(4096);
  accept(acceptor, state);
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i)
    others.emplace_back([&] { io.run(); });
  io.run();
}
