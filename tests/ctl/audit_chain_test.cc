#include "ctl/api/audit_chain.h"

#include <catch2/catch.hpp>

#include "rules/sha256.h"

using namespace ctl::api;

namespace {

const std::string kVerdict = R"({"event":{"dataset":"fwd.verdict","sequence":41},"fwd":{"ttl":52}})"
                             "\n";

}  // namespace

TEST_CASE("a line is sealed by the hash of its own bytes up to its predecessor's") {
  std::string out = "before\n";
  const auto hash = seal(out = out + kVerdict, 7, kNoHash);
  const std::string covered =
      R"({"event":{"dataset":"fwd.verdict","sequence":41},"fwd":{"ttl":52,"prev":")" +
      std::string(64, '0') + '"';
  CHECK(text(hash) == rules::sha256_hex(covered));
  CHECK(out == "before\n" + covered + R"(,"hash":")" + rules::sha256_hex(covered) + "\"}}\n");
  const auto found = seal_of(std::string_view(out).substr(7));
  REQUIRE(found);
  CHECK(found->covered == covered);
  CHECK(found->prev == kNoHash);
  CHECK(found->hash == hash);
}

TEST_CASE("a line of EVE is sealed within its own closing") {
  std::string out = R"({"metadata":{"flowvars":[{"dataset":"fwd.verdict","sequence":41}]}})"
                    "\n";
  const auto hash = seal(out, 0, kNoHash);
  const std::string covered =
      R"({"metadata":{"flowvars":[{"dataset":"fwd.verdict","sequence":41,"prev":")" +
      std::string(64, '0') + '"';
  CHECK(out == covered + R"(,"hash":")" + rules::sha256_hex(covered) + "\"}]}}\n");
  REQUIRE(seal_of(out));
  CHECK(seal_of(out)->hash == hash);
  CHECK(facts_of(out).sequence == 41);
  out.erase(out.find("]}}"), 1);
  CHECK_FALSE(seal_of(out));
}

TEST_CASE("an empty object takes the seal as well, again and again") {
  for (int round = 0; round < 3; ++round) {
    std::string out = "{\"fwd\":{}}\n";
    const auto hash = seal(out, 0, kNoHash);
    CHECK(seal_of(out)->hash == hash);
    CHECK(text(hash) == rules::sha256_hex(seal_of(out)->covered));
    CHECK(out.starts_with("{\"fwd\":{\"prev\":\"000"));
  }
}

TEST_CASE("a line without the whole seal at its end has none") {
  std::string out = kVerdict;
  seal(out, 0, kNoHash);
  CHECK(seal_of(out));
  CHECK(seal_of(std::string_view(out).substr(0, out.size() - 1)));
  CHECK_FALSE(seal_of(out + " "));
  CHECK_FALSE(seal_of(std::string_view(out).substr(0, out.size() - 2)));
  CHECK_FALSE(seal_of(kVerdict));
  CHECK_FALSE(seal_of(""));
  std::string renamed = out;
  renamed.replace(renamed.find("\"hash\""), 6, "\"hush\"");
  CHECK_FALSE(seal_of(renamed));
}

TEST_CASE("a line says what it stands for") {
  const auto one = facts_of(kVerdict);
  CHECK(one.sequence == 41);
  CHECK(one.dataset == Dataset::Verdict);
  CHECK(one.decisions == 1);
  CHECK_FALSE(one.folded);
  const auto fold = facts_of(
      R"({"event":{"dataset":"fwd.verdict","sequence":42},"fwd":{"packets":300,"decided_by":"d"}})");
  CHECK(fold.decisions == 300);
  CHECK(fold.folded);
  const auto gap =
      facts_of(R"({"event":{"dataset":"fwd.audit_gap","sequence":43},"fwd":{"count":7}})");
  CHECK(gap.dataset == Dataset::Gap);
  CHECK(gap.decisions == 7);
  const auto health =
      facts_of(R"({"event":{"dataset":"fwd.health","sequence":44},"fwd":{"packets":9}})");
  CHECK(health.dataset == Dataset::Other);
  CHECK(health.decisions == 0);
  CHECK(facts_of("{}").sequence == 0);
  CHECK(facts_of(R"({"m":"\"sequence\":9"})").sequence == 0);
}
