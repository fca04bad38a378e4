#include "http/archive_transfer.hpp"
#include "http/transfer.hpp"
#include "temp_folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>

#include <fcntl.h>

#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <thread>

namespace jobrunner::http {

namespace {

namespace fs = std::filesystem;
using tcp = asio::ip::tcp;

struct serve : testing::Test {
  temp_folder folder;
  fs::path path = folder.put("data.bin", "0123456789");

  response get(const std::vector<std::pair<beast::field, std::string>>& headers = {}) {
    beast::fields request;
    for (const auto& [name, value] : headers)
      request.set(name, value);
    return serve_file(unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)},
                      {"data.bin", "application/octet-stream"}, request);
  }
  static std::string header(const response& r, beast::field name) {
    const auto value = r.message[name];
    return {value.data(), value.size()};
  }
  /// What would be sent.
  static std::string bytes(const response& r) {
    if (!r.file)
      return "";
    std::string text(r.file->size, '\0');
    const auto n =
        pread(r.file->file.get(), text.data(), text.size(), static_cast<off_t>(r.file->first));
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
};

TEST_F(serve, a_file_goes_out_whole_with_all_that_describes_it) {
  const auto r = get();
  EXPECT_EQ(r.message.result_int(), 200U);
  EXPECT_EQ(bytes(r), "0123456789");
  EXPECT_EQ(header(r, beast::field::content_length), "10");
  EXPECT_EQ(header(r, beast::field::content_type), "application/octet-stream");
  EXPECT_EQ(header(r, beast::field::accept_ranges), "bytes");
  EXPECT_NE(header(r, beast::field::content_disposition).find("data.bin"), std::string::npos);
  EXPECT_TRUE(header(r, beast::field::etag).starts_with('"'));
  EXPECT_TRUE(header(r, beast::field::last_modified).ends_with(" GMT"));
}

TEST_F(serve, an_empty_file_is_an_answer_of_no_bytes) {
  path = folder.put("empty", "");
  const auto r = get();
  EXPECT_EQ(r.message.result_int(), 200U);
  EXPECT_EQ(header(r, beast::field::content_length), "0");
}

TEST_F(serve, a_range_goes_out_alone) {
  const auto r = get({{beast::field::range, "bytes=2-4"}});
  EXPECT_EQ(r.message.result_int(), 206U);
  EXPECT_EQ(bytes(r), "234");
  EXPECT_EQ(header(r, beast::field::content_range), "bytes 2-4/10");
  EXPECT_EQ(header(r, beast::field::content_length), "3");
  EXPECT_EQ(bytes(get({{beast::field::range, "bytes=-3"}})), "789");
  EXPECT_EQ(bytes(get({{beast::field::range, "bytes=7-99"}})), "789");
}

TEST_F(serve, a_range_beyond_the_file_is_refused_with_its_size) {
  const auto r = get({{beast::field::range, "bytes=10-"}});
  EXPECT_EQ(r.message.result_int(), 416U);
  EXPECT_EQ(header(r, beast::field::content_range), "bytes */10");
  EXPECT_FALSE(r.file);
}

TEST_F(serve, several_ranges_get_the_whole_file) {
  const auto r = get({{beast::field::range, "bytes=0-1,3-4"}});
  EXPECT_EQ(r.message.result_int(), 200U);
  EXPECT_EQ(bytes(r), "0123456789");
}

TEST_F(serve, a_client_that_has_it_gets_no_bytes) {
  const auto etag = header(get(), beast::field::etag);
  const auto r = get({{beast::field::if_none_match, etag}});
  EXPECT_EQ(r.message.result_int(), 304U);
  EXPECT_FALSE(r.file);
  EXPECT_EQ(header(r, beast::field::etag), etag);
  EXPECT_EQ(get({{beast::field::if_none_match, "\"other\""}}).message.result_int(), 200U);
}

TEST_F(serve, a_file_that_changed_has_another_tag) {
  const auto before = header(get(), beast::field::etag);
  folder.put("data.bin", "abcdefghij");
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::nanoseconds{10});
  EXPECT_NE(header(get(), beast::field::etag), before);
}

TEST_F(serve, a_range_of_a_file_that_changed_is_the_whole_file) {
  const auto range = std::pair{beast::field::range, std::string{"bytes=2-4"}};
  const auto same = header(get(), beast::field::etag);
  EXPECT_EQ(get({range, {beast::field::if_range, same}}).message.result_int(), 206U);
  EXPECT_EQ(get({range, {beast::field::if_range, "\"old\""}}).message.result_int(), 200U);
}

TEST_F(serve, a_file_without_a_name_is_shown_and_not_saved) {
  beast::fields none;
  const auto r =
      serve_file(unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}, {"", "text/plain"}, none);
  EXPECT_EQ(r.message.count(beast::field::content_disposition), 0U);
}

/// As a session does, whatever happened.
struct closing {
  explicit closing(tcp::socket& s) : socket(s) {}
  closing(const closing&) = delete;
  closing& operator=(const closing&) = delete;
  ~closing() { socket.close(); }
  tcp::socket& socket;
};

/// A pair of connected sockets and a pool.
struct send : testing::Test {
  temp_folder folder;
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket client{io}, server{io};
  asio::thread_pool pool{1};
  std::size_t steps = 0;

  send() {
    client.connect(acceptor.local_endpoint());
    acceptor.accept(server);
  }

  std::future<void> sending(file_part part) {
    return asio::co_spawn(
        io,
        [](send& on, file_part what) -> asio::awaitable<void> {
          const std::function<void()> progress = [&on] { ++on.steps; };
          const closing after{on.server};
          co_await send_file(on.server, what, on.pool, progress);
        }(*this, std::move(part)),
        asio::use_future);
  }
  file_part part(const fs::path& path, std::uint64_t first, std::uint64_t size) {
    return {unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}, first, size, {}};
  }
  /// One that must stay what it is.
  file_part staying(const fs::path& path, std::uint64_t first, std::uint64_t size) {
    auto p = part(path, first, size);
    p.was = stamp_of(p.file.get());
    return p;
  }
  std::future<void> sending(archive_part part) {
    return asio::co_spawn(
        io,
        [](send& on, archive_part what) -> asio::awaitable<void> {
          const std::function<void()> progress = [&on] { ++on.steps; };
          const closing after{on.server};
          co_await send_archive(on.server, what, on.pool, progress);
        }(*this, std::move(part)),
        asio::use_future);
  }
  archive_part archive() {
    auto plan = std::make_shared<const archive::tar_plan>(walk(folder.path(), 1000));
    const auto size = plan->size();
    return {std::move(plan), folder.path().string(), 0, size};
  }
  /// What arrives of it while nobody disturbs.
  std::string sent_of(archive_part part) {
    auto done = sending(std::move(part));
    std::thread io_thread{[this] { io.run(); }};
    auto got = received();
    io_thread.join();
    done.get();
    return got;
  }
  void connect_again() {
    client = tcp::socket{io};
    server = tcp::socket{io};
    client.connect(acceptor.local_endpoint());
    acceptor.accept(server);
    io.restart();
  }
  /// Sends 20 MiB and disturbs when some of it has arrived; how much arrives.
  template <class Part, class Disturb>
  std::size_t disturbed(Part part, Disturb disturb) {
    auto done = sending(std::move(part));
    std::thread io_thread{[this] { io.run(); }};
    std::string some(100000, '\0');
    asio::read(client, asio::buffer(some));
    std::this_thread::sleep_for(std::chrono::milliseconds{50}); // until the socket is full
    disturb();
    const auto got = some.size() + received().size();
    io_thread.join();
    EXPECT_ANY_THROW(done.get());
    return got;
  }
  std::string received() {
    std::string all;
    boost::system::error_code ec;
    asio::read(client, asio::dynamic_buffer(all), ec);
    return all;
  }
};

TEST_F(send, the_part_arrives_byte_for_byte_though_the_client_is_slow) {
  std::string text(20U << 20U, '\0'); // more than any socket buffers
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>(i * 2654435761U >> 24U);
  const auto path = folder.put("large", text);
  auto done = sending(part(path, 5, text.size() - 7));
  std::thread io_thread{[this] { io.run(); }};
  std::this_thread::sleep_for(std::chrono::milliseconds{100});
  const auto got = received();
  io_thread.join();
  done.get();
  EXPECT_TRUE(got == text.substr(5, text.size() - 7));
  EXPECT_GT(steps, 1U);
}

TEST_F(send, a_file_that_was_cut_meanwhile_ends_the_connection) {
  auto done = sending(part(folder.put("short", "12345"), 0, 10));
  io.run();
  EXPECT_THROW(done.get(), boost::system::system_error);
}

constexpr std::size_t much = 20U << 20U; // more than any socket buffers

TEST_F(send, a_file_that_must_stay_what_it_is_arrives_byte_for_byte) {
  const std::string text = std::string(much, 'x') + "the end";
  const auto path = folder.put("large", text);
  for (const std::size_t size :
       {text.size(), std::size_t{1}, std::size_t{32768}, std::size_t{32769}}) {
    auto done = sending(staying(path, text.size() - size, size));
    std::thread io_thread{[this] { io.run(); }};
    const auto got = received();
    io_thread.join();
    done.get();
    EXPECT_TRUE(got == text.substr(text.size() - size)) << size;
    connect_again();
  }
}

TEST_F(send, a_file_that_is_written_to_meanwhile_is_cut_if_it_should_have_stayed) {
  const auto path = folder.put("large", std::string(much, 'x'));
  const auto got = disturbed(staying(path, 0, much), [&] {
    std::fstream{path, std::ios::in | std::ios::out}.seekp(much - 5) << "other";
  });
  EXPECT_LT(got, much);
}

TEST_F(send, a_file_that_may_grow_is_not_cut) {
  const auto path = folder.put("large", std::string(much, 'x'));
  auto done = sending(part(path, 0, much));
  std::thread io_thread{[this] { io.run(); }};
  std::this_thread::sleep_for(std::chrono::milliseconds{50});
  std::ofstream{path, std::ios::app} << "more";
  EXPECT_EQ(received().size(), much);
  io_thread.join();
  done.get();
}

TEST_F(send, an_archive_arrives_as_planned_and_any_part_of_it_is_that_part) {
  folder.put("a", "first");
  folder.put("large", std::string(much, 'x'));
  folder.put("nothing", "");
  for (int i = 0; i < 200; ++i)
    folder.put("small/" + std::to_string(i), std::to_string(i));
  const auto whole = sent_of(archive());
  ASSERT_EQ(whole.size(), archive().size);
  const auto plan = archive().plan;
  for (const auto first : {std::uint64_t{0}, std::uint64_t{511}, std::uint64_t{513},
                           plan->size() / 2, plan->size() - 1})
    for (const auto size : {std::uint64_t{1}, std::uint64_t{600}, std::uint64_t{100000}}) {
      auto part = archive();
      part.first = first;
      part.size = std::min(size, plan->size() - first);
      const auto wanted = whole.substr(first, part.size);
      connect_again();
      EXPECT_TRUE(sent_of(std::move(part)) == wanted) << first << " " << size;
    }
}

TEST_F(send, an_archive_is_cut_where_a_file_is_not_what_it_was) {
  const auto large = folder.put("a large one", std::string(much, 'x'));
  const auto later = folder.put("later", "as planned");
  const std::vector<std::pair<const char*, std::function<void()>>> disturbances{
      {"written to",
       [&] {
         std::ofstream{later, std::ios::app} << "x";
       }},
      {"replaced", [&] { fs::rename(folder.put("new", "as planned"), later); }},
      {"gone", [&] { fs::remove(later); }},
      {"a link", [&] { fs::remove(later), fs::create_symlink(large, later); }},
      {"written to while it is sent",
       [&] {
         std::ofstream{large, std::ios::app} << "x";
       }},
      {"cut while it is sent", [&] { fs::resize_file(large, much / 2); }}};
  for (const auto& [how, disturb] : disturbances) {
    folder.put("a large one", std::string(much, 'x'));
    fs::remove(later);
    folder.put("later", "as planned");
    auto part = archive();
    const auto size = part.size;
    EXPECT_LT(disturbed(std::move(part), disturb), size) << how;
    connect_again();
  }
}

TEST_F(send, a_client_that_is_gone_is_an_error_and_no_signal) {
  const auto path = folder.put("large", std::string(20U << 20U, 'x'));
  client.set_option(asio::socket_base::linger(true, 0));
  client.close();
  auto done = sending(part(path, 0, 20U << 20U));
  io.run();
  EXPECT_THROW(done.get(), boost::system::system_error);
}

} // namespace

} // namespace jobrunner::http
