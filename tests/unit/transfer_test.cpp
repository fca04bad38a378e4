#include "http/transfer.hpp"
#include "temp_folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>

#include <fcntl.h>

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
          co_await send_file(on.server, what, on.pool, [&on] { ++on.steps; });
          on.server.close();
        }(*this, std::move(part)),
        asio::use_future);
  }
  file_part part(const fs::path& path, std::uint64_t first, std::uint64_t size) {
    return {unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}, first, size};
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
