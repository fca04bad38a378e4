#include "core/error.hpp"
#include "slurm/commands.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>

namespace jobrunner::slurm {

namespace {

namespace fs = std::filesystem;
using argv = std::vector<std::string>;

class commands_test : public testing::Test {
protected:
  commands_test() {
    std::string pattern = fs::temp_directory_path() / "commandsXXXXXX";
    dir_ = ::mkdtemp(pattern.data());
    std::ofstream{dir_ / "train.py"} << "";
  }
  ~commands_test() override { fs::remove_all(dir_); }

  void put(const std::string& name, const std::string& text) { std::ofstream{dir_ / name} << text; }

  command load(const std::string& text) {
    put("c.json", text);
    return load_commands(dir_).at("c");
  }

  bool is_bad(const std::string& text) {
    put("c.json", text);
    testing::internal::CaptureStderr();
    const bool left_out = !load_commands(dir_).contains("c");
    const auto said = testing::internal::GetCapturedStderr();
    return left_out && said.find("c.json") != std::string::npos;
  }

  fs::path dir_;
};

argv render_text(const command& c, const std::string& params) {
  return render(c, boost::json::parse(params).as_object(), params, {"/data", "/results"});
}

std::string complaint(const command& c, const std::string& params) {
  try {
    render_text(c, params);
  } catch (const failure& f) {
    EXPECT_EQ(f.code(), errc::invalid);
    return f.what();
  }
  return {};
}

/// A command with one parameter x of the given declaration, which is its only argument.
std::string with_x(const std::string& declared, const std::string& item = "{x}") {
  return R"({"params": {"x": )" + declared + R"(}, "run": ["prog", ")" + item + R"("]})";
}

TEST_F(commands_test, a_template_is_rendered_with_its_defaults_and_places) {
  const auto c = load(R"({"description": "d", "additional_params": true,
    "params": {"lr": {"type": "number", "default": 0.1}, "n": {"type": "integer", "default": 3},
               "on": {"type": "boolean", "default": true}, "rest": {"type": "strings", "default": []}},
    "run": ["python3", "./train.py", "--lr", "{lr}", "{n}", "{on}", "{rest...}", "{DATASET_DIR}",
            "{RESULT_DIR}", "{JR_PARAMS}", "{\"literal\": 1}", "{}"]})");
  EXPECT_EQ(render_text(c, "{ }"),
            (argv{"python3", (dir_ / "train.py").string(), "--lr", "0.1", "3", "true", "/data",
                  "/results", "{ }", "{\"literal\": 1}", "{}"}));
  EXPECT_EQ(render_text(c, R"({"lr": 1e-5, "n": 4.0, "on": false, "rest": ["a b", "", "-x"]})"),
            (argv{"python3", (dir_ / "train.py").string(), "--lr", "1e-05", "4", "false", "a b", "",
                  "-x", "/data", "/results",
                  R"({"lr": 1e-5, "n": 4.0, "on": false, "rest": ["a b", "", "-x"]})",
                  "{\"literal\": 1}", "{}"}));
}

TEST_F(commands_test, hostile_text_is_one_argument_byte_for_byte) {
  const auto c = load(with_x(R"({"type": "string", "required": true})"));
  for (const std::string text : {"$(id)", "`id`", "; rm -rf /", "{x}", "{DATASET_DIR}", "a\nb",
                                 "' \" \\", "-rf", "\xc3\xbc", "#SBATCH --wait", "%s%n", ""}) {
    boost::json::object o{{"x", text}};
    EXPECT_EQ(render(c, o, boost::json::serialize(o), {"/d", "/r"}), (argv{"prog", text}));
  }
  boost::json::object nul{{"x", std::string("a\0b", 3)}};
  EXPECT_THROW(render(c, nul, "{}", {"/d", "/r"}), failure);
}

TEST_F(commands_test, a_value_of_a_wrong_type_is_named_with_what_would_be_right) {
  const struct {
    const char *type, *bad;
  } cases[] = {{"string", "1"},      {"number", "\"1\""},
               {"integer", "1.5"},   {"integer", "1e300"},
               {"boolean", "1"},     {"path", "\"/etc/passwd\""},
               {"path", "\"../x\""}, {"path", "\"a/../b\""},
               {"path", "\"\""},     {"path", "\"a\\u0000\""},
               {"path", "\"..\""},   {"strings", "\"a\""},
               {"strings", "[1]"},   {"strings", "[\"a\\u0000\"]"},
               {"object", "[]"},     {"string", "null"}};
  for (const auto& [type, bad] : cases) {
    const auto c = load(with_x(R"({"required": true, "type": ")" + std::string{type} + "\"}"));
    const auto said = complaint(c, R"({"x": )" + std::string{bad} + "}");
    EXPECT_NE(said.find("\"x\""), std::string::npos) << type << " " << bad;
    EXPECT_NE(said.find("must be"), std::string::npos) << type << " " << bad;
  }
  EXPECT_EQ(complaint(load(with_x(R"({"type": "number", "required": true})")), R"({"x": "abc"})"),
            "params: \"x\" is \"abc\" but must be a number");
}

TEST_F(commands_test, limits_and_enumerations_hold) {
  const auto c =
      load(with_x(R"({"type": "number", "required": true, "minimum": 0, "maximum": 10})"));
  EXPECT_EQ(complaint(c, R"({"x": 0})"), "");
  EXPECT_EQ(complaint(c, R"({"x": 10.0})"), "");
  EXPECT_NE(complaint(c, R"({"x": -0.5})").find("at least 0"), std::string::npos);
  EXPECT_NE(complaint(c, R"({"x": 18446744073709551615})").find("at most 10"), std::string::npos);
  const auto e = load(with_x(R"({"type": "any", "required": true, "enum": ["a", 1]})"));
  EXPECT_EQ(complaint(e, R"({"x": 1.0})"), "");
  EXPECT_NE(complaint(e, R"({"x": "b"})").find("one of [\"a\",1]"), std::string::npos);
}

TEST_F(commands_test, missing_and_unknown_parameters_are_refused) {
  const auto c = load(with_x(R"({"type": "string", "required": true})"));
  EXPECT_NE(complaint(c, "{}").find("\"x\" is missing"), std::string::npos);
  EXPECT_NE(complaint(c, R"({"x": "", "y": 1})").find("\"y\""), std::string::npos);
}

TEST_F(commands_test, a_path_is_relative_and_never_an_option) {
  const auto c = load(with_x(R"({"type": "path", "required": true})"));
  EXPECT_EQ(render_text(c, R"({"x": "a/b..c/.d"})"), (argv{"prog", "a/b..c/.d"}));
  EXPECT_EQ(render_text(c, R"({"x": "--version"})"), (argv{"prog", "./--version"}));
}

TEST_F(commands_test, params_too_long_for_an_environment_are_refused) {
  const auto c = load(R"({"additional_params": true, "run": ["prog"]})");
  EXPECT_EQ(complaint(c, R"({"a": ")" + std::string(99'000, 'x') + "\"}"), "");
  EXPECT_NE(complaint(c, R"({"a": ")" + std::string(100'000, 'x') + "\"}").find("100000"),
            std::string::npos);
  EXPECT_THROW(render(c, {}, std::string("{}\0", 3), {"/d", "/r"}), failure);
}

TEST_F(commands_test, a_bad_template_is_left_out_and_the_others_stay) {
  put("good.json", R"({"run": ["true"]})");
  put("notes.txt", "no template");
  for (const auto& bad :
       {std::string{""},
        std::string{"{"},
        std::string{"[]"},
        std::string{"{}"},
        std::string{R"({"run": []})"},
        std::string{R"({"run": [1]})"},
        std::string{R"({"run": [""]})"},
        std::string{R"({"run": ["true"], "extra": 1})"},
        std::string{R"({"run": ["true"], "params": []})"},
        std::string{R"({"run": ["./missing.py"]})"},
        std::string{R"({"run": ["true", "{y}"]})"},
        with_x(R"({"type": "float"})", "a"),
        with_x(R"("string")", "a"),
        with_x(R"({"type": "string", "defualt": "a"})", "a"),
        with_x(R"({"type": "number", "default": "a"})"),
        with_x(R"({"type": "number", "default": -1, "minimum": 0})"),
        with_x(R"({"type": "string", "minimum": 0})", "a"),
        with_x(R"({"type": "string", "enum": []})", "a"),
        with_x(R"({"type": "string"})"), // neither default nor required
        with_x(R"({"type": "string", "default": ""})", "{x...}"),
        with_x(R"({"type": "string", "default": ""})", "--x={x}"),
        std::string{R"({"run": ["true", "--out={RESULT_DIR}"]})"},
        std::string{R"({"params": {"x": {"type": "string", "default": "a"}}, "run": ["{x}"]})"},
        std::string{R"({"params": {"JR_PARAMS": {"type": "string"}}, "run": ["true"]})"}}) {
    EXPECT_TRUE(is_bad(bad)) << bad;
    EXPECT_TRUE(load_commands(dir_).contains("good"));
  }
}

TEST_F(commands_test, a_missing_folder_is_a_failure) {
  EXPECT_THROW(load_commands(dir_ / "missing"), failure);
}

TEST_F(commands_test, a_description_shows_what_a_client_may_send) {
  const auto c = load(with_x(R"({"type": "string", "default": "a", "description": "why"})"));
  EXPECT_EQ(boost::json::serialize(describe(c)),
            R"({"key":"c","description":"","params":{"x":{"type":"string","default":"a",)"
            R"("description":"why"}},"additional_params":false})");
}

} // namespace

} // namespace jobrunner::slurm
