// How encode() and decode() work: every struct of the API has one table of its fields, Fields<T>,
// from which both directions come. Only the .cc files of this folder include this.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "ctl/api/codec.h"

namespace ctl::api {

using Json = nlohmann::ordered_json;

// `get` is a member pointer, or a function from the struct to a reference to the field.
template <class Get>
struct Field {
  std::string_view name;
  Get get;
};
template <class Get>
Field(const char*, Get) -> Field<Get>;

// Specialised with `static constexpr std::tuple kFields{Field{...}, ...}`.
template <class T>
struct Fields;

// A request's unknown fields are refused: a misspelt "position" must not append the rule instead.
template <class T>
inline constexpr bool kIsRequest = false;

// Specialised with `static constexpr std::array<std::string_view, N> kNames`, in the enumerators'
// order.
template <class Enum>
struct Names;

template <class T>
concept Described = requires {
  Fields<T>::kFields;
};

template <class T, class Visit>
void for_each_field(const Visit& visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, Fields<T>::kFields);
}

// ---- to JSON

template <class T>
Json to_json_value(const T& value);

template <class T>
Json to_json_value(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json_value(value));
  return array;
}

template <class T>
Json to_json_value(const std::map<std::string, T>& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) object[name] = to_json_value(value);
  return object;
}

template <class T>
void put(Json& object, std::string_view name, const T& value) {
  object[std::string(name)] = to_json_value(value);
}

template <class T>
void put(Json& object, std::string_view name, const std::optional<T>& value) {
  if (value) put(object, name, *value);
}

template <class T>
Json to_json_value(const T& value) {
  if constexpr (Described<T>) {
    Json object = Json::object();
    for_each_field<T>(
        [&](const auto& field) { put(object, field.name, std::invoke(field.get, value)); });
    return object;
  } else if constexpr (std::is_enum_v<T>) {
    return Names<T>::kNames.at(static_cast<std::size_t>(value));
  } else {
    return value;
  }
}

// ---- from JSON: each read() returns what is wrong, empty when nothing is

inline std::string read(const Json& json, bool& value) {
  if (!json.is_boolean()) return "must be true or false";
  value = json.get<bool>();
  return {};
}

inline std::string read(const Json& json, std::string& value) {
  if (!json.is_string()) return "must be a string";
  value = json.get<std::string>();
  return {};
}

inline std::string read(const Json& json, double& value) {
  if (!json.is_number()) return "must be a number";
  value = json.get<double>();
  return {};
}

// nlohmann's own conversion wraps negative numbers around and cuts off fractions.
template <std::unsigned_integral T>
std::string read(const Json& json, T& value) {
  if (!json.is_number_unsigned()) return "must be a whole number, 0 or more";
  const auto wide = json.get<std::uint64_t>();
  if (wide > std::numeric_limits<T>::max()) return "is too large";
  value = static_cast<T>(wide);
  return {};
}

template <class Enum>
requires std::is_enum_v<Enum> std::string read(const Json& json, Enum& value) {
  const auto& names = Names<Enum>::kNames;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (json.is_string() && json.get_ref<const std::string&>() == names[i]) {
      value = static_cast<Enum>(i);
      return {};
    }
  }
  return "is none of the known words";
}

template <class T>
std::string read(const Json& json, std::vector<T>& values);
template <class T>
std::string read(const Json& json, std::map<std::string, T>& values);
template <Described T>
std::string read(const Json& json, T& value);

// "main" + "text: must be a string" -> "main.text: must be a string"
inline std::string below(std::string_view name, const std::string& problem) {
  if (problem.empty()) return {};
  const bool nested = problem.find(": ") != std::string::npos;
  return std::string(name) + (nested ? "." : ": ") + problem;
}

template <class T>
std::string read(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) return "must be an array";
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (auto problem = read(json[i], values.emplace_back()); !problem.empty()) {
      return below(std::to_string(i), problem);
    }
  }
  return {};
}

template <class T>
std::string read(const Json& json, std::map<std::string, T>& values) {
  if (!json.is_object()) return "must be an object";
  for (const auto& [name, member] : json.items()) {
    if (auto problem = read(member, values[name]); !problem.empty()) return below(name, problem);
  }
  return {};
}

template <class T>
std::string take(const Json& object, std::string_view name, T& value) {
  const auto found = object.find(name);
  if (found == object.end()) return below(name, "is missing");
  return below(name, read(*found, value));
}

template <class T>
std::string take(const Json& object, std::string_view name, std::optional<T>& value) {
  return object.contains(name) ? take(object, name, value.emplace()) : std::string();
}

template <class T>
bool has_field(std::string_view name) {
  bool found = false;
  for_each_field<T>([&](const auto& field) { found = found || field.name == name; });
  return found;
}

template <class T>
std::string refuse_unknown(const Json& object) {
  for (const auto& member : object.items()) {
    if (!has_field<T>(member.key())) return below(member.key(), "is not a field of this request");
  }
  return {};
}

template <Described T>
std::string read(const Json& json, T& value) {
  if (!json.is_object()) return "must be an object";
  std::string problem;
  for_each_field<T>([&](const auto& field) {
    if (problem.empty()) problem = take(json, field.name, std::invoke(field.get, value));
  });
  if (problem.empty() && kIsRequest<T>) problem = refuse_unknown<T>(json);
  return problem;
}

// No body of the API nests deeper; an attacker's may, at some 50 bytes of memory for each "[".
inline constexpr int kMaxDepth = 8;

// Of JSON text; of other text it may say either.
bool nests_too_deep(std::string_view text);

// A quicker way for a body that may be long; nothing where it is no plain case of it.
template <class Body>
struct Shortcut {
  static std::optional<std::string> encode(const Body&) { return std::nullopt; }
  static std::optional<Body> decode(std::string_view) { return std::nullopt; }
};

template <class Body>
std::string encode(const Body& body) {
  if (auto text = Shortcut<Body>::encode(body)) return *std::move(text);
  return to_json_value(body).dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class Body>
std::expected<Body, std::string> decode(std::string_view text) {
  if (auto body = Shortcut<Body>::decode(text)) return *std::move(body);
  if (nests_too_deep(text)) return std::unexpected("is nested too deeply");
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::unexpected("is not JSON");
  Body body{};
  if (auto problem = read(json, body); !problem.empty()) return std::unexpected(std::move(problem));
  return body;
}

}  // namespace ctl::api
