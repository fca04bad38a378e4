// One parameter of a command template: is its declaration sound, does a value fit, and how does
// the value look as an argument. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::slurm {

/// Throws failure{invalid} that says what is wrong with the declaration of `name`.
void check_declaration(std::string_view name, const boost::json::value& declared);

/// Throws failure{invalid} that names the parameter, its value and what would be right.
void check_value(std::string_view name, const boost::json::object& declared,
                 const boost::json::value& given);

/// A value that fits, as one argument: a string as it is, a number or boolean as JSON writes it, a
/// list or object as JSON text. A path that begins with "-" gets "./" before it, so that no
/// program takes it for an option.
std::string as_argument(const boost::json::object& declared, const boost::json::value& fitting);

/// A value that fits the type "strings", as an argument for each.
std::vector<std::string> as_arguments(const boost::json::value& fitting);

} // namespace jobrunner::slurm
