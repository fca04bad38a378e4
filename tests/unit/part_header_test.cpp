#include "expect_failure.hpp"
#include "http/text/part_header.hpp"

namespace jobrunner::http {

namespace {

part_header disposition(const std::string& value) {
  return parse_part_header("Content-Disposition: " + value + "\r\n");
}

} // namespace

TEST(part_header, a_field_has_a_name_and_a_file_a_filename) {
  const auto field = disposition(R"(form-data; name="cpus")");
  EXPECT_EQ(field.name, "cpus");
  EXPECT_FALSE(field.filename);
  EXPECT_EQ(field.content_type, "text/plain");
  const auto file = parse_part_header("content-TYPE:application/zip\r\nX-Other: 1\r\n"
                                      "CONTENT-disposition:form-data;filename=a.zip;name=file\r\n");
  EXPECT_EQ(file.name, "file");
  EXPECT_EQ(file.filename, "a.zip");
  EXPECT_EQ(file.content_type, "application/zip");
}

TEST(part_header, names_are_read_as_clients_write_them) {
  // What curl, browsers and python-requests send for a quote, a backslash and other letters.
  EXPECT_EQ(disposition(R"(form-data; name="f"; filename="a\"b.txt")").filename, R"(a"b.txt)");
  EXPECT_EQ(disposition(R"(form-data; name="f"; filename="a%22b.txt")").filename, R"(a"b.txt)");
  EXPECT_EQ(disposition(R"(form-data; name="f"; filename="a\\b.txt")").filename, R"(a\b.txt)");
  EXPECT_EQ(disposition(R"(form-data; name="f"; filename="C:\x\b.txt")").filename, R"(C:\x\b.txt)");
  EXPECT_EQ(disposition(R"(form-data; name="f"; filename="a;b=c.txt")").filename, "a;b=c.txt");
  EXPECT_EQ(disposition("form-data; name=\"f\"; filename=\"\u00e4\u20ac.txt\"").filename,
            "\u00e4\u20ac.txt");
  EXPECT_EQ(disposition(R"(form-data; name="f"; filename="%41%2e%.txt")").filename, "%41%2e%.txt");
  EXPECT_EQ(disposition(R"(form-data; name="f"; filename="")").filename, "");
  EXPECT_EQ(disposition(R"(form-data; name="a%22b")").name, R"(a"b)");
}

TEST(part_header, filename_star_goes_first) {
  EXPECT_EQ(disposition(R"(form-data; name=f; filename*=utf-8''%e2%82%ac%20x.txt; filename="e")")
                .filename,
            "\u20ac x.txt");
  EXPECT_EQ(disposition(R"(form-data; name=f; filename="e"; FILENAME*=UTF-8'de'a.txt)").filename,
            "a.txt");
  for (const char* bad :
       {"a.txt", "UTF-8'a.txt", "iso-8859-1''%e4", "UTF-8''%", "UTF-8''%00", "UTF-8''%ff", "''a"})
    EXPECT_THROW(disposition(std::string{"form-data; name=f; filename*="} + bad), failure) << bad;
}

TEST(part_header, headers_that_say_no_field_are_refused) {
  for (const char* bad :
       {"", "X: y\r\n", "Content-Disposition: form-data\r\n",
        "Content-Disposition: form-data; name=\"\"\r\n",
        "Content-Disposition: attachment; name=a\r\n",
        "Content-Disposition: form-data; name=a; name=b\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n",
        "Content-Disposition: form-data; name=\"a\r\n",
        "Content-Disposition : form-data; name=a\r\n", "Content-Disposition\r\n", ": x\r\n",
        "Content-Disposition: form-data;\r\n name=a\r\n", // folded
        "Content-Disposition: form-data; name=a\r\n\tx\r\n",
        "Content-Disposition: form-data; name=\"a\nb\"\r\n",
        "Content-Disposition: form-data; name=\"a\x1b\"\r\n",
        "Content-Disposition: form-data; name=\"\xff\"\r\n",
        "Content-Disposition: form-data; name=a; filename=\"\xc0\xaf\"\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n"})
    EXPECT_THROW(parse_part_header(bad), failure) << bad;
  EXPECT_EQ(parse_part_header("Content-Transfer-Encoding: binary\r\n"
                              "Content-Disposition: form-data; name=a\r\n")
                .name,
            "a");
}

TEST(part_header, a_part_has_16_header_lines_at_most) {
  std::string lines = "Content-Disposition: form-data; name=a\r\n";
  for (int i = 0; i < 15; ++i)
    lines += "X: y\r\n";
  EXPECT_EQ(parse_part_header(lines).name, "a");
  EXPECT_TRUE(says(refusal([&] { parse_part_header(lines + "X: y\r\n"); }), "16"));
}

TEST(part_header, boundaries_are_those_of_the_rfc) {
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(boundary_of("Multipart/Form-Data;charset=x;Boundary=\"a b:c=?\""), "a b:c=?");
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=" + std::string(70, 'x')).size(), 70U);
  for (const std::string& bad :
       {std::string{"multipart/form-data"}, std::string{"multipart/form-data; boundary="},
        std::string{"multipart/form-data; boundary=\"\""},
        std::string{"multipart/form-data; boundary=\"a \""},
        std::string{"multipart/form-data; boundary=a;boundary=b"},
        std::string{"multipart/form-data; boundary=\"a\r\nb\""},
        std::string{"multipart/form-data; boundary=\u00e4"},
        std::string{"multipart/form-data; boundary=a*b"},
        "multipart/form-data; boundary=" + std::string(71, 'x'),
        "multipart/form-data; boundary=" + std::string(10240, 'x')})
    refusal([&] { boundary_of(bad); });
  for (const char* other : {"", "text/plain", "multipart/mixed; boundary=a", "application/json"})
    refusal([&] { boundary_of(other); }, errc::unsupported);
}

} // namespace jobrunner::http
