// The entry points are seal(), seal_of() and facts_of().
#include "ctl/api/audit_chain.h"

#include <algorithm>
#include <charconv>

#include <nettle/sha2.h>

namespace ctl::api {
namespace {

constexpr std::string_view kPrev = "\"prev\":\"";
constexpr std::string_view kHash = "\",\"hash\":\"";
constexpr std::string_view kEcsClosing = "}}";
constexpr std::string_view kEveClosing = "}]}}";
constexpr std::size_t kHashBytes = 32;

void append_hash(std::string& out, const ChainHash& hash) {
  out.append(hash.data(), hash.size());
}

ChainHash hexadecimal(const std::array<unsigned char, kHashBytes>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  ChainHash hash;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    hash[2 * at] = kDigits[bytes[at] >> 4U];
    hash[2 * at + 1] = kDigits[bytes[at] & 0xfU];
  }
  return hash;
}

// Takes the hash that `text` begins with.
std::optional<ChainHash> take_hash(std::string_view& text) {
  ChainHash hash;
  if (text.size() < hash.size()) return std::nullopt;
  std::copy_n(text.begin(), hash.size(), hash.begin());
  text.remove_prefix(hash.size());
  return hash;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<std::uint64_t> number_after(std::string_view line, std::string_view key) {
  const auto at = line.rfind(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto digits = line.substr(at + key.size());
  if (std::from_chars(digits.begin(), digits.end(), number).ec != std::errc()) return std::nullopt;
  return number;
}

}  // namespace

ChainHash hash_of_line(std::string_view covered) {
  std::array<unsigned char, kHashBytes> digest{};
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, covered.size(), reinterpret_cast<const std::uint8_t*>(covered.data()));
  sha256_digest(&context, digest.size(), digest.data());
  return hexadecimal(digest);
}

std::string_view closing_of(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line.ends_with(kEveClosing) ? kEveClosing : kEcsClosing;
}

ChainHash seal(std::string& out, std::size_t begin, const ChainHash& before) {
  const std::string_view closing = closing_of(out);
  out.resize(out.size() - closing.size() - 1);
  if (out.back() != '{') out.push_back(',');
  append_hash(out.append(kPrev), before);
  out.push_back('"');
  const ChainHash hash = hash_of_line(std::string_view(out).substr(begin));
  append_hash(out.append(kHash.substr(1)), hash);
  out.append("\"").append(closing).push_back('\n');
  return hash;
}

std::optional<Seal> seal_of(std::string_view line) {
  constexpr std::size_t kLength =
      kPrev.size() + ChainHash().size() + kHash.size() + ChainHash().size() + 1;
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::string_view closing = closing_of(line);
  if (line.size() < kLength + closing.size()) return std::nullopt;
  std::string_view rest = line.substr(line.size() - closing.size() - kLength);
  if (!take(rest, kPrev)) return std::nullopt;
  const auto prev = take_hash(rest);
  const std::size_t covered = line.size() - rest.size() + 1;
  if (!take(rest, kHash)) return std::nullopt;
  const auto hash = take_hash(rest);
  if (!take(rest, "\"") || rest != closing) return std::nullopt;
  return Seal{line.substr(0, covered), *prev, *hash};
}

LineFacts facts_of(std::string_view line) {
  LineFacts facts{.sequence = number_after(line, "\"sequence\":").value_or(0)};
  if (line.find(R"("dataset":"fwd.verdict")") != std::string_view::npos) {
    const auto packets = number_after(line, "\"packets\":");
    facts.dataset = Dataset::Verdict;
    facts.folded = packets.has_value();
    facts.decisions = packets.value_or(1);
  } else if (line.find(R"("dataset":"fwd.audit_gap")") != std::string_view::npos) {
    facts.dataset = Dataset::Gap;
    facts.decisions = number_after(line, "\"count\":").value_or(0);
  }
  return facts;
}

std::optional<CheckpointFacts> checkpoint_of(std::string_view line) {
  const auto at = line.rfind(R"("checkpoint":{)");
  if (at == std::string_view::npos) return std::nullopt;
  const auto object = line.substr(at);
  const auto written = number_after(object, "\"written\":");
  const auto folded = number_after(object, "\"folded\":");
  const auto lost = number_after(object, "\"lost\":");
  if (!written || !folded || !lost) return std::nullopt;
  return CheckpointFacts{*written, *folded, *lost};
}

}  // namespace ctl::api
