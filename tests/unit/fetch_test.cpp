// Objects fetched over real connections from a server in this process.
#include "expect_failure.hpp"
#include "s3/fetch.hpp"
#include "tiny_server.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <optional>

namespace jobrunner::s3 {

namespace {

using namespace std::chrono_literals;

/// Serves parts of objects, as a bucket would, and makes trouble where a test wants it.
class tiny_bucket {
public:
  /// Answers in the place of the bucket, if it returns something.
  using trouble =
      std::function<std::optional<std::string>(const std::string& key, std::size_t first)>;

  explicit tiny_bucket(std::map<std::string, std::string> objects, trouble t = {})
      : objects_(std::move(objects)),
        trouble_(std::move(t)),
        server_([this](int connection, const std::string& header) { serve(connection, header); }),
        guard_("127.0.0.1" + server_.port_text()),
        place_{{"b", "b", "http://127.0.0.1" + server_.port_text(), "r", "k", secret{"s"}},
               guard_,
               5s} {}

  const place& at() const { return place_; }
  std::vector<object> list() const {
    std::vector<object> all;
    for (const auto& [key, bytes] : objects_)
      all.push_back({key, bytes.size(), "\"" + key + "\"", false});
    return all;
  }
  int requests() const { return requests_.load(); }

private:
  void serve(int connection, const std::string& header) {
    ++requests_;
    const auto key = header.substr(7, header.find(' ', 7) - 7); // GET /b/<key>
    const auto range = header.find("Range: bytes=") + 13;
    const auto first = std::stoul(header.substr(range));
    const auto last = std::stoul(header.substr(header.find('-', range) + 1));
    if (trouble_)
      if (const auto instead = trouble_(key, first))
        return tiny_server::say(connection, *instead);
    const auto& bytes = objects_.at(key);
    const auto part = bytes.substr(first, last - first + 1);
    tiny_server::say(connection,
                     "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nETag: \"" + key +
                         "\"\r\nContent-Range: bytes " + std::to_string(first) + "-" +
                         std::to_string(last) + "/" + std::to_string(bytes.size()) +
                         "\r\nContent-Length: " + std::to_string(part.size()) + "\r\n\r\n" + part);
  }

  std::map<std::string, std::string> objects_;
  trouble trouble_;
  std::atomic<int> requests_ = 0;
  tiny_server server_;
  address_guard guard_;
  place place_;
};

std::string bytes_of(std::size_t size) {
  std::string all;
  for (std::size_t i = 0; all.size() < size; ++i)
    all += std::to_string(i) + ",";
  all.resize(size);
  return all;
}

const pace quick{3, 1000, {1ms, 5ms, 2000ms}};

/// All bytes in the order in which they were fed.
std::map<std::size_t, std::string> all_of(const tiny_bucket& from, std::size_t first = 0,
                                          std::uint64_t offset = 0) {
  std::map<std::size_t, std::string> got;
  const auto objects = from.list();
  std::size_t at = first;
  fetch(from.at(), objects, first, offset, quick, {},
        [&](const piece& p, std::span<const char> bytes) {
          EXPECT_GE(p.object, at);
          at = p.object;
          EXPECT_EQ(p.offset, got[p.object].size() + (p.object == first ? offset : 0));
          got[p.object].append(bytes.data(), bytes.size());
        });
  return got;
}

TEST(fetch, bytes_come_in_order_whoever_fetched_them) {
  const tiny_bucket bucket{
      {{"a", bytes_of(10500)}, {"b", ""}, {"c", bytes_of(1)}, {"d", bytes_of(3000)}}};
  const auto got = all_of(bucket);
  EXPECT_EQ(got.at(0), bytes_of(10500));
  EXPECT_EQ(got.at(1), "");
  EXPECT_EQ(got.at(2), bytes_of(1));
  EXPECT_EQ(got.at(3), bytes_of(3000));
  EXPECT_EQ(bucket.requests(), 11 + 1 + 3);
}

TEST(fetch, it_begins_where_it_is_told_to) {
  const tiny_bucket bucket{{{"a", bytes_of(5000)}, {"b", bytes_of(2500)}}};
  const auto got = all_of(bucket, 1, 1000);
  EXPECT_FALSE(got.contains(0));
  EXPECT_EQ(got.at(1), bytes_of(2500).substr(1000));
}

TEST(fetch, faults_that_pass_are_tried_again) {
  std::atomic<int> faults = 5;
  const tiny_bucket bucket{
      {{"a", bytes_of(9000)}}, [&](const std::string&, std::size_t) -> std::optional<std::string> {
        if (faults-- <= 0)
          return std::nullopt;
        return faults % 2 == 0 ? "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n" : "";
      }};
  EXPECT_EQ(all_of(bucket).at(0), bytes_of(9000));
}

TEST(fetch, no_more_than_the_window_is_fetched_ahead) {
  const tiny_bucket bucket{{{"a", bytes_of(50000)}}};
  const auto objects = bucket.list();
  int taken = 0;
  fetch(bucket.at(), objects, 0, 0, quick, {}, [&](const piece&, std::span<const char>) {
    std::this_thread::sleep_for(2ms); // a slow disk
    EXPECT_LE(bucket.requests(), taken + 5);
    ++taken;
  });
  EXPECT_EQ(taken, 50);
}

TEST(fetch, what_the_taker_throws_ends_it_soon) {
  const tiny_bucket bucket{{{"a", bytes_of(100000)}}};
  const auto objects = bucket.list();
  refusal(
      [&] {
        fetch(bucket.at(), objects, 0, 0, quick, {},
              [](const piece&, std::span<const char>) { throw failure(errc::disk_full, "full"); });
      },
      errc::disk_full);
  EXPECT_LT(bucket.requests(), 20);
}

TEST(fetch, a_piece_that_cannot_be_had_ends_it) {
  const tiny_bucket bucket{{{"a", bytes_of(9000)}},
                           [](const std::string&, std::size_t first) -> std::optional<std::string> {
                             if (first != 4000)
                               return std::nullopt;
                             return "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
                           }};
  const auto objects = bucket.list();
  std::size_t got = 0;
  refusal(
      [&] {
        fetch(bucket.at(), objects, 0, 0, quick, {},
              [&](const piece&, auto bytes) { got += bytes.size(); });
      },
      errc::forbidden);
  EXPECT_LE(got, 4000U);
}

TEST(fetch, another_etag_or_none_of_the_range_is_not_taken) {
  const auto answering = [](const std::string& headers, const std::string& body) {
    return tiny_bucket{{{"a", "12345"}},
                       [=](const std::string&, std::size_t) -> std::optional<std::string> {
                         return "HTTP/1.1 " + headers + "Connection: close\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body;
                       }};
  };
  const auto code = [](const tiny_bucket& b) {
    const auto objects = b.list();
    try {
      fetch(b.at(), objects, 0, 0, {1, 1000, {1ms, 1ms, 20ms}}, {},
            [](const piece&, auto) { ADD_FAILURE() << "was taken"; });
    } catch (const failure& f) {
      return f.code();
    }
    return errc::none;
  };
  EXPECT_EQ(
      code(answering("206 Partial\r\nETag: \"other\"\r\nContent-Range: bytes 0-4/5\r\n", "12345")),
      errc::conflict);
  EXPECT_EQ(code(answering("412 Precondition Failed\r\n", "")), errc::conflict);
  EXPECT_EQ(code(answering("404 Not Found\r\n", "")), errc::conflict);
  EXPECT_EQ(
      code(answering("206 Partial\r\nETag: \"a\"\r\nContent-Range: bytes 0-4/6\r\n", "12345")),
      errc::unavailable);
  EXPECT_EQ(code(answering("206 Partial\r\nETag: \"a\"\r\nContent-Range: bytes 0-3/5\r\n", "1234")),
            errc::unavailable);
  EXPECT_EQ(code(answering("206 Partial\r\nETag: \"a\"\r\n", "123456")), errc::too_large);
  EXPECT_EQ(code(answering("302 Found\r\nLocation: http://127.0.0.1:1/\r\n", "")), errc::invalid);
}

TEST(fetch, a_stop_ends_it_soon) {
  const tiny_bucket bucket{{{"a", bytes_of(100000)}},
                           [](const std::string&, std::size_t) -> std::optional<std::string> {
                             std::this_thread::sleep_for(20ms);
                             return std::nullopt;
                           }};
  const auto objects = bucket.list();
  std::stop_source stop;
  const std::jthread later{[&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  }};
  EXPECT_THROW(
      fetch(bucket.at(), objects, 0, 0, quick, stop.get_token(), [](const piece&, auto) {}),
      stopped);
  EXPECT_LT(bucket.requests(), 90);
}

} // namespace

} // namespace jobrunner::s3
