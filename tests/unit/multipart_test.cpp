#include "expect_failure.hpp"
#include "http/text/limits.hpp"
#include "http/text/multipart.hpp"

#include <chrono>
#include <random>

namespace jobrunner::http {

namespace {

// What came out, the same however data is cut: `[name|filename|type:data]` for each part.
class transcript final : public multipart_events {
public:
  void part_begin(const part_header& part) override {
    text += "[" + part.name + "|" + part.filename.value_or("-") + "|" + part.content_type + ":";
  }
  void part_data(std::string_view bytes) override {
    EXPECT_FALSE(bytes.empty());
    text += bytes;
  }
  void part_end() override { text += "]"; }
  std::string text;
};

// The transcript, and behind it the sentence where the body is refused.
std::string read(const std::vector<std::string_view>& pieces, std::string_view boundary = "B") {
  transcript heard;
  try {
    multipart_parser parser{boundary, heard};
    for (const auto piece : pieces)
      parser.feed(piece);
    parser.end();
  } catch (const failure& f) {
    return heard.text + "!" + f.what();
  }
  return heard.text;
}

std::string part(const std::string& data, const std::string& head = "name=a") {
  return "--B\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + data + "\r\n";
}

const std::string bodies[] = {
    part("hello") + "--B--\r\n",
    part("hello") + "--B--",
    part("") + "--B--\r\n",
    "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n--B--\r\n", // no line for an empty body
    part("1") + part("2", "name=b; filename=\"x.zip\"\r\nContent-Type: application/zip") + "--B--",
    "\r\n" + part("crlf before") + "--B--\r\n\r\n",
    "This is a preamble.\r\n--BB is none of ours?\r\n",
    "preamble\r\n-- B\r\n" + part("x") + "--B--\r\nepilogue --B\r\n--B\r\nmore",
    part("\r\n") + "--B--",
    part("\r\n\r\n\r\n--\r\n--") + "--B--",
    part("\r\r\r\r\n\r\n-\r\n--\r") + "--B--",
    part("\r\n-\r\n--\r\n--\r\n--A\r\n--b") + "--B--",
    part("a --B in the middle --B-- and \n--B\n--B--\n") + "--B--",
    part("--B") + "--B--", // RFC 2046: the data must not begin with the boundary
    "--B \t \r\nContent-Disposition: form-data; name=a\r\n\r\npadded\r\n--B-- \r\n",
    part(std::string("\0\xff\r\0\n\r\n\0--B", 11)) + "--B--",
    part("cut"),            // never closed
    part("cut") + "--B",    // nor here
    part("x") + "--B-\r\n", // nor closed well
    part("x") + "--Bx\r\n", // text behind the boundary
    "--B--\r\n",            // no part at all
    "",
    "no boundary at all",
    "--B\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--B--",
    "--B\r\n\r\nno header\r\n--B--",
    "--B\nContent-Disposition: form-data; name=a\n\nbare LF\n--B--",
};

} // namespace

TEST(multipart, parts_come_with_their_names_and_data) {
  EXPECT_EQ(read({bodies[0]}), "[a|-|text/plain:hello]");
  EXPECT_EQ(read({bodies[1]}), "[a|-|text/plain:hello]");
  EXPECT_EQ(read({bodies[2]}), "[a|-|text/plain:]");
  EXPECT_EQ(read({bodies[3]}), "[a|-|text/plain:]");
  EXPECT_EQ(read({bodies[4]}), "[a|-|text/plain:1][b|x.zip|application/zip:2]");
  EXPECT_EQ(read({bodies[5]}), "[a|-|text/plain:crlf before]");
  EXPECT_EQ(read({bodies[7]}), "[a|-|text/plain:x]");
  EXPECT_EQ(read({bodies[14]}), "[a|-|text/plain:padded]");
  EXPECT_EQ(read({bodies[20]}), "");
}

TEST(multipart, data_that_resembles_a_boundary_is_data) {
  EXPECT_EQ(read({bodies[8]}), "[a|-|text/plain:\r\n]");
  EXPECT_EQ(read({bodies[9]}), "[a|-|text/plain:\r\n\r\n\r\n--\r\n--]");
  EXPECT_EQ(read({bodies[10]}), "[a|-|text/plain:\r\r\r\r\n\r\n-\r\n--\r]");
  EXPECT_EQ(read({bodies[11]}), "[a|-|text/plain:\r\n-\r\n--\r\n--\r\n--A\r\n--b]");
  EXPECT_EQ(read({bodies[12]}), "[a|-|text/plain:a --B in the middle --B-- and \n--B\n--B--\n]");
  EXPECT_EQ(read({bodies[15]}), std::string("[a|-|text/plain:\0\xff\r\0\n\r\n\0--B]", 28));
}

TEST(multipart, what_is_cut_or_malformed_is_refused) {
  for (const std::size_t i : {6U, 13U, 16U, 17U, 18U, 19U, 21U, 22U, 23U, 24U, 25U})
    EXPECT_TRUE(says(read({bodies[i]}), "!multipart body: ")) << i << ": " << read({bodies[i]});
  EXPECT_TRUE(says(read({bodies[16]}), "ends before"));
  EXPECT_TRUE(says(read({bodies[22]}), "no part begins"));
}

TEST(multipart, every_split_gives_the_same_parts) {
  for (const auto& body : bodies) {
    const std::string_view all = body;
    const auto expected = read({all});
    for (std::size_t i = 0; i <= all.size(); ++i)
      ASSERT_EQ(read({all.substr(0, i), all.substr(i)}), expected) << i << " of " << body;
    for (std::size_t width = 1; width <= 5; ++width) {
      std::vector<std::string_view> pieces;
      for (std::size_t i = 0; i < all.size(); i += width)
        pieces.push_back(all.substr(i, width));
      ASSERT_EQ(read(pieces), expected) << width << " at a time: " << body;
    }
  }
}

TEST(multipart, every_pair_of_splits_gives_the_same_parts) {
  for (const auto& body : bodies) {
    const std::string_view all = body;
    const auto expected = read({all});
    for (std::size_t i = 0; i <= all.size(); ++i)
      for (std::size_t k = i; k <= all.size(); k += 3)
        ASSERT_EQ(read({all.substr(0, i), all.substr(i, k - i), all.substr(k)}), expected)
            << i << ", " << k << " of " << body;
  }
}

TEST(multipart, random_bodies_read_the_same_however_they_are_cut) {
  const std::string tokens[] = {"\r",
                                "\n",
                                "\r\n",
                                "--",
                                "-",
                                "B",
                                "--B",
                                "\r\n--B",
                                "\r\n--B\r\n",
                                "\r\n--B--",
                                " ",
                                "x",
                                "name=a",
                                "Content-Disposition: form-data; ",
                                "Content-Disposition: form-data; name=a\r\n\r\n"};
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random{seed};
    std::string body = seed % 2 == 0 ? "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n" : "";
    for (auto count = random() % 20; count > 0; --count)
      body += tokens[random() % std::size(tokens)];
    const std::string_view all = body;
    std::vector<std::string_view> pieces;
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < all.size(); ++i)
      bytes.push_back(all.substr(i, 1));
    for (std::size_t i = 0; i < all.size(); i += pieces.back().size())
      pieces.push_back(all.substr(i, 1 + random() % 9));
    const auto expected = read({all});
    ASSERT_EQ(read(bytes), expected);
    ASSERT_EQ(read(pieces), expected);
  }
}

TEST(multipart, the_longest_boundary_works_at_every_split) {
  const std::string boundary(70, '-'); // resembles its own beginning as much as can be
  const std::string body = "--" + boundary +
                           "\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n" +
                           std::string(71, '-') + "\r\n--" + boundary + "--";
  const std::string_view all = body;
  const auto expected = "[a|-|text/plain:x\r\n" + std::string(71, '-') + "]";
  for (std::size_t i = 0; i <= all.size(); ++i)
    ASSERT_EQ(read({all.substr(0, i), all.substr(i)}, boundary), expected) << i;
}

TEST(multipart, it_is_finished_with_the_closing_boundary) {
  transcript heard;
  multipart_parser parser{"B", heard};
  parser.feed(part("x"));
  parser.feed("--B-");
  EXPECT_FALSE(parser.finished());
  EXPECT_THROW(parser.end(), failure);
  parser.feed("-");
  EXPECT_TRUE(parser.finished());
  parser.feed("\r\nepilogue");
  EXPECT_NO_THROW(parser.end());
}

TEST(multipart, only_boundaries_of_the_rfc_are_taken) {
  transcript heard;
  for (const std::string& bad :
       {std::string{}, std::string(71, 'a'), std::string{"a\r\nb"}, std::string{"a "}})
    EXPECT_THROW((multipart_parser{bad, heard}), failure);
}

TEST(multipart, it_holds_64_parts) {
  std::string body;
  for (int i = 0; i < 64; ++i)
    body += part("x");
  EXPECT_FALSE(says(read({body + "--B--"}), "!"));
  EXPECT_TRUE(says(read({body + part("x") + "--B--"}), "more than 64 parts"));
}

TEST(multipart, the_header_of_a_part_has_8_KiB) {
  const auto with = [](std::size_t fill) {
    return "--B\r\nX: " + std::string(fill, 'x') +
           "\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--B--";
  };
  EXPECT_EQ(read({with(8000)}), "[a|-|text/plain:]");
  EXPECT_TRUE(says(read({with(8192)}), "longer than 8 KiB"));
  EXPECT_TRUE(says(read({"--B\r\n", std::string(1 << 20, 'x')}), "longer than 8 KiB"));
}

TEST(multipart, the_preamble_has_64_KiB) {
  const std::string most(max_preamble, '\n');
  EXPECT_EQ(read({most + "\r\n" + part("x") + "--B--"}), "[a|-|text/plain:x]");
  EXPECT_TRUE(says(read({most, "\n", part("x")}), "64 KiB"));
  std::string crlf;
  while (crlf.size() < 10'000'000)
    crlf += "\r\n";
  EXPECT_TRUE(says(read({crlf}), "64 KiB"));
}

TEST(multipart, what_a_listener_throws_comes_out_of_feed) {
  struct full final : multipart_events {
    void part_begin(const part_header&) override {}
    void part_data(std::string_view) override { throw failure{errc::disk_full, "full"}; }
    void part_end() override {}
  } disk;
  multipart_parser parser{"B", disk};
  EXPECT_EQ(refusal([&] { parser.feed(part("x")); }, errc::disk_full), "full");
}

TEST(multipart, hostile_data_takes_linear_time) {
  // Each piece is one feed: nearly a boundary, over and over, and cut in the worst places.
  const std::string boundary(70, 'b');
  const std::string head = "--" + boundary + "\r\nContent-Disposition: form-data; name=a\r\n\r\n";
  for (const std::string& unit :
       {std::string{"\r"}, std::string{"\r\n"}, "\r\n--" + boundary.substr(1),
        "\r\n--" + boundary.substr(1) + "\r"}) {
    std::string data;
    while (data.size() < 8'000'000)
      data += unit;
    struct count final : multipart_events {
      void part_begin(const part_header&) override {}
      void part_data(std::string_view bytes) override { total += bytes.size(); }
      void part_end() override {}
      std::size_t total = 0;
    } heard;
    multipart_parser parser{boundary, heard};
    parser.feed(head);
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at < data.size(); at += 1021)
      parser.feed(std::string_view{data}.substr(at, 1021));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5}); // some 30 ms
    parser.feed("x\r\n--" + boundary + "--");
    EXPECT_TRUE(parser.finished());
    EXPECT_EQ(heard.total, data.size() + 1);
  }
}

} // namespace jobrunner::http
