// Pure functions of ours under Google Benchmark: what a request, a look at Slurm, or a transfer
// spends on them.
#include "archive/tar_plan.hpp"
#include "core/sha256.hpp"
#include "http/request_parser.hpp"
#include "http/text/multipart.hpp"
#include "http/text/range.hpp"
#include "http/text/request_check.hpp"
#include "http/text/router.hpp"
#include "s3/sign.hpp"
#include "slurm/completion_log.hpp"
#include "slurm/parse.hpp"

#include <boost/asio/buffer.hpp>

#include <unistd.h>

#include <benchmark/benchmark.h>
#include <filesystem>
#include <fstream>
#include <string>

using namespace jobrunner;

namespace {

std::int64_t bytes_of(std::size_t n, benchmark::State& state) {
  return static_cast<std::int64_t>(n) * static_cast<std::int64_t>(state.iterations());
}

std::string padded(std::string text, std::size_t width) {
  text.resize(width, ' ');
  return text;
}

std::string uuid_name(std::int64_t n) {
  auto digits = std::to_string(n);
  return "jr-" + std::string(8 - digits.size(), '0') + digits + "-1111-4111-8111-111111111111";
}

std::string queue(std::int64_t jobs) {
  std::string text;
  for (std::int64_t i = 1; i <= jobs; ++i)
    text += std::to_string(i) + "|PENDING|0|" + padded("Resources", 80) + "|N/A|N/A||" +
            padded(uuid_name(i), 40) + "\n";
  return text;
}

std::string history(std::int64_t jobs) {
  std::string text;
  for (std::int64_t i = 1; i <= jobs; ++i)
    text += std::to_string(i) + "|COMPLETED|0:0|1700000000|1700000060|node1|" + uuid_name(i) + "\n";
  return text;
}

void range(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(http::parse_range("bytes=1048576-2097151", 1ULL << 30U));
}
BENCHMARK(range);

void squeue_lines(benchmark::State& state) {
  const auto text = queue(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(slurm::parse_queue(text));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(squeue_lines)->Arg(1)->Arg(100)->Arg(10000)->Unit(benchmark::kMicrosecond);

void sacct_lines(benchmark::State& state) {
  const auto text = history(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(slurm::parse_history(text));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sacct_lines)->Arg(1)->Arg(100)->Arg(10000)->Unit(benchmark::kMicrosecond);

/// A job among so many lines of slurmctld's completion log.
void completion_log_lines(benchmark::State& state) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("jr-bench-completion-" + std::to_string(::getpid()));
  std::ofstream out{file};
  for (std::int64_t i = 1; i <= state.range(0); ++i)
    out << "JobId=" << i << " UserId=runner(1000) GroupId=runner(1000) Name=" << uuid_name(i)
        << " JobState=COMPLETED Partition=main TimeLimit=5 StartTime=2026-01-01T00:00:00"
           " EndTime=2026-01-01T00:01:00 NodeList=node1 NodeCnt=1 ProcCnt=1 WorkDir=/tmp "
           "ReservationName= Tres=cpu=1 Account= QOS= WcKey= Cluster=unknown "
           "SubmitTime=2026-01-01T00:00:00 EligibleTime=2026-01-01T00:00:00 DerivedExitCode=0:0 "
           "ExitCode=0:0\n";
  out.close();
  const std::int64_t last = state.range(0);
  for (auto _ : state)
    benchmark::DoNotOptimize(slurm::lines_about(file, {&last, 1}));
  state.SetBytesProcessed(bytes_of(std::filesystem::file_size(file), state));
  std::filesystem::remove(file);
}
BENCHMARK(completion_log_lines)->Arg(100)->Arg(10000)->Unit(benchmark::kMicrosecond);

void signature_v4(benchmark::State& state) {
  const s3::signable request{
      "PUT",
      "/results/job-1/model.safetensors",
      {{"partNumber", "7"}, {"uploadId", "VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5tMnRz"}},
      {{"Host", "bucket.s3.example.com"}, {"X-Amz-Date", "20260101T000000Z"}},
      "UNSIGNED-PAYLOAD"};
  const s3::credentials who{"AKIDEXAMPLE", secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
                            "us-east-1"};
  for (auto _ : state)
    benchmark::DoNotOptimize(s3::authorization(request, who, "20260101T000000Z"));
}
BENCHMARK(signature_v4)->Unit(benchmark::kMicrosecond);

constexpr std::string_view request =
    "GET /jobs/12345?wait=20 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/8.0\r\n"
    "Accept: */*\r\nAuthorization: Bearer 0123456789abcdef0123456789abcdef\r\n\r\n";

void request_header(benchmark::State& state) {
  for (auto _ : state) {
    http::request_parser parser;
    boost::system::error_code error;
    parser.put(boost::asio::buffer(request.data(), request.size()), error);
    benchmark::DoNotOptimize(parser.is_header_done());
  }
}
BENCHMARK(request_header);

void request_framing(benchmark::State& state) {
  const http::framing framed{11,
                             "/jobs/12345?wait=20",
                             {{"Host", "127.0.0.1:8080"},
                              {"User-Agent", "curl/8.0"},
                              {"Accept", "*/*"},
                              {"Authorization", "Bearer 0123456789abcdef0123456789abcdef"}}};
  for (auto _ : state)
    benchmark::DoNotOptimize(http::check_framing(framed));
}
BENCHMARK(request_framing);

void route(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(
        http::holes_filled("/jobs/{id}/log", http::split_path("/jobs/12345/log")));
}
BENCHMARK(route);

struct counting final : http::multipart_events {
  void part_begin(const http::part_header&) override {}
  void part_data(std::string_view more) override { bytes += more.size(); }
  void part_end() override {}
  std::size_t bytes = 0;
};

/// A file of 16 MiB, in the pieces in which an upload is received.
void multipart(benchmark::State& state) {
  const std::string boundary = "------------------------d74496d66958873e";
  std::string body = "--" + boundary +
                     "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n"
                     "Content-Type: application/octet-stream\r\n\r\n";
  std::uint32_t noise = 1;
  for (std::size_t i = 0; i < 16U << 20U; ++i) {
    noise = noise * 1664525U + 1013904223U;
    body += static_cast<char>(noise >> 24U);
  }
  body += "\r\n--" + boundary + "--\r\n";
  constexpr std::size_t piece = 512U << 10U;
  for (auto _ : state) {
    counting events;
    http::multipart_parser parser{boundary, events};
    for (std::size_t at = 0; at < body.size(); at += piece)
      parser.feed(std::string_view{body}.substr(at, piece));
    parser.end();
    benchmark::DoNotOptimize(events.bytes);
  }
  state.SetBytesProcessed(bytes_of(body.size(), state));
}
BENCHMARK(multipart)->Unit(benchmark::kMillisecond);

std::vector<found_file> files(std::int64_t n) {
  std::vector<found_file> all;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto digits = std::to_string(1'000'000 + i);
    all.push_back({"part" + digits.substr(0, 4) + "/file" + digits + ".txt",
                   9000,
                   {static_cast<std::uint64_t>(i), 9000, 1'700'000'000'000'000'000, 1}});
  }
  return all;
}

void tar_plan(benchmark::State& state) {
  const auto found = files(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(archive::tar_plan{found}.etag());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(tar_plan)->Arg(100)->Arg(100000)->Unit(benchmark::kMicrosecond);

/// All that is sent of an archive and is not in its files.
void tar_heads(benchmark::State& state) {
  const archive::tar_plan plan{files(state.range(0))};
  for (auto _ : state)
    for (std::uint64_t at = 0; at < plan.size();) {
      const auto place = plan.at(at);
      if (place.what == archive::tar_plan::place::kind::head)
        benchmark::DoNotOptimize(plan.head(place.member));
      at += place.size;
    }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(tar_heads)->Arg(10000)->Unit(benchmark::kMicrosecond);

void sha256_of_a_mebibyte(benchmark::State& state) {
  const std::string block(1U << 20U, 'x');
  for (auto _ : state)
    benchmark::DoNotOptimize(sha256_of(block));
  state.SetBytesProcessed(bytes_of(block.size(), state));
}
BENCHMARK(sha256_of_a_mebibyte)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
