// The chain of the audit log, as the daemon makes it and fwctl checks it. Every line ends with
//   ..."prev":"HASH","hash":"HASH"}}        in ECS,
//   ..."prev":"HASH","hash":"HASH"}]}}      in EVE,
// where "prev" is the hash of the line before, and "hash" the SHA-256 of the line's own bytes from
// its first to the quote that closes "prev"; both in 64 lower-case hexadecimal digits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ctl::api {

using ChainHash = std::array<char, 64>;

inline constexpr ChainHash kNoHash = [] {
  ChainHash zeros{};
  zeros.fill('0');
  return zeros;
}();  // before the first line

inline std::string_view text(const ChainHash& hash) {
  return {hash.data(), hash.size()};
}

// The last line of a chain.
struct ChainEnd {
  std::uint64_t sequence = 0;
  ChainHash hash = kNoHash;

  bool operator==(const ChainEnd&) const = default;
};

ChainHash hash_of_line(std::string_view covered);

// What closes a line after its last member, "}}" or "}]}}"; with or without its line end.
std::string_view closing_of(std::string_view line);

// Puts the chain's fields behind the last members of the line that begins at `begin` and has its
// closing and line end already. The line's hash.
ChainHash seal(std::string& out, std::size_t begin, const ChainHash& before);

// What a line says of itself; nothing where its end isn't that of a sealed line.
struct Seal {
  std::string_view covered;  // what the hash is of
  ChainHash prev;
  ChainHash hash;
};
std::optional<Seal> seal_of(std::string_view line);  // with or without its line end

// What a line stands for. Strings have their quotes escaped, so that keys are found only where they
// are some.
enum class Dataset : std::uint8_t { Verdict, Gap, Other };
struct LineFacts {
  std::uint64_t sequence = 0;  // 0: it has none, as every line of ours does
  Dataset dataset = Dataset::Other;
  std::uint64_t decisions = 0;  // of a verdict or a gap
  bool folded = false;          // told together with others
};
LineFacts facts_of(std::string_view line);

// What a line with a checkpoint says that the lines before it tell of.
struct CheckpointFacts {
  std::uint64_t written = 0;
  std::uint64_t folded = 0;
  std::uint64_t lost = 0;
};
std::optional<CheckpointFacts> checkpoint_of(std::string_view line);

}  // namespace ctl::api
