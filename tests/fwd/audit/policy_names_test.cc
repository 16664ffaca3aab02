#include "fwd/audit/policy_names.h"

#include <catch2/catch.hpp>

#include "tests/fwd/audit/records.h"

namespace {

using fwd::audit::PolicyBook;
using fwd::audit::PolicyNames;
using fwd::audit::test::policy;
using rules::Action;
using rules::DecidedBy;
using rules::Direction;

std::string object(const PolicyNames& names, DecidedBy by, Direction direction = Direction::In) {
  return names.find({Action::Deny, by, 0}, direction)->object;
}

}  // namespace

TEST_CASE("a rule is told by id, comment, file and line, and the policy's version") {
  const PolicyNames names(policy(), 7);
  CHECK(object(names, DecidedBy::Rule) ==
        R"({"id":"9c1f02ab5d3e7a10","name":"replication","ruleset":"policy.fw:12","version":"7"})");
  CHECK(object(names, DecidedBy::Builtin) == R"({"id":"ping","ruleset":"builtin","version":"7"})");
  CHECK(object(names, DecidedBy::Default) ==
        R"({"id":"default","name":"default deny in","ruleset":"default","version":"7"})");
  CHECK(object(names, DecidedBy::Default, Direction::Out) ==
        R"({"id":"default","name":"default allow out","ruleset":"default","version":"7"})");
}

TEST_CASE("a rule that the policy doesn't have is nothing") {
  const PolicyNames names(policy(), 7);
  CHECK(names.find({Action::Deny, DecidedBy::Rule, 1}, Direction::In) == nullptr);
  CHECK(names.find({Action::Deny, DecidedBy::Builtin, 1}, Direction::In) == nullptr);
}

TEST_CASE("a comment is escaped, and shortened where it is very long") {
  CHECK(object(PolicyNames(policy("a\"}\n{\"b"), 1), DecidedBy::Rule).find(R"("a\"}\n{\"b")") !=
        std::string::npos);
  CHECK(object(PolicyNames(policy(std::string(100'000, 'x')), 1), DecidedBy::Rule).size() < 1200);
}

TEST_CASE("superseded policies are kept for one more draining of the rings, then forgotten") {
  PolicyBook book;
  for (std::uint64_t version = 1; version <= 5; ++version) book.add(PolicyNames(policy(), version));
  book.forget_superseded();
  CHECK(book.find(1) != nullptr);
  book.forget_superseded();
  CHECK(book.find(1) == nullptr);
  CHECK(book.find(2) != nullptr);
  CHECK(book.find(5) != nullptr);
}

TEST_CASE("however many policies come while the writer is held up, only the newest are kept") {
  PolicyBook book;
  for (std::uint64_t version = 1; version <= 1000; ++version) {
    book.add(PolicyNames(policy(), version));
  }
  CHECK(book.find(900) == nullptr);
  CHECK(book.find(1000) != nullptr);
}

TEST_CASE("a version that comes again takes the place of the commit that failed") {
  PolicyBook book;
  book.add(PolicyNames(policy("failed"), 2));
  book.add(PolicyNames(policy("in force"), 2));
  CHECK(object(*book.find(2), DecidedBy::Rule).find("in force") != std::string::npos);
}
