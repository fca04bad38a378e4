// Uploads in one request: as a form, or as the bytes themselves. Both are parsed as they arrive.
#include "core/hex.hpp"
#include "core/text.hpp"
#include "http/handlers.hpp"
#include "http/intake.hpp"
#include "http/text/ascii.hpp"
#include "http/text/multipart.hpp"
#include "http/text/safe_name.hpp"

namespace jobrunner::http {

namespace {

constexpr std::size_t longest_field = 1024;

std::string checked_sha256(const std::string& text) {
  if (!is_sha256(text))
    throw failure(errc::invalid,
                  "sha256 is " + shown(text) + ", but must be 64 hexadecimal digits");
  return text;
}

void check_sha256(const std::string& wanted, const arrival& a) {
  if (wanted != a.sha256)
    throw failure(errc::invalid,
                  "sha256 is " + wanted + ", but the file that arrived has " + a.sha256);
}

/// The parts of an upload's form: `file`, and fields that are kept.
class upload_form final : public multipart_events {
public:
  void part_begin(const part_header& part) override {
    in_file_ = part.name == "file" && part.filename;
    if (in_file_ && file_seen)
      throw failure(errc::invalid, "the form has two files; upload them one by one");
    if (in_file_) {
      file_seen = true;
      now.begin = safe_name(*part.filename);
      now.extract = extract_;
    } else if (part.name == "file") {
      throw failure(
          errc::invalid,
          "the field file is no file: it has no filename (with curl: -F file=@data.tar.gz)");
    } else if (part.name == "extract" && file_seen) {
      throw failure(errc::invalid, "the field extract comes after the file; put it before");
    } else if (part.name == "sha256" || part.name == "extract") {
      field_ = part.name;
      value_.clear();
    } else {
      throw failure(errc::invalid,
                    "unknown field " + shown(part.name) + "; known are: file, sha256, extract");
    }
  }
  void part_data(std::string_view bytes) override {
    if (in_file_)
      now.bytes.push_back(bytes);
    else if (value_.size() + bytes.size() > longest_field)
      throw failure(errc::invalid,
                    field_ + " is longer than " + std::to_string(longest_field) + " bytes");
    else
      value_ += bytes;
  }
  void part_end() override {
    if (in_file_)
      return;
    if (field_ == "extract")
      extract_ =
          fields::from_pairs({{field_, std::string{trimmed(value_)}}}).boolean_or(field_, true);
    else if (const auto text = lower(trimmed(value_)); !text.empty()) // empty: not filled in
      sha256 = checked_sha256(text);
  }

  piece now;
  std::optional<std::string> sha256;
  bool file_seen = false;

private:
  bool in_file_ = false, extract_ = true;
  std::string field_, value_;
};

asio::awaitable<arrival> receive_form(exchange& x, intake& into) {
  upload_form form;
  multipart_parser parser{boundary_of(view(x.headers[beast::field::content_type])), form};
  const intake::splitter split = [&](std::string_view received) {
    parser.feed(received);
    return std::exchange(form.now, {});
  };
  co_await into.receive(split);
  parser.end();
  if (!form.file_seen)
    throw failure(errc::invalid, "the form has no field file (with curl: -F file=@data.tar.gz)");
  auto arrived = co_await into.finish();
  if (form.sha256)
    check_sha256(*form.sha256, arrived);
  co_return arrived;
}

/// What a PUT says besides its body.
struct put_request {
  std::string sha256, filename;
  bool extract = true;
};

put_request parse_put(const exchange& x) {
  x.query.allow({"filename", "extract"});
  if (!x.query.has("filename"))
    throw failure(errc::invalid, "the query has no filename, which tells what the bytes are: "
                                 "PUT /datasets/<sha256>?filename=data.tar.gz");
  const auto kind = lower(view(x.headers[beast::field::content_type]));
  if (kind.starts_with("multipart/"))
    throw failure(errc::unsupported, "a PUT takes the bytes of the file themselves (with curl: -T "
                                     "FILE); a form goes to POST /datasets/upload");
  if (x.headers.count(beast::field::content_encoding) > 0)
    throw failure(errc::unsupported, "Content-Encoding is not understood here: send the bytes as "
                                     "the sha256 counts them");
  return {checked_sha256(lower(x.args.at(0))), safe_name(x.query.text("filename")),
          x.query.boolean_or("extract", true)};
}

asio::awaitable<arrival> receive_bytes(const put_request& put, intake& into) {
  auto begin = put.filename;
  const intake::splitter split = [&](std::string_view received) {
    return piece{std::exchange(begin, ""), put.extract, {received}};
  };
  co_await into.receive(split);
  auto arrived = co_await into.finish();
  check_sha256(put.sha256, arrived);
  co_return arrived;
}

boost::json::object stored(const dataset& d) {
  return {{"sha256", d.sha256}, {"stored_path", d.rel_path}, {"bytes", d.bytes}};
}

} // namespace

// POST /datasets/upload
asio::awaitable<response> upload_dataset(exchange& x) {
  boundary_of(
      view(x.headers[beast::field::content_type])); // refused before a byte of the body is read
  const std::function receive = [&x](intake& into) { return receive_form(x, into); };
  const auto made = co_await take_in(x, receive);
  co_return json(beast::status::ok, stored(made));
}

// PUT /datasets/{sha256}?filename=: the bytes themselves. What is there already is not received.
asio::awaitable<response> put_dataset(exchange& x) {
  const auto put = parse_put(x);
  check_length(x);
  if (const auto known = x.with.published.datasets.use(put.sha256); known && known->damage.empty())
    co_return json(beast::status::ok, stored(*known));
  const std::function receive = [&put](intake& into) { return receive_bytes(put, into); };
  const auto made = co_await take_in(x, receive);
  auto res = json(beast::status::created, stored(made));
  res.message.set(beast::field::location, "/datasets/" + made.sha256);
  co_return res;
}

} // namespace jobrunner::http
