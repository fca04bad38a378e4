#include "actors/manifest.hpp"

#include "core/output_kind.hpp"
#include "core/text.hpp"

#include <boost/json/memory_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>

#include <filesystem>
#include <new>
#include <unordered_map>
#include <unordered_set>

namespace jobrunner {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_name = 1000;
constexpr std::size_t most_memory = 40 << 20; // "[[],[],..." takes thirty times its own size

/// Memory for one manifest, whatever is in it.
class bounded_memory final : public json::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t) override {
    if (bytes > most_memory - used_)
      throw std::bad_alloc();
    auto* p = ::operator new(bytes);
    used_ += bytes;
    return p;
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t) override {
    used_ -= bytes;
    ::operator delete(p);
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }
  std::size_t used_ = 0;
};

json::value parse(std::string_view text, bounded_memory& memory, json::error_code& ec) {
  json::parser p{&memory}; // at most 32 deep by default
  p.reset(&memory);
  p.write(text, ec);
  return ec ? nullptr : p.release();
}

class unique_ids {
public:
  /// `wanted` if it is free, else the path, else the path with a number.
  std::string take(const std::string& wanted, const std::string& path) {
    if (taken_.insert(wanted).second)
      return wanted;
    auto id = path;
    for (auto& n = tried_.try_emplace(path, 1).first->second; !taken_.insert(id).second;)
      id = path + "-" + std::to_string(++n);
    return id;
  }

private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> tried_; // by path: from where on to count
};

output make_output(const std::string& experiment, std::string id, const found_file& f) {
  output o;
  o.experiment_id = experiment;
  o.output_id = std::move(id);
  o.path = f.path;
  o.bytes = f.bytes;
  o.kind = output_kind(f.path);
  o.stamp = to_text(f.stamp);
  return o;
}

/// A member that is a fit name, or nullptr.
const json::string* name_in(const json::object& o, std::string_view key) {
  const auto* value = o.if_contains(key);
  const auto* text = value ? value->if_string() : nullptr;
  return text && !text->empty() && text->size() <= longest_name ? text : nullptr;
}

/// "./weights//a.pth" as the walk has it: "weights/a.pth".
std::string tidy(std::string_view path) {
  return std::filesystem::path{path}.lexically_normal().string();
}

} // namespace

named_outputs by_manifest(std::string_view text, const std::vector<found_file>& files,
                          const std::string& experiment_id) {
  named_outputs named{experiment_id, {}, {}};
  const auto useless = [&](const std::string& why) {
    named = by_name(files, experiment_id);
    named.problems.add("manifest.json is not used: " + why);
    return named;
  };
  bounded_memory memory; // outlives what is in it
  json::value parsed;
  try {
    json::error_code ec;
    parsed = parse(text, memory, ec);
    if (ec)
      return useless("it is not JSON (" + ec.message() + ")");
  } catch (const std::bad_alloc&) {
    return useless("it needs too much memory");
  }
  const auto* object = parsed.if_object();
  const auto* list =
      object && object->contains("outputs") ? object->at("outputs").if_array() : nullptr;
  if (!list)
    return useless("it has no list \"outputs\"");
  if (list->size() > most_outputs.entries)
    return useless("it lists more than " + std::to_string(most_outputs.entries) + " outputs");
  if (const auto* experiment = name_in(*object, "experimentId"))
    named.experiment_id = std::string{*experiment};
  else if (object->contains("experimentId"))
    named.problems.add("manifest.json has an experimentId that is no text of 1 to " +
                       std::to_string(longest_name) + " bytes");
  std::unordered_map<std::string_view, const found_file*> there;
  for (const auto& f : files)
    there.emplace(f.path, &f);
  unique_ids ids;
  for (const auto& item : *list) {
    const auto* entry = item.if_object();
    const auto* id = entry ? name_in(*entry, "id") : nullptr;
    const auto* path = entry ? name_in(*entry, "path") : nullptr;
    const auto file = path ? there.find(tidy(*path)) : there.end();
    if (!id || file == there.end()) {
      named.problems.add(id && path ? "manifest.json names " + shown(*path) +
                                          ", which is no regular file below RESULT_DIR"
                                    : "manifest.json names an output without a fit id or path");
      continue;
    }
    auto unique = ids.take(std::string{*id}, file->second->path);
    if (unique != std::string_view{*id})
      named.problems.add("manifest.json names two outputs " + shown(*id) + "; one of them is " +
                         shown(unique));
    named.outputs.push_back(make_output(named.experiment_id, std::move(unique), *file->second));
  }
  return named;
}

named_outputs by_name(const std::vector<found_file>& files, const std::string& experiment_id) {
  named_outputs named{experiment_id, {}, {}};
  named.outputs.reserve(files.size());
  unique_ids ids;
  for (const auto& f : files)
    named.outputs.push_back(make_output(
        experiment_id, ids.take(std::filesystem::path{f.path}.stem().string(), f.path), f));
  return named;
}

std::string experiment_in(const json::object& params) {
  const auto* name = name_in(params, "experimentId");
  return name ? std::string{*name} : "";
}

std::string default_experiment(const job& j) {
  if (!j.extras.experiment_id.empty())
    return j.extras.experiment_id;
  json::error_code ec;
  const auto params = json::parse(j.params_json, ec);
  const auto* object = ec ? nullptr : params.if_object();
  auto named = object ? experiment_in(*object) : "";
  return named.empty() ? "job-" + std::to_string(j.id) : named;
}

} // namespace jobrunner
